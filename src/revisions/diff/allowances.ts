// What one run, and one call of a step, may take: allowances and maxOutputTokens.
import { formatUsd } from '../../common/money.ts';
import { formatDuration } from '../../common/units.ts';
import { stepsOfBoth, tasksOfBoth } from './both.ts';
import { compareBounds } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const allowances: Concern = (comparison) =>
  tasksOfBoth(comparison).flatMap(([from, to]) => {
    const [before, after] = [from.allowance, to.allowance];
    const of = (member: string): readonly string[] => ['tasks', to.name, 'allowance', member];
    return [
      ...limit(
        `task ${to.name}`,
        'deadline',
        before.deadlineMs,
        after.deadlineMs,
        formatDuration,
        of('deadlineMs'),
      ),
      ...limit(
        `task ${to.name}`,
        'attempts of one run',
        before.attempts,
        after.attempts,
        String,
        of('attempts'),
      ),
      ...limit(
        `task ${to.name}`,
        'cost of one run',
        before.costNanoUsd,
        after.costNanoUsd,
        dollars,
        of('costNanoUsd'),
      ),
      ...stepsOfBoth(from, to).flatMap(([step, other]) =>
        (step.kind === 'model' || step.kind === 'exchange') &&
        (other.kind === 'model' || other.kind === 'exchange')
          ? limit(
              `task ${to.name}`,
              `maxOutputTokens of step ${step.key}`,
              step.maxOutputTokens,
              other.maxOutputTokens,
              String,
              ['tasks', to.name, 'steps', step.key, 'maxOutputTokens'],
            )
          : [],
      ),
    ];
  });

const dollars = (nanoUsd: bigint): string => `$${formatUsd(nanoUsd)}`;

/** One change where a bound differs; null: no bound. */
function limit<Value extends number | bigint>(
  subject: string,
  name: string,
  from: Value | null,
  to: Value | null,
  show: (value: Value) => string,
  path: readonly string[],
): readonly Change[] {
  const direction = compareBounds(from, to);
  if (direction === 'same') return [];
  const shown = (value: Value | null): string => (value === null ? 'no limit' : show(value));
  return [
    {
      subject,
      message: `the ${name} goes from ${shown(from)} to ${shown(to)}`,
      effects: [direction === 'more' ? 'limit-raised' : 'limit-lowered'],
      covers: [pointer(...path)],
    },
  ];
}
