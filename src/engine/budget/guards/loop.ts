// Loop guards: the same of a caller to a task, as a guard's kind understands it, more often than allowed within a window.
import { Recent } from '../../../common/recent.ts';
import type { PlanLoopGuard, PlanLoops } from '../../../language/plan/types.ts';
import type { JsonObject } from '../../../common/json.ts';
import type { LoopKind, LoopTrace, LoopWatch } from './kinds/kind.ts';
import { loopKinds } from './kinds/registry.ts';

/** So many inputs are remembered at least, and at most twice as many (INV-14): a loop would have to try so many others between two tries of one. */
const DEFAULT_INPUTS = 20_000;
/** Where a watch is kept beside them, which may be two kilobytes. */
const WATCHED_SHARE = 1 / 4;

export interface LoopRun {
  readonly runId: string;
  readonly task: string;
  readonly caller: string;
  /** For guards of sessions. */
  readonly session?: string | undefined;
}

/** What the guards of a task compare of one input; in the order of the guards. `exact`: the hash of the input as it is. */
export function loopTraces(loops: PlanLoops | null, input: JsonObject, exact: string): readonly LoopTrace[] {
  const traces: LoopTrace[] = [];
  for (const { same, ignore } of loops?.guards ?? [])
    traces.push(loopKinds[same].trace(input, ignore, exact));
  return traces;
}

/** A try that others should count as theirs; JSON-safe. */
export interface SharedTry {
  readonly kind: 'tried';
  /** Which guard's memory. */
  readonly memory: string;
  readonly task: string;
  readonly whose: string;
  readonly trace: LoopTrace;
  readonly repeats: number;
  readonly times: number;
}

export type LoopVerdict =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'repeated';
      readonly guard: PlanLoopGuard;
      /** Tries within the window, this one included; counted up to one more than allowed. */
      readonly repeats: number;
      /** Until the input is let pass again, if nobody tries in between: each try counts. */
      readonly retryAfterMs: number;
      /** The newest run with an answer, or else one that is still going; undefined: none succeeded. */
      readonly answer: string | undefined;
      /** The first of this series of repeats. */
      readonly isNew: boolean;
      /** The tool that is called again and again, where it is calls that are compared. */
      readonly tool?: string | undefined;
    };

export interface LoopGuards {
  /** Tries at another node count as if they had been here, now. */
  readonly heard: (tries: SharedTry, nowMs: number) => void;
  /** Asks the guards in their order, up to the first that trips: a try that was answered by one is not counted by those after it. */
  readonly tried: (
    run: LoopRun,
    guards: readonly PlanLoopGuard[],
    traces: readonly LoopTrace[],
    nowMs: number,
  ) => LoopVerdict;
  readonly ended: (
    run: LoopRun & {
      readonly succeeded: boolean;
      /** It failed for a reason that is not its caller's: as if it had not been tried. */
      readonly uncounted?: boolean;
    },
    guards: readonly PlanLoopGuard[],
    traces: readonly LoopTrace[],
  ) => void;
}

interface Seen {
  /** A ring of the latest tries; as long as the guard allows repeats. */
  triedAtMs: number[];
  size: number;
  next: number;
  runningId: string | undefined;
  succeededId: string | undefined;
  looping: boolean;
  readonly watch: LoopWatch | undefined;
  /** The latest try at this node, and whether the others were told of it: one alone is no loop, and most inputs come once. */
  mineAtMs: number;
  isTold: boolean;
}

/**
 * Refused tries count as well. So a loop faster than the window gets its `repeats` runs once, and not again in every window: it must fall silent first.
 * Each guard has a memory of its own, which a reload leaves: the second of a kind in a task's list shares it with the second of other tasks.
 */
