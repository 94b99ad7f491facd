// Loops, over GraphQL and with real upstreams: a hundred identical requests at once, tasks that call each other, and inputs that fan out.
import { describe, expect, it } from 'vitest';
import { WorkflowsRefused } from '../../../src/app.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import { RUN_SINGLE, ask, hostFor, nano, rowsOf } from './support.ts';
import type { Hosted, WorkflowOptions } from './support.ts';

const BURST = 100;
const REPEATS = 5;

interface Stage extends Hosted {
  readonly upstream: CountingUpstream;
}

async function stage(workflow: WorkflowOptions): Promise<Stage> {
  const upstream = await startCountingUpstream({ random: seededRandom(8) });
  return Object.assign(await hostFor(upstream, { workflow }), { upstream });
}

const guardsThat = (then: string): WorkflowOptions => ({
  guards: [`loop: { same: input, repeats: ${REPEATS}, within: 1h, then: ${then} }`],
});

/** The same request at once so many times; how many ended as what. */
async function burst(at: Stage): Promise<{ readonly [kind: string]: number }> {
  const answers = await Promise.all(
    Array.from({ length: BURST }, () => ask(at.url, RUN_SINGLE, { mark: 'again' })),
  );
  const kinds: { [kind: string]: number } = {};
  for (const { data, errors } of answers) {
    expect(errors).toEqual([]);
    const kind = `${data.runTask.__typename} ${data.runTask.status ?? data.runTask.code}`;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

async function letGo({ upstream, app, url }: Stage, calls: number): Promise<void> {
  expect(upstream.calls).toHaveLength(calls);
  const { data } = await ask(url, '{ budgets { spent held } }');
  expect(data.budgets[0].held).toBe('0');
  expect(nano(data.budgets[0].spent)).toBe(upstream.billedNanoUsd());
  expect(await app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
  await upstream.close();
}

describe('a hundred identical requests at once', { timeout: 60_000 }, () => {
  it('reuse: all are answered, and only as many as may repeat are paid for', async () => {
    const at = await stage(guardsThat('reuse'));
    expect(await burst(at)).toEqual({ 'Run SUCCEEDED': BURST });
    const { runs } = await rowsOf(at.app.ledger);
    expect(runs.filter(({ cached }) => cached)).toHaveLength(BURST - REPEATS);
    expect(new Set(runs.map(({ output }) => JSON.stringify(output))).size).toBe(1);
    await letGo(at, REPEATS);
  });

  it('reject: the rest is told how often and how long', async () => {
    const at = await stage(guardsThat('reject'));
    expect(await burst(at)).toEqual({
      'Run SUCCEEDED': REPEATS,
      'LoopDetected LOOP_DETECTED': BURST - REPEATS,
    });
    const { data } = await ask(at.url, RUN_SINGLE, { mark: 'another' });
    expect(data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
    await letGo(at, REPEATS + 1);
  });

  it('pause: the caller is stopped until someone resumes it, also after a restart', async () => {
    const at = await stage(guardsThat('pause'));
    const kinds = await burst(at);
    // Runs that were let in before the switch may be stopped by it before they call.
    const called = at.upstream.calls.length;
    expect(called).toBeLessThanOrEqual(REPEATS);
    expect(kinds).toEqual({
      ...(called > 0 ? { 'Run SUCCEEDED': called } : {}),
      'SpendingPaused SPENDING_PAUSED': BURST - called,
    });
    await at.close();
    const again = await hostFor(at.upstream, { workflows: at.workflows, dataDirectory: at.dataDirectory });
    const stopped = await ask(again.url, RUN_SINGLE, { mark: 'another' });
    expect(stopped.data.runTask).toMatchObject({ __typename: 'SpendingPaused', scope: 'caller:local' });
    const resumed = await ask(
      again.url,
      'mutation { resumeSpending(scope: { caller: "local" }) { __typename } }',
    );
    expect(resumed.errors).toEqual([]);
    const { data } = await ask(again.url, RUN_SINGLE, { mark: 'another' });
    expect(data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
    await letGo({ ...again, upstream: at.upstream }, called + 1);
  });
});

describe('tasks that call each other', { timeout: 60_000 }, () => {
  const calls = (task: string, other: string): string => `task: ${task}
input: { mark: string }
steps:
  next:
    task: ${other}
    input: { mark: "\${{ input.mark }}" }
output: { text: "\${{ steps.next.text }}" }
`;

  it('in a circle are refused before anything is served', async () => {
    const refused = stage({ tasks: { here: calls('here', 'there'), there: calls('there', 'here') } });
    const error: unknown = await refused.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowsRefused);
    expect((error as WorkflowsRefused).problems.map(({ code }) => code)).toContain('task-cycle');
  });

  it('fan out no further than the guard allows, and nobody is called for what goes beyond', async () => {
    const at = await stage({
      guards: ['loop: { same: input, repeats: 20, within: 1m, then: reuse, fanOut: 10 }'],
      tasks: {
        many: `task: many
input: { marks: [string] }
allowance: { deadline: 30s, attempts: 100 }
steps:
  all:
    each: \${{ input.marks }}
    as: mark
    prompt: "[\${{ mark }}:all] A few words about the river, the mill, the bridge, the fields and the road below."
    maxOutputTokens: 60
output: { count: "\${{ size(steps.all) }}" }
`,
      },
    });
    const many = (count: number) =>
      ask(
        at.url,
        'mutation ($marks: [String!]!) { runTask(task: { many: { marks: $marks } }) { __typename ... on Run { status error { code message remedy } } } }',
        { marks: Array.from({ length: count }, (_, index) => `f${count}-${index}`) },
      );
    const wide = await many(11);
    expect(wide.errors).toEqual([]);
    expect(wide.data.runTask).toMatchObject({
      status: 'FAILED',
      error: { code: 'FAN_OUT_TOO_WIDE' },
    });
    expect(at.upstream.calls).toHaveLength(0);
    const narrow = await many(10);
    expect(narrow.data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    await letGo(at, 10);
  });
});
