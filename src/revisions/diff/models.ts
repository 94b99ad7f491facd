// Models: which ones are in use, what they cost, and what they are said to be able to do.
import { printPrice } from '../../language/plan/print.ts';
import type { PlanModel, PlanPrice, PlanRates } from '../../language/plan/types.ts';
import { missing, modelsOfBoth } from './both.ts';
import { compareBounds } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Comparison, Concern, Effect } from './types.ts';

export const models: Concern = (comparison) => {
  const { before, after } = comparison;
  return [
    ...missing(before.models, after.models).map((key) => whole(key, 'is no longer used')),
    ...missing(after.models, before.models).map((key) =>
      whole(key, `comes into use: ${priceText(after.models[key]?.price)}`),
    ),
    ...modelsOfBoth(comparison).flatMap(([from, to]) => compare(comparison, from, to)),
  ];
};

function whole(key: string, message: string): Change {
  return { subject: `model ${key}`, message, effects: [], covers: [pointer('models', key)] };
}

function priceText(price: PlanPrice | undefined): string {
  return price === undefined ? 'no price' : printPrice(price).join('; ');
}

function compare({ differs }: Comparison, from: PlanModel, to: PlanModel): readonly Change[] {
  const changes: Change[] = [];
  const tell = (member: keyof PlanModel, message: string, effects: readonly Effect[] = []): void => {
    if (differs('models', to.key, member))
      changes.push({
        subject: `model ${to.key}`,
        message,
        effects,
        covers: [pointer('models', to.key, member)],
      });
  };
  tell(
    'price',
    `costs ${priceText(to.price)} instead of ${priceText(from.price)}`,
    priceEffects(from.price, to.price),
  );
  tell('contextTokens', `has a context of ${to.contextTokens} tokens instead of ${from.contextTokens}`);
  tell(
    'maxOutputTokens',
    `gives at most ${to.maxOutputTokens ?? 'any number of'} tokens instead of ${from.maxOutputTokens ?? 'any number'}`,
  );
  tell('quality', `has quality ${to.quality} instead of ${from.quality}`, ['route-changed']);
  tell('capabilities', `can do ${to.capabilities.join(', ')} instead of ${from.capabilities.join(', ')}`, [
    'route-changed',
  ]);
  tell('model', `is called ${to.model} instead of ${from.model} on the wire`, ['route-changed']);
  tell('provider', `is asked of ${to.provider} instead of ${from.provider}`, ['route-changed']);
  return changes;
}

const RATES = ['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning', 'request'] as const;

/** Both where some rates go up and others down. */
function priceEffects(from: PlanPrice, to: PlanPrice): readonly Effect[] {
  const starts = new Set(
    [from, to].flatMap((price) => tiersOf(price).map(({ fromInputTokens }) => fromInputTokens)),
  );
  const effects = new Set<Effect>();
  for (const start of starts)
    for (const rate of RATES) {
      const direction = compareBounds(rateAt(from, start, rate), rateAt(to, start, rate));
      if (direction !== 'same') effects.add(direction === 'more' ? 'price-raised' : 'price-lowered');
    }
  return [...effects].sort();
}

function tiersOf(price: PlanPrice): readonly PlanRates[] {
  return price.kind === 'free' ? [] : price.tiers;
}

function rateAt(price: PlanPrice, inputTokens: number, rate: (typeof RATES)[number]): bigint {
  return tiersOf(price).findLast(({ fromInputTokens }) => fromInputTokens <= inputTokens)?.[rate] ?? 0n;
}
