// Rate limits of providers and of single models.
import { formatCount, formatDuration } from '../../common/units.ts';
import type { PlanRate, PlanRateLimits } from '../../language/plan/types.ts';
import { modelsOfBoth } from './both.ts';
import { compareBounds, type Direction } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const rateLimits: Concern = (comparison) => {
  const { before, after } = comparison;
  return [
    ...Object.values(before.providers).flatMap((provider) => {
      const other = after.providers[provider.name];
      return other === undefined
        ? []
        : compare(`provider ${provider.name}`, provider.limits, other.limits, ['providers', provider.name]);
    }),
    ...modelsOfBoth(comparison).flatMap(([from, to]) =>
      compare(`model ${to.key}`, from.limits, to.limits, ['models', to.key]),
    ),
  ];
};

function compare(
  subject: string,
  from: PlanRateLimits,
  to: PlanRateLimits,
  path: readonly string[],
): readonly Change[] {
  return (['requests', 'tokens'] as const).flatMap((unit): readonly Change[] => {
    const text = rateText(from[unit], unit);
    const other = rateText(to[unit], unit);
    if (text === other) return [];
    return [
      {
        subject,
        message: `the rate limit goes from ${text} to ${other}`,
        effects: [compareRates(from[unit], to[unit]) === 'less' ? 'limit-lowered' : 'limit-raised'],
        covers: [pointer(...path, 'limits', unit)],
      },
    ];
  });
}

function rateText(rate: PlanRate | null, unit: string): string {
  return rate === null
    ? `no limit of ${unit}`
    : `${formatCount(rate.amount)} ${unit} in ${formatDuration(rate.perMs)}`;
}

/** By the rate; at the same rate, by how much may come at once. */
function compareRates(from: PlanRate | null, to: PlanRate | null): Direction {
  if (from === null || to === null) return compareBounds(from === null ? null : 0, to === null ? null : 0);
  const direction = compareBounds(from.amount * to.perMs, to.amount * from.perMs);
  return direction === 'same' ? compareBounds(from.amount, to.amount) : direction;
}
