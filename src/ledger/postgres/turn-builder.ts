// Makes one turn of the operations that wait: what each of them changes, with what the node remembers of its runs and attempts under way.
import type { Posting, Spending } from '../../engine/budget/port.ts';
import { redactJsonText } from '../../common/redact-text.ts';
import { encodeDimensions } from '../rollup/dimensions.ts';
import { addDifference, countAttempt, countRun } from '../rollup/sums.ts';
import type { Retain } from '../retention/recording-rules.ts';
import type * as operations from '../sqlite/operations.ts';
import { countedOf, settledSpending, spendingOf } from '../sqlite/settled-spending.ts';
import { withinSum } from '../sqlite/written-values.ts';
import type { Queryable } from './connection.ts';
import { Contents } from './contents.ts';
import type { PlanRules } from './plan-rules.ts';
import { RollupChanges } from './rollup-changes.ts';
import type { Turn } from './statement.ts';

/** What writing a run's texts needs to know of its opening. */
export interface Keeping {
  readonly content: Retain['content'];
  readonly durable: boolean;
  readonly keepUntilMs: number;
  readonly startedAtMs: number;
  /** What its attempts have cost so far; null: another node's may be among them, so that it is summed when the run ends. */
  costNanoUsd: bigint | null;
  /** What its row says it cost. Who closes its attempts without knowing it adds to that: it is no longer this where a sum is too old to end it. */
  readonly rowCostNanoUsd: bigint;
  /** Its end is written. */
  readonly isFinished: boolean;
  /** Of one that began here: the steps that have a row. Another one's may have any. */
  readonly steps?: Set<string>;
}

/** What closing an attempt needs to know of its opening. */
export interface UnsettledAttempt {
  readonly runId: string;
  /** Where its hold is; a reload may move it. */
  postings: readonly Posting[];
  readonly worst: Spending;
  readonly startedAtMs: number;
  readonly rollupStem: string;
  /** The node that made the call: what it holds is in that one's rows. */
  readonly node: number;
}

type Changing = { [key: string]: unknown };

interface WindowChange {
  readonly budgetId: string;
  readonly account: string;
  readonly windowStartMs: number;
  readonly node: number;
  spentNanoUsd: bigint;
  spentTokens: number;
  spentCalls: number;
  heldNanoUsd: bigint;
  heldTokens: number;
  heldCalls: number;
}

/** Operations that a turn can hold. */
export type TurnOperation =
  | operations.OpenRun
  | operations.FinishRun
  | operations.OpenAttempt
  | operations.CloseAttempt
  | operations.LowerAttempt
  | Extract<operations.Operation, { kind: 'recordStep' | 'moveHold' }>;

const REMEMBERED_POSTINGS = 5_000;
const REMEMBERED_CALLERS = 10_000;

export class TurnBuilder {
  readonly #node: number;
  readonly #rules: PlanRules;
  readonly contents = new Contents();
  readonly rollups: RollupChanges;
  /** Of the runs that are under way here. */
  readonly #keeping = new Map<string, Keeping>();
  /** The attempts in flight. */
  readonly #open = new Map<string, UnsettledAttempt>();
  #callers = new Map<string, string>();
  #postings = new Map<string, readonly Posting[]>();

  #runs = new Map<string, Changing>();
  /** Of those, the ones that surely have no row: no process begins an interactive run again. */
  #newRuns = new Set<string>();
  #finished = new Map<string, Changing>();
  #attempts = new Map<string, Changing>();
  #closed = new Map<string, Changing>();
  #moved = new Map<string, string>();
  #steps = new Map<string, Changing>();
  /** The same of steps. */
  #newSteps = new Set<string>();
  #costs = new Map<string, bigint>();
  #windows = new Map<string, WindowChange>();
  #seen = new Map<string, Changing>();

  constructor(node: number, rules: PlanRules) {
    this.#node = node;
    this.#rules = rules;
    this.rollups = new RollupChanges(node);
  }

