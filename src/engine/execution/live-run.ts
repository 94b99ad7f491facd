// LiveRun: a run while it is in this process: its request, its allowance, what it has done so far, and who listens.
import type { LoopTrace } from '../budget/guards/kinds/kind.ts';
import type { Caller } from '../budget/port.ts';
import { childRunId } from '../../common/ids.ts';
import type { JsonObject } from '../../common/json.ts';
import type { Plan, PlanAllowance, PlanStep } from '../../language/plan/types.ts';
import { Allowance } from './allowance.ts';
import type { RunEvent, RunResult, StreamedTexts } from './port.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { LinkedTask } from './link.ts';
import type { AttemptRecord, RunRecord, StepRecord } from './records.ts';

export interface LiveRunOptions {
  readonly record: RunRecord;
  readonly plan: Plan;
  readonly linked: LinkedTask;
  readonly caller: Caller;
  readonly input: JsonObject;
  /** From now on; those of a child lie within its parent's. */
  readonly limits: PlanAllowance;
  readonly texts: StreamedTexts | 'none';
  readonly exchange?: Exchange | undefined;
  readonly parent: LiveRun | null;
  /** Of its input, for the loop guards; null: they were not asked. */
  readonly loopTraces: readonly LoopTrace[] | null;
  /** It goes on after a restart. */
  readonly resumed: boolean;
  /** Monotonic. */
  readonly startedAtMs: number;
}

const NOT_BEGUN = new Promise<never>(() => undefined);

export class LiveRun {
  readonly id: string;
  readonly plan: Plan;
  readonly linked: LinkedTask;
  readonly caller: Caller;
  readonly tags: { readonly [key: string]: string };
  readonly input: JsonObject;
  readonly limits: PlanAllowance;
  readonly allowance: Allowance;
  /** Of which steps text deltas are wanted. */
  readonly texts: StreamedTexts | 'none';
  /** The client's own request that it is about; undefined: it is about its input. */
  readonly exchange: Exchange | undefined;
  readonly parent: LiveRun | null;
  /** The run that the outside asked for: itself, or its outermost parent. Budgets `per: run` count on it. */
  readonly root: LiveRun;
  readonly depth: number;
  readonly loopTraces: readonly LoopTrace[] | null;
  /** It goes on after a restart: it, and its children, may have called somebody before. */
  readonly resumed: boolean;
  readonly startedAtMs: number;
  record: RunRecord;
  readonly attempts: AttemptRecord[] = [];
  readonly steps: StepRecord[] = [];
  /** Items and child runs started, counted on the root. */
  fanOut = 0;
  /** Its row is written; what is promised to survive a crash has to be. Rejects with a LedgerUnavailable. */
  opened: Promise<void> = Promise.resolve();
  result: RunResult | undefined;
  /** Its result, once nothing of it is left in this process. Set when it begins. */
  ended: Promise<RunResult> = NOT_BEGUN;
  #listeners = new Set<(event: RunEvent) => void>();

  constructor(options: LiveRunOptions) {
    this.id = options.record.id;
    this.record = options.record;
    this.plan = options.plan;
    this.linked = options.linked;
    this.caller = options.caller;
    this.tags = options.record.tags;
    this.input = options.input;
    this.limits = options.limits;
    const { deadlineMs, attempts, costNanoUsd } = options.limits;
    const deadlineAtMs = options.startedAtMs + deadlineMs;
    this.allowance = new Allowance({ deadlineAtMs, attempts, costNanoUsd }, options.parent?.allowance);
    this.texts = options.texts;
    this.exchange = options.exchange;
    this.parent = options.parent;
    this.root = options.parent?.root ?? this;
    this.depth = options.parent === null ? 0 : options.parent.depth + 1;
    this.loopTraces = options.loopTraces;
    this.resumed = options.resumed;
    this.startedAtMs = options.startedAtMs;
  }

  /** The step's text is for who listens. What is JSON in a child is a value of its parent's, and no text that adds up to anything in its output. */
  hears(step: PlanStep): boolean {
    if (this.texts !== 'output') return this.texts === 'all';
    const isValue = step.kind === 'model' && step.structured !== null && this.parent !== null;
    return !isValue && this.linked.outputSteps.has(step.key);
  }

  /** Of a step, unique in the outermost run. */
  path(stepKey: string): string {
    return childRunId(this.id, stepKey).slice(this.root.id.length + 1);
  }

  /** Ask before an event is made: most runs have nobody who listens. */
  get watched(): boolean {
    return this.#listeners.size > 0 || this.parent?.watched === true;
  }

  listen(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.unlisten(listener);
  }

  unlisten(listener: (event: RunEvent) => void): void {
    this.#listeners.delete(listener);
  }

  /** A listener that throws is dropped: it must not fail the run. What happens in a child is told by its parent too, but for the child's own beginning and end. */
  emit(event: RunEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        this.#listeners.delete(listener);
      }
    }
    if (this.parent !== null && event.type !== 'queued' && event.type !== 'finished') this.parent.emit(event);
  }

  /** Whoever listens to it, or joined it, has what goes on in its place. */
  handOver(next: LiveRun): void {
    next.#listeners = this.#listeners;
    next.ended = this.ended;
  }

  /** It ended, or was left, without having gone on. */
  endWith(result: Extract<RunResult, { kind: 'run' }>, atMs: number): void {
    this.record = result.snapshot.run;
    this.result = result;
    if (this.watched) this.emit({ type: 'finished', runId: this.id, atMs, result });
  }

  /** Attempts that were made before a restart: they count, and one whose outcome nobody knows counts at its worst case. */
  takeUp(attempts: readonly AttemptRecord[]): void {
    for (const attempt of attempts) {
      this.attempts.push(attempt);
      const unknown = attempt.status === 'open' || attempt.status === 'unreconciled';
      this.allowance.resume(1, unknown ? attempt.heldNanoUsd : attempt.costNanoUsd);
    }
  }

  /** An attempt whose row the ledger did not take: nobody was called. */
  forgetAttempt(id: string): void {
    const index = this.#indexOf(id);
    if (index !== -1) this.attempts.splice(index, 1);
  }

  /** Puts a closed attempt in the place of the open one. */
  replaceAttempt(attempt: AttemptRecord): void {
    const index = this.#indexOf(attempt.id);
    if (index === -1) this.attempts.push(attempt);
    else this.attempts[index] = attempt;
  }

  #indexOf(attemptId: string): number {
    let index = this.attempts.length - 1;
    while (index >= 0 && this.attempts[index]?.id !== attemptId) index -= 1;
    return index;
  }
}
