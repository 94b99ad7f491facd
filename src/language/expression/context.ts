// One evaluation: its values, its variables, and how much work is left to it.
import { formatThousands } from '../../common/units.ts';
import type { Json } from '../../common/json.ts';
import type { Values } from './types.ts';

/** Items that one evaluation may visit, over all its lists: a quadratic expression over a large list ends in an error, not in a stall. */
const FUEL = 1_000_000;
/** UTF-16 code units of a text that an expression may build. */
export const MAX_TEXT = 16_000_000;

export interface Context {
  readonly values: Values;
  /** Variables of `map`, `filter` and the like, by slot. */
  readonly locals: Json[];
  fuel: number;
}

export type Run = (context: Context) => Json;

export function newContext(values: Values): Context {
  return { values, locals: [], fuel: FUEL };
}

/** Thrown inside one evaluation and caught at its edge, where it becomes an EvaluationProblem. */
export class EvaluationFailure extends Error {
  /** Not to be taken for a missing value by `default`. */
  readonly final: boolean;
  start = -1;
  end = -1;

  constructor(message: string, final = false) {
    super(message);
    this.final = final;
  }
}

export function spend(context: Context, items: number): void {
  context.fuel -= items;
  if (context.fuel < 0)
    throw new EvaluationFailure(`The expression visits more than ${formatThousands(FUEL)} items.`, true);
}

/** What a value costs whoever reads all of it: so that work on long texts and lists counts, however few the calls. */
export function weightOf(value: Json): number {
  if (typeof value === 'string') return value.length / 64;
  return Array.isArray(value) ? value.length / 16 : 0;
}

export function boundedText(length: number): void {
  if (length > MAX_TEXT)
    throw new EvaluationFailure(
      `The expression builds a text of more than ${formatThousands(MAX_TEXT)} characters.`,
      true,
    );
}

/** Runs `run`; a failure that has no place yet is placed at the node. */
export function placed(run: Run, start: number, end: number): Run {
  return (context) => {
    try {
      return run(context);
    } catch (error) {
      if (error instanceof EvaluationFailure && error.start < 0) {
        error.start = start;
        error.end = end;
      }
      throw error;
    }
  };
}
