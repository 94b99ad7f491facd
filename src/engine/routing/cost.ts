// What a call costs, and the most that it can cost: integer arithmetic on nano-dollars, from resolved prices and token counts (INV-1).
import { divideUp, type NanoUsd } from '../../common/money.ts';
import type { PlanPrice, PlanRates } from '../../language/plan/types.ts';
import type { Usage } from '../providers/port.ts';

/** Anthropic's price of writing to the cache for an hour, as a multiple of its input's. */
const HOUR_WRITE = 2n;
/** Rates are per million tokens. */
const PER_TOKENS = 1_000_000n;

/**
 * The cost of a call with this usage: uncached input, cached reads, cache writes, output and reasoning at the rates of the tier that its whole input
 * falls in, summed exactly and rounded up once, and the fee per request.
 *
 * Reported parts that contradict their whole are bounded by it: cached reads and writes together are at most the input, reasoning at most the
 * output. Numbers that are no token counts (negative, fractions, NaN) are read as the next whole number up, or 0.
 */
export function costOf(price: PlanPrice, usage: Usage): NanoUsd {
  if (price.kind === 'free') return 0n;
  const input = tokens(usage.inputTokens);
  const rates = tierOf(price.tiers, usage.inputTokens);
  if (rates === undefined) return 0n;
  const cacheWrite = smaller(tokens(usage.cacheWriteTokens), input);
  const hourWrite = smaller(tokens(usage.cacheWriteHourTokens ?? 0), cacheWrite);
  const cached = smaller(tokens(usage.cachedInputTokens), input - cacheWrite);
  const output = tokens(usage.outputTokens);
  const reasoning = smaller(tokens(usage.reasoningTokens), output);
  // Most calls have two of the six: what is nothing is not multiplied.
  let sum = (input - cached - cacheWrite) * rates.input + (output - reasoning) * rates.output;
  if (cached > 0n) sum += cached * rates.cachedInput;
  if (cacheWrite > 0n)
    sum +=
      (cacheWrite - hourWrite) * rates.cacheWrite +
      hourWrite * larger(HOUR_WRITE * rates.input, rates.cacheWrite);
  if (reasoning > 0n) sum += reasoning * rates.reasoning;
  return divideUp(sum, PER_TOKENS) + rates.request;
}

/**
 * The most that a call can cost whose input has at most `inputTokens` and whose output at most `maxOutputTokens`: what is held (INV-2).
 *
 * Not simply the cost at the bounds: each token may be billed at the dearest of its rates (a cache write is dearer than plain input), and fewer
 * input tokens may fall in a tier that is dearer. So every tier within reach is taken at its own largest input, and the dearest of them counts.
 */
export function worstCost(price: PlanPrice, inputTokens: number, maxOutputTokens: number): NanoUsd {
  if (price.kind === 'free') return 0n;
  const bound = tokens(inputTokens);
  const output = tokens(maxOutputTokens);
  let worst = 0n;
  for (const [index, rates] of price.tiers.entries()) {
    // The first tier takes what is below it too, as in `tierOf`.
    if (index > 0 && whole(rates.fromInputTokens) > whole(inputTokens)) continue;
    const next = price.tiers[index + 1];
    const input = next === undefined ? bound : smaller(bound, larger(tokens(next.fromInputTokens) - 1n, 0n));
    const sum =
      input * larger(rates.input, larger(rates.cachedInput, rates.cacheWrite)) +
      output * larger(rates.output, rates.reasoning);
    worst = larger(worst, divideUp(sum, PER_TOKENS) + rates.request);
  }
  return worst;
}

/** What a call will cost if it is answered in `outputTokens` and nothing is cached: what candidates are compared by. */
export function expectedCost(price: PlanPrice, inputTokens: number, outputTokens: number): NanoUsd {
  const rates = price.kind === 'free' ? undefined : tierOf(price.tiers, inputTokens);
  if (rates === undefined) return 0n;
  const sum = tokens(inputTokens) * rates.input + tokens(outputTokens) * rates.output;
  return divideUp(sum, PER_TOKENS) + rates.request;
}

/** The last tier that begins at or below the input; tiers ascend. */
export function tierOf(tiers: readonly PlanRates[], inputTokens: number): PlanRates | undefined {
  const input = whole(inputTokens);
  let found = tiers[0];
  for (const tier of tiers) if (whole(tier.fromInputTokens) <= input) found = tier;
  return found;
}

function tokens(count: number): bigint {
  return BigInt(whole(count));
}

function whole(count: number): number {
  return Number.isFinite(count) && count > 0 ? Math.ceil(count) : 0;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
