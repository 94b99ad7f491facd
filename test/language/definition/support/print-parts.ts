// The parts that project and tasks share when a Definition is written out.
import type { Json } from '../../../../src/common/json.ts';
import { formatDuration } from '../../../../src/common/units.ts';
import { printLimit } from '../../../../src/language/definition/rules/limits.ts';
import type {
  BudgetWindow,
  LoopGuardDefinition,
  RetainDefinition,
  RouteDefinition,
  RuleDefinition,
  TaskBudgetDefinition,
} from '../../../../src/language/definition/types.ts';

/** Without the keys that say nothing; null when none is left. */
export function compact(members: { readonly [key: string]: Json }): Json {
  const said = Object.entries(members).filter(([, value]) => value !== null);
  return said.length === 0 ? null : Object.fromEntries(said);
}

export function printShare(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}

export function printBudget({ limit, per, each, when, warnAt, then }: TaskBudgetDefinition): {
  readonly [key: string]: Json;
} {
  return {
    limit: printLimit(limit),
    ...printWindow(per),
    ...(each ? { each: each.kind === 'tag' ? `tags.${each.tag}` : each.kind } : {}),
    ...(when ? { when: when.source } : {}),
    ...(warnAt.length > 0 ? { warnAt: warnAt.map(printShare) } : {}),
    then,
  };
}

function printWindow(window: BudgetWindow): { readonly [key: string]: Json } {
  switch (window.kind) {
    case 'run':
      return { per: 'run' };
    case 'rolling':
      return { per: formatDuration(window.ms) };
    case 'calendar':
      return { per: window.unit, ...(window.timeZone === 'UTC' ? {} : { timeZone: window.timeZone }) };
  }
}

/** One guard without brackets, as it is mostly written. */
export function printLoopGuards(guards: readonly LoopGuardDefinition[]): Json {
  const [only] = guards;
  return guards.length === 1 && only !== undefined ? printLoopGuard(only) : guards.map(printLoopGuard);
}

function printLoopGuard({
  same,
  ignore,
  repeats,
  withinMs,
  then,
  each,
  depth,
  fanOut,
}: LoopGuardDefinition): Json {
  return compact({
    same,
    ignore: ignore.length === 0 ? null : ignore,
    repeats,
    within: withinMs === null ? null : formatDuration(withinMs),
    then,
    each,
    depth,
    fanOut,
  });
}

export function printRetain({ content, forMs }: RetainDefinition): Json {
  return compact({ content, for: forMs === null ? null : formatDuration(forMs) }) ?? {};
}

export function printRoute({ pin, rules }: RouteDefinition): Json {
  const [only] = rules;
  if (!pin) return rules.map(printRule);
  return compact({ pin, ...(only ? printRuleMembers(only) : {}) });
}

function printRule(rule: RuleDefinition): Json {
  return compact(printRuleMembers(rule));
}

function printRuleMembers({ when, pick, from, hedge }: RuleDefinition): { readonly [key: string]: Json } {
  const weighted = from.some(({ weight }) => weight !== 1);
  return {
    when: when && when.source,
    pick,
    from: weighted
      ? Object.fromEntries(from.map(({ model, weight }) => [model, weight]))
      : from.map(({ model }) => model),
    hedge:
      hedge &&
      compact({
        after:
          hedge.after.kind === 'percentile' ? `p${hedge.after.percentile}` : formatDuration(hedge.after.ms),
        atMost: hedge.atMost,
      }),
  };
}
