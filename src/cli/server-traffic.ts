// A running server's runs, oldest first, as traffic is made of; over GraphQL, without a word of what was asked or answered.
import { parseUsd } from '../common/money.ts';
import type { AttemptStatus, RunStatus, StepRecord, StepStatus } from '../engine/execution/records.ts';
import type { ErrorClass } from '../engine/providers/port.ts';
import type { RecordedRun, TrafficSpan } from '../simulation/ledger-traffic.ts';
import { TrafficPage } from './documents.ts';
import type { CliTrafficQuery } from './generated/graphql.ts';
import { createRemote } from './remote.ts';

/** What a query may cost allows for so many with all that they did. */
const PAGE = 20;

type Node = CliTrafficQuery['runs']['edges'][number]['node'];

export async function* serverPages(
  server: string,
  key: string | undefined,
  { fromMs, toMs }: TrafficSpan,
): AsyncGenerator<readonly RecordedRun[]> {
  const remote = createRemote(server, key);
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  for (let before: string | null = null, more = true; more;) {
    const { runs }: CliTrafficQuery = await remote.query(TrafficPage, { from, to, last: PAGE, before });
    yield runs.edges.map(({ node }) => recordedRun(node)).reverse();
    before = runs.pageInfo.startCursor ?? null;
    more = runs.pageInfo.hasPreviousPage && before !== null;
  }
}

function recordedRun(node: Node): RecordedRun {
  const { id, parent, task, caller, tags, inputHash, status, error, cached, latencyMs } = node;
  return {
    run: {
      id,
      parentRunId: parent?.id ?? null,
      task: task.name,
      caller: { name: caller.name, team: caller.team ?? null, tier: caller.tier ?? null },
      tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
      inputHash,
      status: status.toLowerCase() as RunStatus,
      error: error ?? null,
      cached,
      startedAtMs: Date.parse(node.startedAt),
      finishedAtMs: node.finishedAt ? Date.parse(node.finishedAt) : null,
      latencyMs: latencyMs ?? null,
    },
    steps: node.steps.map(({ key, kind, status: ended }) => ({
      key,
      kind: kind.toLowerCase() as StepRecord['kind'],
      status: ended.toLowerCase() as StepStatus,
    })),
    attempts: node.attempts.map((attempt) => ({
      ...attempt,
      provider: attempt.provider.name,
      status: attempt.status.toLowerCase() as AttemptStatus,
      errorClass: (attempt.errorClass ?? null) as ErrorClass | null,
      costNanoUsd: parseUsd(attempt.cost) ?? 0n,
      latencyMs: attempt.latencyMs ?? null,
      firstTokenMs: attempt.firstTokenMs ?? null,
    })),
  };
}
