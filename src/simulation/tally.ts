// What came of a replay: the rows that a ledger would have written, added up as they come, so that memory stays flat.
import { LRUCache } from 'lru-cache';
import type { AlertRecord, History, Recorder } from '../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord } from '../engine/execution/records.ts';
import { sampleOf } from '../ledger/stats/sample.ts';
import type { LearningSignals } from '../engine/routing/signals.ts';
import { ratesName } from './ledger-traffic.ts';
import { knownCost } from './modelled-providers.ts';
import type { Basis } from './modelled-providers.ts';

/** Answers that may be given again, and runs that are waited for; of older ones a repetition is a new call. */
const ANSWERS_KEPT = 100_000;
/** Told with their time; the others are counted. */
const EVENTS_KEPT = 50;

export interface RunSums {
  runs: number;
  costNanoUsd: bigint;
}

/** Refusals of one kind, by the same. */
export interface RefusalSums {
  count: number;
  readonly firstAtMs: number;
  lastAtMs: number;
}

export interface SpendingEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly scope: string;
  readonly message: string;
  /** Up to then. */
  readonly runs: number;
  readonly costNanoUsd: bigint;
}

/** Buckets that grow by 2 %: percentiles within that error, of any number of values, in a fixed amount of memory. */
export class Durations {
  readonly #counts = new Uint32Array(1_024);
  #total = 0;

  add(ms: number): void {
    const bucket = Math.min(1_023, Math.round(Math.log(Math.max(1, ms)) / GROWTH));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  get count(): number {
    return this.#total;
  }

  /** `share` from 0 to 1; null: there was none. */
  at(share: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(share * this.#total));
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return Math.round(Math.exp(bucket * GROWTH));
    }
    return null;
  }
}
const GROWTH = Math.log(1.02);

export class Tally implements Recorder, History {
  costNanoUsd = 0n;
  /** That were asked for so far. */
  runs = 0;
  attempts = 0;
  cachedRuns = 0;
  fallbacks = 0;
  readonly byTask = new Map<string, RunSums>();
  readonly byCaller = new Map<string, RunSums>();
  readonly byProvider = new Map<string, RunSums>();
  readonly byModel = new Map<string, RunSums>();
  readonly bases: { [basis in Basis]: number } = { recorded: 0, modelled: 0, assumed: 0 };
  readonly waits = new Durations();
  /** By kind: all of them. */
  readonly eventCounts = new Map<string, number>();
  /** The first ones. */
  readonly events: SpendingEvent[] = [];
  readonly #signals: LearningSignals;
  readonly #answers: LRUCache<string, RunRecord>;
  readonly #byId: LRUCache<string, RunRecord>;
  /** Of runs under way: the model that was asked first, by step. */
  readonly #first = new Map<string, Map<string, string>>();

  readonly #keepsAnswer: (inputHash: string) => boolean;

  /** `keepsAnswer`: a later run of this input may be answered with this one's. `runs`: that come, since a cache takes its room at once. */
  constructor(signals: LearningSignals, keepsAnswer: (inputHash: string) => boolean, runs: number) {
    this.#signals = signals;
    this.#keepsAnswer = keepsAnswer;
    const max = Math.max(1, Math.min(ANSWERS_KEPT, runs));
    this.#answers = new LRUCache({ max });
    this.#byId = new LRUCache({ max });
  }

  openRun(): Promise<void> {
    return WRITTEN;
  }

  openAttempt(attempt: AttemptRecord): Promise<void> {
    const model = `${attempt.provider}/${attempt.requestedModel}`;
    let steps = this.#first.get(attempt.runId);
    if (steps === undefined) this.#first.set(attempt.runId, (steps = new Map()));
    const first = steps.get(attempt.step);
    if (first === undefined) steps.set(attempt.step, model);
    else if (first !== model) this.fallbacks += 1;
    if (attempt.queueMs >= 1) this.waits.add(attempt.queueMs);
    return WRITTEN;
  }

