// What is asked of a request before anything is written or spent: task, scope, options, input.
import type { LoopTrace } from '../budget/guards/kinds/kind.ts';
import type { JsonObject } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { errorText } from '../../errors/catalogue.ts';
import { isExposed } from '../../language/plan/exchange.ts';
import type { Plan, PlanAllowance } from '../../language/plan/types.ts';
import type { InputProblem, RunRequest, RunResult } from './port.ts';
import { checkInput } from './input-check.ts';
import { problemsLine } from './input-problems.ts';
import type { LinkedTask } from './link.ts';
import type { EngineParts } from './engine-parts.ts';
import { mayRun } from './scopes.ts';
import { callerValue } from './values.ts';

export interface Prepared {
  readonly request: RunRequest;
  readonly plan: Plan;
  readonly linked: LinkedTask;
  readonly input: JsonObject;
  readonly inputHash: string;
  /** Of the input as each loop guard of the task compares it. */
  readonly loopTraces: readonly LoopTrace[];
  readonly tags: { readonly [key: string]: string };
  /** The task's, tightened by the caller. */
  readonly limits: PlanAllowance;
  readonly idempotencyKey: string | null;
}

export type RunRefusal = Exclude<RunResult, { kind: 'run' }>;

const MAX_TAGS = 32;
const MAX_TAG_KEY = 64;
const MAX_TAG_VALUE = 256;
const MAX_IDEMPOTENCY_KEY = 255;

/** Not a promise where the input is small: between the look for an equal request and its entry nothing is awaited. */
export function prepare(
  parts: EngineParts,
  request: RunRequest,
): Outcome<Prepared, RunRefusal> | Promise<Outcome<Prepared, RunRefusal>> {
  const plan = parts.currentPlan();
  const { task: name, caller, options = {} } = request;
  if (!mayRun(caller, name)) {
    const scope = `run:${name}`;
    return fail({ kind: 'unauthorized', scope, ...errorText('UNAUTHORIZED', { task: name, scope }) });
  }
  const task = Object.hasOwn(plan.tasks, name) ? plan.tasks[name] : undefined;
  const { exchange } = request;
  if (task === undefined || isExposed(task) !== (exchange !== undefined)) {
    const known = Object.values(plan.tasks)
      .flatMap((one) => (isExposed(one) ? [] : one.name))
      .sort()
      .join(', ');
    return fail({ kind: 'invalid_input', problems: [], ...errorText('UNKNOWN_TASK', { task: name, known }) });
  }
  const badOptions = optionProblems(options, caller.tags);
  if (badOptions.length > 0) return fail(invalidInput(name, badOptions));
  const linked = parts.executors.of(task);
  const tags = options.tags === undefined ? caller.tags : { ...caller.tags, ...options.tags };
  const { loop, allowance, retain } = task;
  let input: JsonObject;
  let compared: JsonObject;
  if (exchange === undefined) {
    const checked = checkInput(linked, request.input, {
      caller: callerValue(caller, tags),
      env: plan.environment,
      nowMs: parts.clock.nowMs(),
    });
    if (!checked.ok) return fail(invalidInput(name, checked.error));
    input = checked.value;
    compared = input;
  } else {
    compared = exchange.compared;
    // A megabyte that is not to be kept need not be written down to be forgotten.
    input = retain.content === 'hash' ? {} : exchange.input;
  }
  const prepared = {
    request,
    plan,
    linked,
    input,
    tags,
    limits: {
      deadlineMs: Math.min(allowance.deadlineMs, options.deadlineMs ?? Number.POSITIVE_INFINITY),
      attempts: allowance.attempts,
      costNanoUsd: least(allowance.costNanoUsd, options.maxCostNanoUsd ?? null),
    },
    idempotencyKey: options.idempotencyKey ?? null,
  };
  const identity = parts.thread.identify({ input: compared, loops: loop });
  return identity instanceof Promise
    ? identity.then((known) => succeed({ ...prepared, ...known }))
    : succeed({ ...prepared, ...identity });
}

function invalidInput(task: string, problems: readonly InputProblem[]): RunRefusal {
  return {
    kind: 'invalid_input',
    problems,
    ...errorText('INVALID_INPUT', { task, problems: problemsLine(problems) }),
  };
}

function optionProblems(
  { tags = {}, deadlineMs, maxCostNanoUsd, idempotencyKey }: NonNullable<RunRequest['options']>,
  keyTags: Prepared['tags'],
): InputProblem[] {
  const problems: InputProblem[] = [];
  const add = (path: string, message: string): void => {
    problems.push({ path: `/options/${path}`, code: 'option', message });
  };
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) add('tags', `has ${entries.length} tags; at most ${MAX_TAGS} are kept`);
  for (const [key, value] of entries.slice(0, MAX_TAGS)) {
    if (key.length === 0 || key.length > MAX_TAG_KEY)
      add('tags', `has a key of ${key.length} characters; 1 to ${MAX_TAG_KEY} are allowed`);
    if (value.length > MAX_TAG_VALUE)
      add('tags', `has a value of ${value.length} characters; at most ${MAX_TAG_VALUE} are allowed`);
  }
  // What a key is tagged with, it is counted under: a request must not shake a budget off by naming another account.
  for (const [key, value] of Object.entries(keyTags))
    if (Object.hasOwn(tags, key) && tags[key] !== value)
      add('tags', `sets "${key}" to another value than the API key has; leave it out`);
  if (deadlineMs !== undefined && !(deadlineMs > 0)) add('deadlineMs', 'must be more than 0');
  if (maxCostNanoUsd !== undefined && maxCostNanoUsd < 0n) add('maxCost', 'must not be negative');
  if (
    idempotencyKey !== undefined &&
    (idempotencyKey.length === 0 || idempotencyKey.length > MAX_IDEMPOTENCY_KEY)
  )
    add('idempotencyKey', `must have 1 to ${MAX_IDEMPOTENCY_KEY} characters`);
  return problems;
}

function least(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