export function createLoopGuards(
  inputsKept: number = DEFAULT_INPUTS,
  tell?: (tries: SharedTry) => void,
): LoopGuards {
  const memories = new Map<string, Recent<Seen>>();

  function nameOf(guards: readonly PlanLoopGuard[], at: number): string {
    const same = guards[at]?.same ?? 'input';
    return `${same} ${guards.slice(0, at).filter((other) => other.same === same).length}`;
  }

  function kindOf(name: string): LoopKind {
    return loopKinds[name.split(' ', 1)[0] as PlanLoopGuard['same']];
  }

  function memoryOf(name: string): Recent<Seen> {
    let memory = memories.get(name);
    if (memory === undefined) {
      const kept = kindOf(name).watch === undefined ? inputsKept : Math.ceil(inputsKept * WATCHED_SHARE);
      memories.set(name, (memory = new Recent<Seen>(kept)));
    }
    return memory;
  }

  function seenAs(name: string, task: string, whose: string, key: string): Seen {
    const memory = memoryOf(name);
    let seen = memory.get(task, whose, key);
    if (seen === undefined) {
      seen = unseen(kindOf(name));
      memory.add(task, whose, key, seen);
    }
    return seen;
  }

  return {
    heard({ memory, task, whose, trace, repeats, times }, nowMs) {
      // A newer version may guard by more.
      if (!Object.hasOwn(loopKinds, memory.split(' ', 1)[0] ?? '')) return;
      const seen = seenAs(memory, task, whose, trace.key);
      resize(seen, repeats);
      for (let time = 0; time < times; time += 1) note(seen, trace, nowMs);
    },
    tried(run, guards, traces, nowMs) {
      for (const [at, guard] of guards.entries()) {
        const trace = traces[at];
        if (trace === undefined) continue;
        const memory = nameOf(guards, at);
        const whose = accountOf(run, guard);
        const seen = seenAs(memory, run.task, whose, trace.key);
        if (tell !== undefined && guard.same !== 'toolCall') {
          const isAgain = nowMs - seen.mineAtMs < guard.withinMs;
          const times = isAgain && seen.isTold ? 1 : 2;
          if (isAgain)
            tell({ kind: 'tried', memory, task: run.task, whose, trace, repeats: guard.repeats, times });
          seen.isTold = isAgain;
          seen.mineAtMs = nowMs;
        }
        const verdict =
          guard.same === 'toolCall' ? calledAgain(seen, guard, trace) : tried(seen, run, guard, trace, nowMs);
        if (verdict.kind !== 'pass') return verdict;
      }
      return { kind: 'pass' };
    },
    ended(run, guards, traces) {
      for (const [at, trace] of traces.entries()) {
        const guard = guards[at];
        const seen = guard && memoryOf(nameOf(guards, at)).get(run.task, accountOf(run, guard), trace.key);
        if (seen === undefined) continue;
        if (run.uncounted === true) forgetLatest(seen);
        if (seen.runningId === run.runId) seen.runningId = undefined;
        if (run.succeeded) seen.succeededId = run.runId;
      }
    },
  };
}

function accountOf({ caller, session = '' }: LoopRun, { each }: PlanLoopGuard): string {
  return each === 'session' ? `${caller}/${session}` : caller;
}

/** A try that passed took the place of one that was older than the window, which is not missed. */
function forgetLatest(seen: Seen): void {
  if (seen.triedAtMs.length === 0 || seen.size === 0) return;
  const latest = (seen.next - 1 + seen.size) % seen.size;
  seen.triedAtMs[latest] = Number.NEGATIVE_INFINITY;
  seen.next = latest;
}

/** How often it was called, the conversation says itself. */
function calledAgain(seen: Seen, guard: PlanLoopGuard, { calls = 0, tool }: LoopTrace): LoopVerdict {
  if (calls < guard.repeats) {
    seen.looping = false;
    return { kind: 'pass' };
  }
  const isNew = !seen.looping;
  seen.looping = true;
  return { kind: 'repeated', guard, repeats: calls, retryAfterMs: 0, answer: undefined, isNew, tool };
}

function unseen(kind: LoopKind): Seen {
  return {
    triedAtMs: [],
    size: 0,
    next: 0,
    runningId: undefined,
    succeededId: undefined,
    looping: false,
    watch: kind.watch?.(),
    mineAtMs: Number.NEGATIVE_INFINITY,
    isTold: false,
  };
}

function tried(seen: Seen, run: LoopRun, guard: PlanLoopGuard, trace: LoopTrace, nowMs: number): LoopVerdict {
  resize(seen, guard.repeats);
  const oldestMs = seen.triedAtMs.length < guard.repeats ? undefined : seen.triedAtMs[seen.next];
  note(seen, trace, nowMs);
  const isOften = guard.repeats === 0 || (oldestMs !== undefined && nowMs - oldestMs < guard.withinMs);
  if (!isOften || seen.watch?.isLoop(nowMs - guard.withinMs) === false) {
    seen.looping = false;
    seen.runningId = run.runId;
    return { kind: 'pass' };
  }
  const isNew = !seen.looping;
  seen.looping = true;
  const nextOldestMs = seen.triedAtMs[seen.next] ?? nowMs;
  return {
    kind: 'repeated',
    guard,
    repeats: guard.repeats + 1,
    retryAfterMs: Math.max(1, nextOldestMs + guard.withinMs - nowMs),
    answer: seen.succeededId ?? seen.runningId,
    isNew,
  };
}

function note(seen: Seen, trace: LoopTrace, nowMs: number): void {
  // Most inputs come once, and an array that V8 lets grow has room for seventeen at once.
  if (seen.triedAtMs.length === 0) seen.triedAtMs = [nowMs];
  else seen.triedAtMs[seen.next] = nowMs;
  seen.next = (seen.next + 1) % seen.size;
  seen.watch?.saw(trace, nowMs);
}

/** After a reload with another `repeats`: the latest tries are kept, in order. */
function resize(seen: Seen, repeats: number): void {
  const size = Math.max(1, repeats);
  if (seen.size === size) return;
  const { triedAtMs } = seen;
  const ordered = [...triedAtMs.slice(seen.next), ...triedAtMs.slice(0, seen.next)].slice(-size);
  triedAtMs.splice(0, triedAtMs.length, ...ordered);
  seen.next = triedAtMs.length % size;
  seen.size = size;
}
