// What a kind of loop guard is: what it compares of an input, and whether tries that look the same are a loop.
import type { JsonObject } from '../../../../common/json.ts';

/** What is compared of one try: plain data, since that of a large input is worked out on another thread. */
export interface LoopTrace {
  /** Tries of one task and caller with one key are counted together. */
  readonly key: string;
  /** Tries that are alike to the last sign have one of these. */
  readonly exact: string;
  /** The numbers that the key leaves out, in their order. */
  readonly numbers?: readonly number[];
  /** The tries are within the input itself: so many, of this tool. */
  readonly calls?: number;
  readonly tool?: string;
}

/**
 * A kind is a file here, a name in `PlanLoopGuard.same` and in `LOOP_KINDS` of the language (what it may do), its defaults in `DEFAULT_LOOP_GUARDS`, its words in
 * `SAME`, and a line in the registry; the compiler asks for each of them.
 */
export interface LoopKind {
  /** Pure, and linear in the input. `exact`: the hash of the input as it is. */
  trace(input: JsonObject, ignore: readonly string[], exact: string): LoopTrace;
  /** For each key: what the tries have to look like, one after the other; left out: those with one key are a loop, whatever they look like. */
  watch?(): LoopWatch;
}

export interface LoopWatch {
  /** The next try, whether it is let pass or not. */
  saw(trace: LoopTrace, nowMs: number): void;
  /** Of what was seen since then. */
  isLoop(sinceMs: number): boolean;
}
