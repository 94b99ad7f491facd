// The ledger as traffic: pages of runs, oldest first, with their child runs taken into them.
import { createHash, randomBytes } from 'node:crypto';
import type { AttemptRecord, RunRecord, StepRecord } from '../engine/execution/records.ts';
import { sha256Hex } from '../common/json.ts';
import type { LedgerReader } from '../ledger/port.ts';
import type { TrafficCaller, TrafficRun, TrafficStep } from './traffic.ts';
import { RATES_DIGITS } from './traffic.ts';

const PAGE = 500;

/** A run of the ledger; its input is told by the start of its hash. */
export type LedgerRun = Omit<TrafficRun, 'input'> & { readonly input: string };

export interface TrafficSpan {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** A run with what it did, as the ledger or a server gives it. */
export interface RecordedRun {
  readonly run: Pick<
    RunRecord,
    | 'id'
    | 'parentRunId'
    | 'task'
    | 'caller'
    | 'tags'
    | 'inputHash'
    | 'status'
    | 'cached'
    | 'startedAtMs'
    | 'finishedAtMs'
    | 'latencyMs'
  > & { readonly error: { readonly code: string } | null };
  readonly attempts: readonly (Pick<
    AttemptRecord,
    | 'step'
    | 'provider'
    | 'requestedModel'
    | 'status'
    | 'errorClass'
    | 'inputTokens'
    | 'cachedInputTokens'
    | 'cacheWriteTokens'
    | 'outputTokens'
    | 'reasoningTokens'
    | 'costNanoUsd'
    | 'heldTokens'
    | 'rates'
    | 'latencyMs'
    | 'firstTokenMs'
  > & { readonly decision: { readonly rule: string } })[];
  readonly steps: readonly Pick<StepRecord, 'key' | 'kind' | 'status'>[];
}

/** Of the ledger, oldest first. */
export async function* ledgerPages(
  ledger: Pick<LedgerReader, 'runs' | 'attemptsOf' | 'stepsOf'>,
  { fromMs, toMs }: TrafficSpan,
): AsyncGenerator<readonly RecordedRun[]> {
  for (let last: string | undefined, more = true; more;) {
    const page = await ledger.runs(
      { startedFromMs: fromMs, startedToMs: toMs },
      { limit: PAGE, backwards: true, ...(last === undefined ? {} : { before: last }) },
    );
    const rows = page.rows.toReversed();
    const ids = rows.map(({ id }) => id);
    const [attempts, steps] = await Promise.all([ledger.attemptsOf(ids), ledger.stepsOf(ids)]);
    yield rows.map((run) => ({ run, attempts: attempts.get(run.id) ?? [], steps: steps.get(run.id) ?? [] }));
    last = ids.at(-1);
    more = page.hasMore;
  }
}

/** Runs that are over, in the order in which they were recorded, with their child runs in them. One that never ended is left out. */
export async function* trafficRuns(pages: AsyncIterable<readonly RecordedRun[]>): AsyncGenerator<LedgerRun> {
  /** Roots whose children may still come, oldest first. */
  const waiting = new Map<string, { readonly run: RecordedRun['run']; readonly steps: TrafficStep[] }>();
  for await (const page of pages)
    for (const recorded of page) {
      const { run } = recorded;
      const rootId = rootOf(run);
      if (run.parentRunId === null) waiting.set(run.id, { run, steps: [] });
      const prefix = run.id === rootId ? '' : `${run.id.slice(rootId.length + 1)}.`;
      waiting.get(rootId)?.steps.push(...stepsOf(prefix, recorded));
      // Children begin before their root ends: what ended before this one began has all of its own.
      for (const [id, one] of waiting) {
        if (id === rootId) break;
        if (one.run.finishedAtMs === null) waiting.delete(id);
        else if (one.run.finishedAtMs >= run.startedAtMs) break;
        else {
          waiting.delete(id);
          yield trafficRun(one);
        }
      }
    }
  for (const one of waiting.values()) if (one.run.finishedAtMs !== null) yield trafficRun(one);
}

/** `run_….summary` is a child of `run_…`; ids have no dots of their own. */
function rootOf({ id, parentRunId }: RecordedRun['run']): string {
  return parentRunId === null ? id : (id.split('.')[0] ?? id);
}

function trafficRun({
  run,
  steps,
}: {
  readonly run: RecordedRun['run'];
  readonly steps: readonly TrafficStep[];
}): LedgerRun {
  const { name, team, tier } = run.caller;
  return {
    atMs: run.startedAtMs,
    task: run.task,
    who: { name, team, tier, tags: run.tags },
    input: run.inputHash.slice(0, 16),
    outcome: run.cached ? 'cached' : run.status === 'failed' ? (run.error?.code ?? 'INTERNAL') : run.status,
    latencyMs: run.latencyMs ?? 0,
    steps,
  };
}

function stepsOf(prefix: string, { steps, attempts }: RecordedRun): TrafficStep[] {
  const found = new Map<string, TrafficStep & { readonly attempts: TrafficStep['attempts'][number][] }>();
  for (const attempt of attempts) {
    if (attempt.status === 'open' || attempt.status === 'unreconciled') continue;
    let step = found.get(attempt.step);
    if (step === undefined) {
      step = { path: prefix + attempt.step, skipped: false, rule: attempt.decision.rule, attempts: [] };
      found.set(attempt.step, step);
    }
    step.attempts.push({
      model: `${attempt.provider}/${attempt.requestedModel}`,
      rates: ratesName(attempt.rates),
      outcome: attempt.status === 'succeeded' ? 'succeeded' : (attempt.errorClass ?? 'unknown'),
      inputTokens: attempt.inputTokens,
      cachedInputTokens: attempt.cachedInputTokens,
      cacheWriteTokens: attempt.cacheWriteTokens,
      outputTokens: attempt.outputTokens,
      reasoningTokens: attempt.reasoningTokens,
      costNanoUsd: attempt.costNanoUsd,
      heldTokens: attempt.heldTokens ?? attempt.inputTokens + attempt.outputTokens,
      latencyMs: attempt.latencyMs ?? 0,
      firstTokenMs: attempt.firstTokenMs,
    });
  }
  // A list that was empty, and what was skipped: both say what the texts would have said.
  for (const { key, kind, status } of steps) {
    if (found.has(key)) continue;
    if (status === 'skipped') found.set(key, { path: prefix + key, skipped: true, rule: null, attempts: [] });
    else if (kind === 'each' && ![...found.keys()].some((other) => other.startsWith(`${key}[`)))
      found.set(key, { path: prefix + key, skipped: false, rule: null, attempts: [] });
  }
  return [...found.values()];
}

const rateNames = new Map<string, string>();

/** As a traffic file names rates; there are as many as there are prices. */
export function ratesName(rates: string): string {
  let name = rateNames.get(rates);
  if (name === undefined) {
    name = rates === 'free' ? 'free' : sha256Hex(rates).slice(0, RATES_DIGITS);
    if (rateNames.size > 10_000) rateNames.clear();
    rateNames.set(rates, name);
  }
  return name;
}

/** Names that can be guessed are no secret without a salt, which nobody keeps: two files cannot be joined by them. */
export function hasher(): (who: TrafficCaller) => TrafficCaller {
  const salt = randomBytes(16);
  const hash = (text: string): string =>
    createHash('sha256').update(salt).update(text).digest('hex').slice(0, 12);
  return ({ name, team, tier, tags }) => ({
    name: hash(name),
    team: team === null ? null : hash(team),
    tier: tier === null ? null : hash(tier),
    tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, hash(value)])),
  });
}
