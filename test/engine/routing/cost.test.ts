// What calls cost, in integers; and that the worst case is the worst.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanPrice, PlanRates } from '../../../src/language/plan/types.ts';
import type { Usage } from '../../../src/engine/providers/port.ts';
import { costOf, expectedCost, worstCost } from '../../../src/engine/routing/cost.ts';
import { price, rates } from './models.ts';

const usage = (changes: Partial<Usage> = {}): Usage => ({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  ...changes,
});

const rate = fc.bigInt({ min: 0n, max: 1_000_000_000_000n });
const anyRates: fc.Arbitrary<PlanRates> = fc.record({
  fromInputTokens: fc.nat(300_000),
  input: rate,
  cachedInput: rate,
  cacheWrite: rate,
  output: rate,
  reasoning: rate,
  request: fc.bigInt({ min: 0n, max: 10_000_000n }),
});
const anyPrice: fc.Arbitrary<PlanPrice> = fc
  .uniqueArray(anyRates, { minLength: 1, maxLength: 4, selector: (tier) => tier.fromInputTokens })
  .map((tiers) => {
    const sorted = tiers.toSorted((a, b) => a.fromInputTokens - b.fromInputTokens);
    return {
      kind: 'rates',
      source: 'test',
      tiers: sorted.map((tier, index) => (index === 0 ? { ...tier, fromInputTokens: 0 } : tier)),
    };
  });
/** Usage as a provider may report it, parts that contradict the whole included. */
const anyUsage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: fc.nat(400_000),
  cachedInputTokens: fc.nat(400_000),
  cacheWriteTokens: fc.nat(400_000),
  outputTokens: fc.nat(100_000),
  reasoningTokens: fc.nat(100_000),
});

describe('costOf', () => {
  it('bills uncached input, cached reads, cache writes, output and reasoning at their own rates', () => {
    const tiers = [rates(1, 10, { reasoning: 20_000_000_000n, request: 7n })];
    const cost = costOf(
      { kind: 'rates', source: 'test', tiers },
      usage({
        inputTokens: 1_000,
        cachedInputTokens: 600,
        cacheWriteTokens: 100,
        outputTokens: 50,
        reasoningTokens: 20,
      }),
    );
    // 300 × $1 + 600 × $0.10 + 100 × $1.25 + 30 × $10 + 20 × $20 per million, and 7 nano-dollars.
    expect(cost).toBe(300_000n + 60_000n + 125_000n + 300_000n + 400_000n + 7n);
  });

  it('takes the tier of the whole input, cached tokens included', () => {
    const tiered: PlanPrice = {
      kind: 'rates',
      source: 'test',
      tiers: [rates(1, 10), rates(2, 20, { fromInputTokens: 200_000 })],
    };
    expect(costOf(tiered, usage({ inputTokens: 199_999 }))).toBe(199_999_000n);
    expect(costOf(tiered, usage({ inputTokens: 200_000 }))).toBe(400_000_000n);
    expect(costOf(tiered, usage({ inputTokens: 200_000, cachedInputTokens: 200_000 }))).toBe(40_000_000n);
  });

  it('INV-1: rounds up once, on the whole', () => {
    const odd: PlanPrice = {
      kind: 'rates',
      source: 'test',
      tiers: [rates(0, 0, { input: 1n, output: 1n })],
    };
    expect(costOf(odd, usage({ inputTokens: 1, outputTokens: 1 }))).toBe(1n);
    expect(costOf(odd, usage({ inputTokens: 1_000_000, outputTokens: 1 }))).toBe(2n);
  });

  it('is nothing for a free model, and for tokens that are none', () => {
    expect(costOf({ kind: 'free' }, usage({ inputTokens: 1_000_000 }))).toBe(0n);
    const nonsense = usage({ inputTokens: Number.NaN, outputTokens: -5, cachedInputTokens: 7 });
    expect(costOf(price(1, 1), nonsense)).toBe(0n);
  });

  it('INV-1: stays exact where a float would not', () => {
    const dear: PlanPrice = {
      kind: 'rates',
      source: 'test',
      tiers: [rates(0, 0, { input: 9_007_199_254_740_993n })],
    };
    expect(costOf(dear, usage({ inputTokens: 1_000_000 }))).toBe(9_007_199_254_740_993n);
  });

  it('never costs less when more was used, within a tier', () => {
    fc.assert(
      fc.property(anyRates, anyUsage, fc.nat(1_000), (tier, used, more) => {
        const one: PlanPrice = { kind: 'rates', source: 'test', tiers: [{ ...tier, fromInputTokens: 0 }] };
        const plain = { ...used, cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
        const base = costOf(one, plain);
        expect(costOf(one, { ...plain, inputTokens: plain.inputTokens + more })).toBeGreaterThanOrEqual(base);
        expect(costOf(one, { ...plain, outputTokens: plain.outputTokens + more })).toBeGreaterThanOrEqual(
          base,
        );
      }),
    );
  });
});

describe('worstCost', () => {
  it('INV-2: is never below the cost of any usage within the same bounds, whatever the tiers and rates', () => {
    fc.assert(
      fc.property(
        anyPrice,
        anyUsage,
        fc.nat(50_000),
        fc.nat(50_000),
        (anyOf, used, moreInput, moreOutput) => {
          const worst = worstCost(anyOf, used.inputTokens + moreInput, used.outputTokens + moreOutput);
          expect(worst).toBeGreaterThanOrEqual(costOf(anyOf, used));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('INV-2: is reached: some usage within the bounds costs that much', () => {
    fc.assert(
      fc.property(anyPrice, fc.nat(400_000), fc.nat(50_000), (anyOf, inputTokens, outputTokens) => {
        const worst = worstCost(anyOf, inputTokens, outputTokens);
        const tiers = anyOf.kind === 'rates' ? anyOf.tiers : [];
        const edges = [inputTokens, ...tiers.map((tier) => tier.fromInputTokens - 1)].filter(
          (edge) => edge >= 0 && edge <= inputTokens,
        );
        const costs = edges.flatMap((edge) =>
          [
            usage({ inputTokens: edge }),
            usage({ inputTokens: edge, cachedInputTokens: edge }),
            usage({ inputTokens: edge, cacheWriteTokens: edge }),
          ].flatMap((used) => [
            costOf(anyOf, { ...used, outputTokens }),
            costOf(anyOf, { ...used, outputTokens, reasoningTokens: outputTokens }),
          ]),
        );
        expect(costs).toContain(worst);
      }),
    );
  });

  it('holds a lower tier that is dearer', () => {
    const falling: PlanPrice = {
      kind: 'rates',
      source: 'test',
      tiers: [rates(10, 1, { cacheWrite: 0n }), rates(1, 1, { fromInputTokens: 1_000, cacheWrite: 0n })],
    };
    expect(worstCost(falling, 1_000, 0)).toBe(9_990_000n);
  });

  it('is nothing for a free model', () => {
    expect(worstCost({ kind: 'free' }, 1_000_000, 1_000_000)).toBe(0n);
  });
});

describe('expectedCost', () => {
  it('is the cost of plain input and that many output tokens, a learnt fraction of a token rounded up', () => {
    expect(expectedCost(price(1, 2), 1_000, 99.2)).toBe(1_000_000n + 200_000n);
  });
});