  closeAttempt(attempt: AttemptRecord): Promise<void> {
    const known = knownCost(attempt.requestId);
    // What a ledger saw of a call is what it costs; the engine's own settlement holds where the price is another now.
    const cost =
      known.costNanoUsd !== null && known.rates === ratesName(attempt.rates)
        ? known.costNanoUsd
        : attempt.costNanoUsd;
    this.attempts += 1;
    this.bases[known.basis] += 1;
    this.costNanoUsd += cost;
    const model = `${attempt.provider}/${attempt.requestedModel}`;
    add(this.byTask, attempt.task, 0, cost);
    add(this.byCaller, attempt.caller, 0, cost);
    add(this.byProvider, attempt.provider, 1, cost);
    add(this.byModel, model, 1, cost);
    const sample = sampleOf(attempt);
    if (sample !== undefined) this.#signals.observe(sample);
    return WRITTEN;
  }

  recordStep(): Promise<void> {
    return WRITTEN;
  }

  finishRun(run: RunRecord): Promise<void> {
    this.#first.delete(run.id);
    if (run.parentRunId !== null) return WRITTEN;
    add(this.byTask, run.task, 1, 0n);
    add(this.byCaller, run.caller.name, 1, 0n);
    if (run.cached) this.cachedRuns += 1;
    else if (run.status === 'succeeded' && this.#keepsAnswer(run.inputHash)) {
      const kept = { ...run, input: null };
      this.#answers.set(`${run.taskRevision}\n${run.inputHash}`, kept);
      this.#byId.set(run.id, kept);
    }
    return WRITTEN;
  }

  recordAlert({ kind, scope, message, atMs }: AlertRecord): Promise<void> {
    this.event({ kind, scope, message, atMs });
    return WRITTEN;
  }

  event(event: Pick<SpendingEvent, 'atMs' | 'kind' | 'scope' | 'message'>): void {
    this.eventCounts.set(event.kind, (this.eventCounts.get(event.kind) ?? 0) + 1);
    const { runs, costNanoUsd } = this;
    if (this.events.length < EVENTS_KEPT) this.events.push({ ...event, runs, costNanoUsd });
  }

  findCached(
    taskRevision: string,
    inputHash: string,
    { sinceMs }: { readonly sinceMs: number },
  ): Promise<RunRecord | undefined> {
    const found = this.#answers.get(`${taskRevision}\n${inputHash}`);
    return Promise.resolve(found !== undefined && (found.finishedAtMs ?? 0) >= sinceMs ? found : undefined);
  }

  run(id: string): Promise<RunRecord | undefined> {
    return Promise.resolve(this.#byId.get(id));
  }

  receipts(): Promise<ReadonlyMap<string, never>> {
    return Promise.resolve(new Map<string, never>());
  }

  findByIdempotencyKey(): Promise<undefined> {
    return NONE;
  }

  takeWaiting(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  stepsUnder(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  release(): Promise<void> {
    return WRITTEN;
  }

  ended(id: string): Promise<RunRecord> {
    return Promise.reject(new Error(`run ${id} is not waited for in a simulation`));
  }

  planText(): Promise<undefined> {
    return NONE;
  }

  attemptsOf(): Promise<ReadonlyMap<string, never>> {
    return Promise.resolve(new Map<string, never>());
  }

  stepsOf(): Promise<ReadonlyMap<string, never>> {
    return Promise.resolve(new Map<string, never>());
  }
}

const WRITTEN = Promise.resolve();
const NONE = Promise.resolve(undefined);

/** Callers and tags come from outside: beyond so many, the others are one (INV-14). */
const MOST_GROUPS = 10_000;
const OTHERS = '(others)';

function add(sums: Map<string, RunSums>, key: string, runs: number, costNanoUsd: bigint): void {
  const name = sums.has(key) || sums.size < MOST_GROUPS ? key : OTHERS;
  let known = sums.get(name);
  if (known === undefined) sums.set(name, (known = { runs: 0, costNanoUsd: 0n }));
  known.runs += runs;
  known.costNanoUsd += costNanoUsd;
}
