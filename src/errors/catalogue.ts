// The catalogue of run errors: code, message, remedy, and whether the same request may succeed later.
// docs/reference/errors.md shows it; a test holds the two to each other.

export interface CatalogueEntry {
  /** `{name}` is replaced by a value. */
  readonly message: string;
  readonly remedy: string;
  /** retryable: the same request may succeed later, without a change. terminal: something has to change first. */
  readonly kind: 'retryable' | 'terminal';
}

export const catalogue = {
  UNKNOWN_TASK: {
    message: 'There is no task "{task}".',
    remedy: 'Use one of: {known}.',
    kind: 'terminal',
  },
  INVALID_INPUT: {
    message: 'The input does not match the schema of task "{task}": {problems}',
    remedy: 'Correct the input at the paths listed; nothing was run.',
    kind: 'terminal',
  },
  IDEMPOTENCY_KEY_REUSED: {
    message: 'The idempotency key "{key}" was used before with another input.',
    remedy: 'Use a new key for a new input, or send the input that came with the key the first time.',
    kind: 'terminal',
  },
  UNAUTHORIZED: {
    message: 'This key may not run task "{task}".',
    remedy: 'Use a key with the scope "{scope}", or ask an administrator for one.',
    kind: 'terminal',
  },
  SPENDING_PAUSED: {
    message: 'Spending is paused for {scope}: {reason}',
    remedy:
      'Wait, or have an administrator resume it: on the page, by `headgate resume`, or with resumeSpending(scope: {graphqlScope}).',
    kind: 'retryable',
  },
  LOOP_DETECTED: {
    message: 'Task "{task}" was given {what} {repeats} times within {within}.',
    remedy: 'Stop the loop in the caller; a single request passes again after the window is over.',
    kind: 'retryable',
  },
  TOOL_LOOP_DETECTED: {
    message:
      'The agent has called "{tool}" with the same arguments {repeats} times, with nothing new in between.',
    remedy:
      'Agent: stop calling it, and tell the person what was tried and what is in the way. Person: a loop guard stopped the conversation here; a new message of yours lets it go on.',
    kind: 'terminal',
  },
  LOOP_TOO_DEEP: {
    message: 'Tasks call each other in a circle or too deep: {path}.',
    remedy: 'Break the chain of task steps, or raise "depth" of the loop guard.',
    kind: 'terminal',
  },
  FAN_OUT_TOO_WIDE: {
    message:
      'The run would start {count} items and child runs, which is more than the guard allows ({limit}).',
    remedy: 'Send a smaller input, or raise "fanOut" of the loop guard.',
    kind: 'terminal',
  },
  BUDGET_EXCEEDED: {
    message: 'Budget "{budget}" has {left} left of {limit}; this call may need {needed}.',
    remedy: '{wait}, raise its limit, or lower maxOutputTokens.',
    kind: 'retryable',
  },
  NO_PROVIDER_AVAILABLE: {
    message: 'No provider could serve step "{step}" of task "{task}": {reasons}.',
    remedy: 'See the decision for why each candidate was left out; set the missing keys, or try again later.',
    kind: 'retryable',
  },
  CONTENT_FILTERED: {
    message: 'The provider refused the content of step "{step}": {reason}',
    remedy:
      'Change the input; another provider is not asked, so that a safety decision is never routed around.',
    kind: 'terminal',
  },
  INVALID_OUTPUT: {
    message: 'No answer for step "{step}" matched its output schema: {reason}',
    remedy: 'Loosen the schema, raise maxOutputTokens, or route the step to a stronger model.',
    kind: 'retryable',
  },
  NOT_ACCEPTED: {
    message: 'No answer for step "{step}" passed its "accept" condition.',
    remedy: 'Loosen the condition, or add a stronger model to the route.',
    kind: 'retryable',
  },
  REQUEST_REFUSED: {
    message: 'The provider refused the request of step "{step}": {reason}',
    remedy: 'Correct what the message names; no candidate would answer this request.',
    kind: 'terminal',
  },
  ANSWER_BROKE_OFF: {
    message: 'The answer broke off after it had begun: {reason}',
    remedy: 'Send the request again; what came of this answer is billed, and is not the whole of it.',
    kind: 'retryable',
  },
  DEADLINE_EXCEEDED: {
    message: 'The run reached its deadline of {deadline}{waiting}.',
    remedy: 'Raise "allowance.deadline" of the task, or the caller\'s deadlineMs.',
    kind: 'retryable',
  },
  ATTEMPTS_EXHAUSTED: {
    message: 'The run used all {attempts} attempts of its allowance; the last one failed: {reason}',
    remedy: 'Raise "allowance.attempts" of the task, or look at why the attempts fail.',
    kind: 'retryable',
  },
  COST_EXHAUSTED: {
    message:
      'The run may spend {limit} in all and has {left} left; the cheapest candidate may need {needed}.',
    remedy: 'Raise "allowance.cost" of the task or the caller\'s maxCost, or lower maxOutputTokens.',
    kind: 'terminal',
  },
  CANCELLED: {
    message: 'The run was cancelled: {reason}',
    remedy: 'Send the task again when its answer is wanted.',
    kind: 'retryable',
  },
  SHUT_DOWN: {
    message: 'The server was stopped before the run was finished.',
    remedy: 'Send the task again; use startTask for runs that have to survive a stop.',
    kind: 'retryable',
  },
  SHUTTING_DOWN: {
    message: 'The server is stopping and takes no new runs.',
    remedy: 'Send the task again in a moment, or to another server.',
    kind: 'retryable',
  },
  EXPRESSION_FAILED: {
    message: 'An expression of {place} could not be evaluated: {reason}',
    remedy: 'Guard it with default(…) or a "when"; the expression is {source}',
    kind: 'terminal',
  },
  PARSE_FAILED: {
    message: 'Step "{step}" could not read its text as {format}: {reason}',
    remedy: 'Send a text in that format, or change "parse" of the step.',
    kind: 'terminal',
  },
  CHILD_FAILED: {
    message: 'Task "{task}", called by step "{step}", failed: {reason}',
    remedy: 'Look at run {run}.',
    kind: 'retryable',
  },
  RUN_INTERRUPTED: {
    message: 'The process that ran this task ended before the task did.',
    remedy: 'Run it again; use startTask for work that must survive a restart.',
    kind: 'retryable',
  },
  RUN_GIVEN_UP: {
    message: 'It was begun {times} times, and each time its process ended or was stopped before it did.',
    remedy: 'Find out whether it is what ends them (memory, a crash in the log); then run it again.',
    kind: 'terminal',
  },
  REVISION_UNKNOWN: {
    message: 'The run belongs to revision {revision}, which this ledger does not hold.',
    remedy: 'Send the task again: it will run on the revision that is active now.',
    kind: 'terminal',
  },
  LEDGER_UNAVAILABLE: {
    message: 'The ledger cannot be written: {reason}',
    remedy:
      'Free its disk, set its permissions right or start its database: /health/ready and the log say which. Nothing is sent to a provider that cannot be written down.',
    kind: 'retryable',
  },
  INTERNAL: {
    message: 'The run failed for a reason that Headgate did not expect: {reason}',
    remedy: 'Look for run {run} in the log, and report it.',
    kind: 'terminal',
  },
} as const satisfies { readonly [code: string]: CatalogueEntry };

export type ErrorCode = keyof typeof catalogue;

export interface ErrorText {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/** The text of an error, with its values in place. A reason is told as it came, often without a full stop; the remedy may be read right after it. A value that is missing leaves its `{name}` visible, so that a test finds it. */
export function errorText(code: ErrorCode, values: { readonly [name: string]: string | number }): ErrorText {
  const fill = (template: string): string =>
    template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  const entry: CatalogueEntry = catalogue[code];
  return { code, message: fill(entry.message).replace(/[^.!?]$/, '$&.'), remedy: fill(entry.remedy) };
}
