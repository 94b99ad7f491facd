// A run of the traffic while it is replayed: what its expressions read in the place of its texts.
import type { JsonObject } from '../common/json.ts';
import type { TrafficRun, TrafficStep } from './traffic.ts';

export class ReplayedRun {
  readonly run: TrafficRun;
  /** Its place in the traffic. */
  readonly number: number;
  readonly #steps = new Map<string, TrafficStep>();
  /** Calls so far, by step and model. */
  readonly #calls = new Map<string, number>();

  /** `asked`: a run of the same input that called models, where this one was answered without. */
  constructor(run: TrafficRun, number: number, asked: readonly TrafficStep[]) {
    this.run = run;
    this.number = number;
    for (const step of asked) this.#steps.set(step.path, step);
  }

  step(path: string): TrafficStep | undefined {
    return this.#steps.get(path);
  }

  /** The models that the step called, in their order; undefined: none. */
  course(path: string): readonly string[] | undefined {
    const attempts = this.#steps.get(path)?.attempts ?? [];
    return attempts.length === 0 ? undefined : attempts.map(({ model }) => model);
  }

  /** How many items of the step there were; undefined: it is not known that it was reached. */
  items(path: string): number | undefined {
    if (this.#steps.get(path)?.skipped === false) return 0;
    let count = 0;
    for (const known of this.#steps.keys())
      if (known.startsWith(path) && known[path.length] === '[')
        count = Math.max(count, Number.parseInt(known.slice(path.length + 1), 10) + 1);
    return count === 0 ? undefined : count;
  }

  /** Of the step, or of one within it. */
  reached(path: string): boolean {
    for (const [known, { skipped }] of this.#steps)
      if (
        !skipped &&
        known.startsWith(path) &&
        (known.length === path.length || known[path.length] === '[' || known[path.length] === '.')
      )
        return true;
    return false;
  }

  /** From 0: which call of the model in this step it is. */
  nextCall(path: string, model: string): number {
    const key = `${path}\n${model}`;
    const number = this.#calls.get(key) ?? 0;
    this.#calls.set(key, number + 1);
    return number;
  }
}

/** What stands as `input` in a replay: the run, and where in it the task is (`''`, or `summary.` for a child's). */
export interface ReplayedInput {
  readonly replayed: ReplayedRun;
  readonly prefix: string;
}

/** It goes through the engine as an input does, and is read by nothing but what is put into the place of expressions. */
export const asInput = (input: ReplayedInput): JsonObject => input as unknown as JsonObject;
export const inputOf = (values: { readonly [root: string]: unknown }): ReplayedInput =>
  values['input'] as ReplayedInput;

/** In [0, 1): the same for the same call under any plan, so that two plans differ by what they do and not by luck. */
export function chance(replayed: ReplayedRun, path: string, model: string, what: number): number {
  let mixed = Math.imul(replayed.number + 1, 0x9e3779b1) ^ Math.imul(what + 1, 0x85ebca6b);
  for (let index = 0; index < path.length; index += 1)
    mixed = Math.imul(mixed ^ path.charCodeAt(index), 0x01000193);
  for (let index = 0; index < model.length; index += 1)
    mixed = Math.imul(mixed ^ model.charCodeAt(index), 0x01000193);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  mixed ^= mixed >>> 12;
  mixed = Math.imul(mixed, 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
}
