// Reads back the rates that an attempt was settled with.
import type { PlanPrice, PlanRates } from '../../language/plan/types.ts';

/** `free`, or a price as canonical JSON whose integers are `{"$bigint":"…"}`. Throws on anything else. */
export function parsePrice(text: string): PlanPrice {
  if (text === 'free') return { kind: 'free' };
  const price = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && '$bigint' in value)
      return BigInt(String(value.$bigint));
    return value;
  }) as PlanPrice;
  if (price.kind === 'rates' && price.tiers.every(isRates)) return price;
  throw new Error('not a price');
}

function isRates(rates: PlanRates): boolean {
  const { input, cachedInput, cacheWrite, output, reasoning, request } = rates;
  return [input, cachedInput, cacheWrite, output, reasoning, request].every(
    (rate) => typeof rate === 'bigint',
  );
}