  /** The run whose row has to be read before, where the operation is of one that is not known here. */
  unknownRun(operation: TurnOperation): string | undefined {
    const id =
      operation.kind === 'finishRun'
        ? operation.id
        : operation.kind === 'recordStep'
          ? operation.receipt.step.runId
          : operation.kind === 'closeAttempt'
            ? operation.receipt?.step.runId
            : undefined;
    if (id === undefined) return undefined;
    const keeping = this.#keeping.get(id);
    return keeping === undefined || (operation.kind === 'finishRun' && keeping.costNanoUsd === null)
      ? id
      : undefined;
  }

  /** The same of an attempt. */
  unknownAttempt(operation: TurnOperation): string | undefined {
    if (operation.kind === 'closeAttempt') return this.#open.has(operation.id) ? undefined : operation.id;
    if (operation.kind === 'moveHold')
      return this.#open.has(operation.attemptId) ? undefined : operation.attemptId;
    return undefined;
  }

  knowRun(id: string, keeping: Keeping): void {
    this.#keeping.set(id, keeping);
  }

  knowAttempt(id: string, attempt: UnsettledAttempt): void {
    this.#open.set(id, attempt);
  }

  openRun({ run, input }: operations.OpenRun): void {
    const { id, startedAtMs } = run;
    const durable = run.durable === 1;
    const before = this.#runs.get(id);
    if (durable && before !== undefined) {
      Object.assign(before, { status: run.status, begun: run.begun, node: this.#nodeOf(run) });
      return;
    }
    const { retain, reusable } = this.#rules.of(run.revision, run.task);
    // One that was begun before, or with its parent, may have spent: what it has is read when it ends.
    const isNew = !durable || (run.begun === 1 && run.status === 'running' && run.parentRunId === null);
    const keeping: Keeping = {
      content: retain.content,
      durable,
      keepUntilMs: startedAtMs + retain.forMs,
      startedAtMs,
      costNanoUsd: isNew ? 0n : null,
      rowCostNanoUsd: 0n,
      isFinished: false,
      ...(isNew ? { steps: new Set() } : {}),
    };
    const row: Changing = {
      ...run,
      error: null,
      outputText: null,
      outputContent: null,
      costNanoUsd: 0,
      savedNanoUsd: 0,
      finishedAtMs: null,
      latencyMs: null,
      rollupKeyId: null,
      retain: retain.content,
      keepUntilMs: keeping.keepUntilMs,
      reusable: reusable ? 1 : 0,
      cancelReason: null,
      node: this.#nodeOf(run),
    };
    this.#keep(input, keeping, (text, content) => {
      row['inputText'] = text;
      row['inputContent'] = content;
    });
    this.#runs.set(id, row);
    if (!durable) this.#newRuns.add(id);
    this.#keeping.set(id, keeping);
    this.#seeCaller(run.caller, run.team, run.tier, startedAtMs);
  }

