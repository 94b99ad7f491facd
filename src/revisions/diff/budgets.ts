// Budgets: what may be spent, by whom, in what time, and what happens then.
import { amountOfLimit } from '../../common/limit.ts';
import { printBudget, printLimit, printWindow } from '../../language/plan/print.ts';
import type { PlanBudget, PlanWindow } from '../../language/plan/types.ts';
import { compareBounds, type Direction } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Comparison, Concern, Effect } from './types.ts';

export const budgets: Concern = (comparison) => {
  const { before, after } = comparison;
  const find = (list: readonly PlanBudget[], id: string): PlanBudget | undefined =>
    list.find((budget) => budget.id === id);
  return [
    ...before.budgets.flatMap((budget) => {
      const other = find(after.budgets, budget.id);
      return other === undefined
        ? [whole(budget, `is removed (${terms(budget)})`, 'limit-raised')]
        : compare(comparison, budget, other);
    }),
    ...after.budgets
      .filter(({ id }) => find(before.budgets, id) === undefined)
      .map((budget) => whole(budget, `is new (${terms(budget)})`, 'limit-lowered')),
  ];
};

const terms = (budget: PlanBudget): string => printBudget(budget).slice(budget.name.length + 2);

function whole(budget: PlanBudget, message: string, effect: Effect): Change {
  return {
    subject: `budget ${budget.name}`,
    message,
    effects: [effect],
    covers: [pointer('budgets', budget.id)],
  };
}

function compare({ differs }: Comparison, from: PlanBudget, to: PlanBudget): readonly Change[] {
  const changes: Change[] = [];
  const tell = (direction: Direction, message: string, ...members: readonly string[]): void => {
    changes.push({
      subject: `budget ${to.name}`,
      message,
      effects: direction === 'same' ? [] : [direction === 'more' ? 'limit-raised' : 'limit-lowered'],
      covers: members.map((member) => pointer('budgets', to.id, member)),
    });
  };
  if (differs('budgets', to.id, 'limit') || differs('budgets', to.id, 'per'))
    tell(
      compareRates(from, to),
      `goes from ${printLimit(from.limit)} a ${printWindow(from.per)} to ${printLimit(to.limit)} a ${printWindow(to.per)}`,
      'limit',
      'per',
    );
  // One account for each caller is more than one for all; other people than before may be more.
  if (differs('budgets', to.id, 'each'))
    tell(to.each === null ? 'less' : 'more', `is kept ${eachText(to)} instead of ${eachText(from)}`, 'each');
  if (differs('budgets', to.id, 'when'))
    tell(to.when === null ? 'less' : 'more', `applies ${whenText(to)} instead of ${whenText(from)}`, 'when');
  if (differs('budgets', to.id, 'scope'))
    tell(to.scope.kind === 'all' ? 'less' : 'more', `is now: ${terms(to)}`, 'scope');
  if (differs('budgets', to.id, 'then'))
    tell(
      to.then === 'warn' ? 'more' : from.then === 'warn' ? 'less' : 'same',
      `does "${to.then}" instead of "${from.then}" when it is used up`,
      'then',
    );
  if (from.name !== to.name) tell('same', `was called ${from.name}`, 'name');
  if (differs('budgets', to.id, 'warnAt'))
    tell('same', `warns at ${shares(to)} instead of ${shares(from)}`, 'warnAt');
  return changes;
}

const eachText = ({ each }: PlanBudget): string =>
  each === null ? 'as one' : `for each ${each.kind === 'tag' ? `tag ${each.tag}` : each.kind}`;
const whenText = ({ when }: PlanBudget): string => (when === null ? 'always' : `when ${when}`);
const shares = ({ warnAt }: PlanBudget): string =>
  warnAt.length === 0 ? 'nothing' : warnAt.map((share) => `${Math.round(share * 100)}%`).join(' ');

/** With the same window, by the limit; else by what a day of it comes to. What cannot be compared counts as more. */
function compareRates(from: PlanBudget, to: PlanBudget): Direction {
  if (from.limit.unit !== to.limit.unit) return 'more';
  const [before, after] = [amountOfLimit(from.limit), amountOfLimit(to.limit)];
  if (printWindow(from.per) === printWindow(to.per)) return compareBounds(before, after);
  const [fromMs, toMs] = [windowMs(from.per), windowMs(to.per)];
  if (fromMs === null || toMs === null) return 'more';
  return compareBounds(before * BigInt(toMs), after * BigInt(fromMs));
}

const DAY_MS = 86_400_000;
const CALENDAR_MS = { minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };

function windowMs(window: PlanWindow): number | null {
  if (window.kind === 'run') return null;
  return window.kind === 'rolling' ? window.ms : CALENDAR_MS[window.unit];
}
