// Alerts as they are written down: what budgets, guards, breakers and switches tell, in words for people.
import type { BudgetAlert, BudgetView } from '../budget/port.ts';
import type { GuardAlert, SpendScope, SpendSwitch } from '../budget/guards/port.ts';
import type { Clock } from '../../common/clock.ts';
import { newId } from '../../common/ids.ts';
import { formatUsd } from '../../common/money.ts';
import type { Random } from '../../common/random.ts';
import type { CircuitState } from '../resilience/port.ts';
import type { AlertRecord } from './recorder.ts';
import type { RunRecord } from './records.ts';

type AlertText = Omit<AlertRecord, 'id' | 'atMs' | 'runId'> & { readonly runId?: string | null };

/** Completes an alert with its id and time. */
export function alertRecord(text: AlertText, clock: Clock, random: Random): AlertRecord {
  return { runId: null, ...text, id: newId('alr', clock, random), atMs: clock.nowMs() };
}

/** A durable run that failed, and that nobody waits for. `more`: others of its task that failed of the same and were not told of one by one. */
export function deadLetterAlert({ id, task, caller, error }: RunRecord, more: number): AlertText {
  const others = more === 0 ? '' : `, and ${more} more of this task since the last alert`;
  return {
    kind: 'dead_letter',
    severity: error?.code === 'RUN_GIVEN_UP' ? 'critical' : 'warning',
    scope: `task:${task}`,
    runId: id,
    details: { code: error?.code ?? '', caller: caller.name, more },
    message: `The started run ${id} of "${task}" failed${others}: ${error?.message ?? 'unknown'}`,
    remedy:
      `${error?.remedy ?? ''} Then run it again (runAgain): steps that are done are not paid for again.`.trim(),
  };
}

function amountText(unit: BudgetView['budget']['limit']['unit'], amount: bigint): string {
  return unit === 'usd' ? `$${formatUsd(amount)}` : `${amount} ${unit}`;
}

export function budgetAlert({ kind, view, share }: BudgetAlert): AlertText {
  const { budget, account, limit, spent, held } = view;
  const { unit } = budget.limit;
  const name = account === '' ? `"${budget.name}"` : `"${budget.name}" of ${account}`;
  const state = `${amountText(unit, spent)} spent and ${amountText(unit, held)} held of ${amountText(unit, limit)}`;
  const details = {
    budget: budget.id,
    account,
    limit: String(limit),
    spent: String(spent),
    held: String(held),
    // Another window is another matter, and so is another share.
    share,
    windowStartedAtMs: view.windowStartedAtMs,
  };
  const scope = `budget:${budget.id}`;
  switch (kind) {
    case 'budget_warn':
      return {
        kind,
        severity: 'warning',
        scope,
        details,
        message: `The budget ${name} has passed ${Math.round(share * 100)} %: ${state}.`,
        remedy: 'See costStats for what spends it; lower the demand or raise the limit in a reviewed change.',
      };
    case 'budget_exhausted':
      return {
        kind,
        severity: 'critical',
        scope,
        details,
        message: `The budget ${name} has no room for a call: ${state}.`,
        remedy: 'Wait until it resets, or raise its limit in a reviewed change.',
      };
    case 'budget_overrun':
      return {
        kind,
        severity: 'critical',
        scope,
        details,
        message: `A provider billed beyond the worst case that was held, so the budget ${name} is over: ${state}.`,
        remedy:
          "Compare the attempt's usage with the provider's bill; its price or its limits in the workflow may be wrong.",
      };
  }
}

/** It is not spent yet, and will be before it resets, if the hours to come are like those that were. */
export function forecastAlert({
  view,
  expected,
  exhaustedAtMs,
  earliestMs,
}: {
  readonly view: BudgetView;
  readonly expected: bigint;
  readonly exhaustedAtMs: number;
  readonly earliestMs: number | null;
}): AlertText {
  const { budget, account, limit, spent, resetsAtMs, windowStartedAtMs } = view;
  const { unit } = budget.limit;
  const name = account === '' ? `"${budget.name}"` : `"${budget.name}" of ${account}`;
  const at = new Date(exhaustedAtMs).toISOString();
  const earliest = earliestMs === null ? null : new Date(earliestMs).toISOString();
  return {
    kind: 'budget_forecast',
    severity: 'warning',
    scope: `budget:${budget.id}`,
    details: {
      budget: budget.id,
      account,
      limit: String(limit),
      spent: String(spent),
      expected: String(expected),
      exhaustedAt: at,
      earliest,
      windowStartedAtMs,
    },
    message: `The budget ${name} is expected to be spent at ${at}${earliest === null ? '' : `, at the earliest at ${earliest}`}, before it resets${resetsAtMs === null ? '' : ` at ${new Date(resetsAtMs).toISOString()}`}: ${amountText(unit, spent)} of ${amountText(unit, limit)} is spent, and ${amountText(unit, expected)} would be by then.`,
    remedy:
      'See costChange or "headgate why-cost" for what has changed; lower the demand or raise the limit in a reviewed change.',
  };
}

export function guardAlert({ kind, scope, message, details }: GuardAlert): AlertText {
  return {
    kind,
    severity: 'critical',
    scope,
    message,
    details,
    remedy: `Find the caller that does it. Where it was paused, it stays so until somebody ends it: ${resumeBy(scope)}`,
  };
}

export function switchAlert(change: {
  readonly kind: 'paused' | 'resumed';
  readonly switch: SpendSwitch;
  readonly by: string;
}): AlertText {
  const { scope, reason } = change.switch;
  const paused = change.kind === 'paused';
  return {
    kind: change.kind,
    severity: paused ? 'critical' : 'info',
    scope,
    message: paused
      ? `Spending of ${scope} is paused by ${change.by}: ${reason}`
      : `Spending of ${scope} is resumed by ${change.by}.`,
    remedy: paused ? `Once the cause is gone, ${resumeBy(scope)}` : 'Nothing is to be done.',
    details: { by: change.by, reason },
  };
}

/** Scopes are `all`, or a kind and a name that people chose. */
function resumeBy(scope: SpendScope): string {
  const colon = scope.indexOf(':');
  const name = scope.slice(colon + 1);
  const flag =
    colon === -1
      ? '--all'
      : `--${scope.slice(0, colon)} ${/^[\w./-]+$/.test(name) ? name : JSON.stringify(name)}`;
  return `press "Resume" beside it on the page, or run headgate resume ${flag}.`;
}

export function circuitAlert(modelKey: string, state: CircuitState): AlertText {
  const open = state === 'open';
  return {
    kind: 'circuit',
    severity: open ? 'warning' : 'info',
    scope: `model:${modelKey}`,
    message: open
      ? `The circuit of ${modelKey} is open: too many of its calls failed.`
      : `The circuit of ${modelKey} is ${state}.`,
    remedy: open ? 'Others are called meanwhile; it is tried again by itself.' : 'Nothing is to be done.',
    details: { model: modelKey, state },
  };
}
