// The values that a run's expressions read.
import type { Caller } from '../budget/port.ts';
import type { Json, JsonObject } from '../../common/json.ts';
import type { Outcome } from '../../common/outcome.ts';
import { nowValues } from '../../language/expression/environment.ts';
import type { EvaluationProblem } from '../../language/expression/types.ts';
import { failed } from './failure.ts';
import type { RunFailure } from './failure.ts';
import type { LinkedTask } from './link.ts';

export type RunValues = {
  readonly input: JsonObject;
  /** Outputs by step; filled in as steps end. */
  readonly steps: { [key: string]: Json };
  readonly caller: Json;
  readonly env: Json;
  /** Of the moment when the run started: the same after a restart. */
  readonly now: Json;
};

export function runValues(options: {
  readonly linked: LinkedTask;
  readonly input: JsonObject;
  readonly caller: Caller;
  readonly tags: { readonly [key: string]: string };
  readonly env: Json;
  readonly startedAtMs: number;
}): RunValues {
  const { linked, input, caller, tags, env, startedAtMs } = options;
  return {
    input,
    steps: {},
    caller: callerValue(caller, tags),
    env,
    now: linked.readsNow ? nowValues(startedAtMs) : null,
  };
}

/** Who calls, as expressions see it: `tags` are the key's and the call's together. */
export function callerValue({ name, team, tier }: Caller, tags: { readonly [key: string]: string }): Json {
  return { name, team, tier, tags };
}

/** The value, or the failure of the run: in the words of the expression. */
export function valueOf(outcome: Outcome<Json, EvaluationProblem>, place: string, step: string | null): Json {
  if (outcome.ok) return outcome.value;
  throw expressionFailed(outcome.error, place, step);
}

function expressionFailed(
  { message, source, start, end }: EvaluationProblem,
  place: string,
  step: string | null,
): RunFailure {
  return failed(
    'EXPRESSION_FAILED',
    { place, reason: message, source },
    { step, details: { source, start, end } },
  );
}

/** How a value reads as the whole of a prompt. */
export function asText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