  /** A durable run that waits is nobody's. */
  #nodeOf({ durable, status }: operations.OpenRun['run']): number {
    return durable === 1 && status === 'queued' ? 0 : this.#node;
  }

  /** A durable run may need its texts again until it is over, so only then are they reduced; they are never shared before. What comes later is reduced at once. */
  #keep(
    text: string | null,
    keeping: Keeping,
    put: (text: string | null, content: number | null) => void,
  ): void {
    if (text === null) put(null, null);
    else if (keeping.content === 'full') this.contents.store(text, keeping.keepUntilMs, put);
    else put(keeping.durable && !keeping.isFinished ? text : reduceText(text, keeping.content), null);
  }

  #seeCaller(name: string, team: string | null, tier: string | null, atMs: number): void {
    // To the hour: a caller's row is not worth a write for each of its runs.
    const seen = JSON.stringify([team, tier, Math.floor(atMs / 3_600_000)]);
    if (this.#callers.get(name) === seen) return;
    if (this.#callers.size >= REMEMBERED_CALLERS) this.#callers = new Map();
    this.#callers.set(name, seen);
    this.#seen.set(name, { name, team, tier, firstSeenMs: atMs, lastSeenMs: atMs });
  }

  /** Its cost is what its attempts have cost (INV-1). */
  finishRun({ id, end, output, rollupKey }: operations.FinishRun): void {
    const keeping = this.#keepingOf(id);
    const kept = output !== null && keeping.content !== 'full' ? reduceText(output, keeping.content) : output;
    const row: Changing = {
      ...end,
      id,
      costNanoUsd: String(withinSum(keeping.costNanoUsd ?? 0n)),
      fromCost: String(keeping.rowCostNanoUsd),
    };
    this.rollups.want(rollupKey);
    row['rollupKey'] = rollupKey;
    this.#keep(kept, keeping, (text, content) => {
      row['outputText'] = text;
      row['outputContent'] = content;
    });
    const opened = this.#runs.get(id);
    if (opened === undefined) this.#finished.set(id, row);
    else
      Object.assign(opened, row, {
        continuation: null,
        ...(keeping.durable ? this.#reduced(opened, keeping) : {}),
      });
    this.#keeping.delete(id);
    countRun(this.rollups.at(rollupKey, keeping.startedAtMs), BigInt(end.savedNanoUsd), end.cached);
  }

  #reduced(run: Changing, { content }: Keeping): Changing {
    const text = run['inputText'];
    return content === 'full' || typeof text !== 'string' ? {} : { inputText: reduceText(text, content) };
  }

  /** A run whose texts are reduced when it is over, and are in the tables in full until then. */
  mustReduce(id: string): Retain['content'] | undefined {
    const keeping = this.#keeping.get(id);
    return keeping?.durable === true && keeping.content !== 'full' ? keeping.content : undefined;
  }

  openAttempt({ opened, progress, rates, rollupStem }: operations.OpenAttempt): void {
    const { id, runId, heldNanoUsd, heldTokens, startedAtMs } = opened;
    const attempt: UnsettledAttempt = {
      runId,
      postings: this.#postingsOf(opened.postings),
      worst: { costNanoUsd: BigInt(heldNanoUsd), tokens: heldTokens, calls: 1 },
      startedAtMs,
      rollupStem,
      node: this.#node,
    };
    const rollupKey = encodeDimensions(rollupStem, 'open');
    this.rollups.want(rollupKey);
    const row: Changing = { ...opened, ...progress, rollupKey, node: this.#node };
    this.contents.want(rates, null, (content) => {
      row['ratesContent'] = content;
    });
    this.#attempts.set(id, row);
    this.#open.set(id, attempt);
    this.#hold(attempt, 1);
  }

  closeAttempt({ id, progress, movedPostings, receipt }: operations.CloseAttempt): void {
    const attempt = this.#openOf(id);
    const row = this.#attempts.get(id);
    if (row !== undefined) {
      Object.assign(row, progress);
      if (movedPostings !== null) row['postings'] = movedPostings;
    } else {
      this.#closed.set(id, { ...progress, id, moved: movedPostings ?? this.#moved.get(id) ?? null });
      this.#moved.delete(id);
    }
    this.#open.delete(id);
    const costNanoUsd = BigInt(progress.costNanoUsd);
    this.#hold(attempt, -1);
    const postings = movedPostings === null ? attempt.postings : this.#postingsOf(movedPostings);
    this.#spend(
      postings,
      attempt.node,
      settledSpending(progress.status, costNanoUsd, progress.inputTokens + progress.outputTokens),
    );
    this.#cost(attempt.runId, costNanoUsd);
    const counted = countedOf(progress);
    countAttempt(
      this.rollups.at(encodeDimensions(attempt.rollupStem, counted.status), attempt.startedAtMs),
      counted,
    );
    if (receipt !== null) this.recordStep(receipt);
  }

  /** `attempt`: as it is in the tables, which the turn makes sure of. */
  lowerAttempt({ id, before, after }: operations.LowerAttempt, attempt: UnsettledAttempt): void {
    this.#closed.set(id, {
      ...after,
      id,
      moved: null,
      fromStatus: before.status,
      fromCost: before.costNanoUsd,
    });
    const [from, to] = [spendingOf(before), spendingOf(after)];
    this.#spend(attempt.postings, attempt.node, {
      costNanoUsd: to.costNanoUsd - from.costNanoUsd,
      tokens: to.tokens - from.tokens,
      calls: to.calls - from.calls,
    });
    this.#cost(attempt.runId, to.costNanoUsd - from.costNanoUsd);
    const key = encodeDimensions(attempt.rollupStem, after.status);
    addDifference(this.rollups.at(key, attempt.startedAtMs), countedOf(before), countedOf(after));
  }

  /** A reload put an open attempt's hold on other accounts. */
  moveHold(id: string, postings: string): void {
    const attempt = this.#openOf(id);
    const row = this.#attempts.get(id);
    if (row === undefined) this.#moved.set(id, postings);
    else row['postings'] = postings;
    this.#hold(attempt, -1);
    attempt.postings = this.#postingsOf(postings);
    this.#hold(attempt, 1);
  }

  /** A step that succeeded keeps its first receipt (INV-5). */
  recordStep({ step, output }: operations.StepReceipt): void {
    const keeping = this.#keepingOf(step.runId);
    // Nothing will end it here.
    if (keeping.isFinished) this.#keeping.delete(step.runId);
    const name = JSON.stringify([step.runId, step.key]);
    const before = this.#steps.get(name);
    if (before?.['status'] === 'succeeded') return;
    const row: Changing = { ...step };
    this.#keep(output, keeping, (text, content) => {
      row['outputText'] = text;
      row['outputContent'] = content;
    });
    this.#steps.set(name, row);
    if (keeping.steps === undefined || keeping.steps.has(step.key)) return;
    keeping.steps.add(step.key);
    this.#newSteps.add(name);
  }

  #keepingOf(id: string): Keeping {
    const keeping = this.#keeping.get(id);
    if (keeping === undefined) throw new Error(`there is no run ${id}`);
    return keeping;
  }

  #openOf(id: string): UnsettledAttempt {
    const attempt = this.#open.get(id);
    if (attempt === undefined) throw new Error(`there is no attempt ${id} to close`);
    return attempt;
  }

  #cost(runId: string, costNanoUsd: bigint): void {
    const keeping = this.#keeping.get(runId);
    if (keeping !== undefined && !keeping.isFinished) {
      if (keeping.costNanoUsd !== null) keeping.costNanoUsd += costNanoUsd;
    } else if (costNanoUsd !== 0n) {
      // The loser of a hedge, an attempt that was reconciled later, or one of a dead node: its run may be over, also in this very turn, or another's.
      const over = this.#finished.get(runId) ?? this.#runs.get(runId);
      if (over === undefined) this.#costs.set(runId, (this.#costs.get(runId) ?? 0n) + costNanoUsd);
      else over['costNanoUsd'] = String(withinSum(BigInt(over['costNanoUsd'] as string) + costNanoUsd));
    }
  }

  #postingsOf(text: string): readonly Posting[] {
    const known = this.#postings.get(text);
    if (known !== undefined) return known;
    if (this.#postings.size >= REMEMBERED_POSTINGS) this.#postings = new Map();
    const postings = readPostings(text);
    this.#postings.set(text, postings);
    return postings;
  }

  #hold({ postings, worst, node }: UnsettledAttempt, sign: 1 | -1): void {
    for (const posting of postings) {
      const change = this.#window(posting, node);
      change.heldNanoUsd += BigInt(sign) * worst.costNanoUsd;
      change.heldTokens += sign * worst.tokens;
      change.heldCalls += sign * worst.calls;
    }
  }

  #spend(postings: readonly Posting[], node: number, actual: Spending): void {
    for (const posting of postings) {
      const change = this.#window(posting, node);
      change.spentNanoUsd += actual.costNanoUsd;
      change.spentTokens += actual.tokens;
      change.spentCalls += actual.calls;
    }
  }

  #window({ budgetId, account, windowStartMs }: Posting, node: number): WindowChange {
    const key = JSON.stringify([budgetId, account, windowStartMs, node]);
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const change: WindowChange = {
      budgetId,
      account,
      windowStartMs,
      node,
      spentNanoUsd: 0n,
      spentTokens: 0,
      spentCalls: 0,
      heldNanoUsd: 0n,
      heldTokens: 0,
      heldCalls: 0,
    };
    this.#windows.set(key, change);
    return change;
  }

  get isEmpty(): boolean {
    return [this.#runs, this.#finished, this.#attempts, this.#closed, this.#moved, this.#steps].every(
      (rows) => rows.size === 0,
    );
  }

  /** Everything that was asked for since the last one, with the numbers of other tables' rows. */
  async take(database: Queryable, first: number, last: number): Promise<Turn> {
    await this.contents.write(database);
    await this.rollups.resolve(database);
    const numbered = (rows: Iterable<Changing>): Changing[] =>
      [...rows].map(({ rollupKey, ...row }) =>
        rollupKey === undefined ? row : { ...row, rollupKeyId: this.rollups.keyId(rollupKey as string) },
      );
    const turn: Turn = {
      node: this.#node,
      first,
      last,
      newRuns: numbered(those(this.#runs, (id) => this.#newRuns.has(id))),
      runs: numbered(those(this.#runs, (id) => !this.#newRuns.has(id))),
      finished: numbered(this.#finished.values()),
      attempts: numbered(this.#attempts.values()),
      closed: [...this.#closed.values()],
      moved: [...this.#moved].map(([id, postings]) => ({ id, postings })),
      newSteps: those(this.#steps, (name) => this.#newSteps.has(name)),
      steps: those(this.#steps, (name) => !this.#newSteps.has(name)),
      costs: [...this.#costs].map(([id, cost]) => ({ id, cost: String(cost) })),
      windows: [...this.#windows.values()].map((change) => ({
        ...change,
        spentNanoUsd: String(withinSum(change.spentNanoUsd)),
        heldNanoUsd: String(withinSum(change.heldNanoUsd)),
      })),
      rollups: await this.rollups.take(database),
      callers: [...this.#seen.values()],
    };
    this.#clear();
    return turn;
  }

  #clear(): void {
    this.#runs = new Map();
    this.#newRuns = new Set();
    this.#newSteps = new Set();
    this.#finished = new Map();
    this.#attempts = new Map();
    this.#closed = new Map();
    this.#moved = new Map();
    this.#steps = new Map();
    this.#costs = new Map();
    this.#windows = new Map();
    this.#seen = new Map();
  }

  /** After a turn that was not written: what was remembered is not what is there, and is read again where it is needed. */
  forget(): void {
    this.#clear();
    this.contents.forget();
    this.rollups.forget();
    this.#keeping.clear();
    this.#open.clear();
    this.#callers = new Map();
  }
}

function those(rows: ReadonlyMap<string, Changing>, are: (name: string) => boolean): Changing[] {
  return [...rows].flatMap(([name, row]) => (are(name) ? [row] : []));
}

/** A run's own budget has no window: what it spent is summed from the run's attempts. */
export function readPostings(text: string): readonly Posting[] {
  return (JSON.parse(text) as Posting[]).filter(({ windowStartMs }) => windowStartMs !== 0);
}

export function reduceText(text: string, content: Retain['content']): string | null {
  if (content === 'hash') return null;
  return content === 'redacted' ? redactJsonText(text) : text;
}
