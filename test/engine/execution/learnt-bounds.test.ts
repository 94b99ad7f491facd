// What is learnt of how models count, and that a cap stays a cap with providers that count otherwise than we do.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LearntBounds, readLearntBound } from '../../../src/engine/execution/learnt-bounds.ts';
import type { Asked, LearntBound } from '../../../src/engine/execution/learnt-bounds.ts';
import { model, rates } from '../../support/engine-plan.ts';

const MODEL = model('a/one', { price: rates(), contextTokens: 1_000_000 });
const asked = (inputTokens: number, maxOutputTokens = 100) => ({
  model: MODEL,
  inputTokens,
  maxOutputTokens,
});
const usage = (inputTokens: number, outputTokens = 100) => ({
  inputTokens,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens,
  reasoningTokens: 0,
});
/** Seen as it was counted, so that nothing is learnt of estimates. */
const observe = (
  bounds: LearntBounds,
  call: Asked,
  reported: ReturnType<typeof usage>,
  costNanoUsd = 0n,
): void => bounds.observe(call, reported, costNanoUsd, { inputTokens: call.inputTokens, outputTokens: null });

describe('the bound of a model', () => {
  test('INV-2: has the fees of the vendor’s own tools on top, as they are', () => {
    const bounds = new LearntBounds();
    const { costNanoUsd, margin } = bounds.worst(asked(1_000));
    const withFees = bounds.worst({ ...asked(1_000), feesNanoUsd: 50_000_000n });
    expect(withFees.costNanoUsd - costNanoUsd).toBe(50_000_000n);
    expect(withFees.margin).toEqual(margin);
  });

  test('has a margin while nothing is known, a smaller one early, and none when the model is known', () => {
    const bounds = new LearntBounds();
    const margins = Array.from({ length: 18 }, () => {
      const { margin } = bounds.worst(asked(1_000));
      observe(bounds, asked(1_000), usage(900));
      return margin.tokens;
    });
    expect(margins[0]).toBe(614);
    expect(margins[1]).toBe(126);
    expect(margins.at(-1)).toBe(0);
    expect(bounds.worst(asked(1_000))).toMatchObject({ inputTokens: 1_000, outputTokens: 100 });
  });

  test('covers the next call after one that was miscounted: two tokens more, or a third more, at any size', () => {
    const counting = fc.record({
      offset: fc.nat(200),
      percent: fc.integer({ min: 100, max: 150 }),
      sizes: fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 2, maxLength: 20 }),
    });
    fc.assert(
      fc.property(counting, ({ offset, percent, sizes }) => {
        const bounds = new LearntBounds();
        const reported = (size: number): number => Math.ceil((size * percent) / 100) + offset;
        // Once over the whole range, and then nothing surprises any more.
        for (const size of [...sizes, ...sizes]) observe(bounds, asked(size), usage(reported(size)));
        for (const size of sizes)
          expect(bounds.worst(asked(size)).inputTokens).toBeGreaterThanOrEqual(reported(size));
      }),
    );
  });

  test('goes from what was seen of one size to others, carefully', () => {
    const bounds = new LearntBounds();
    observe(bounds, asked(100), usage(130));
    expect(bounds.worst(asked(10_000)).inputTokens).toBeGreaterThanOrEqual(13_000);
    expect(bounds.worst(asked(10)).inputTokens).toBeGreaterThanOrEqual(40);
  });

  test('learns output beyond the maximum, and prices beyond the list', () => {
    const bounds = new LearntBounds();
    const before = bounds.worst(asked(100)).costNanoUsd;
    observe(bounds, asked(100), usage(100, 130));
    expect(bounds.worst(asked(100)).outputTokens).toBeGreaterThanOrEqual(130);
    observe(bounds, asked(100), usage(100, 100), before * 3n);
    expect(bounds.worst(asked(100)).costNanoUsd).toBeGreaterThan(before * 3n);
  });

  test('is never beyond what the model can take or give', () => {
    const small = {
      model: { ...MODEL, contextTokens: 500, maxOutputTokens: 120 },
      inputTokens: 400,
      maxOutputTokens: 100,
    };
    const bounds = new LearntBounds();
    observe(bounds, small, usage(500, 120));
    const { inputTokens, outputTokens, margin } = bounds.worst(small);
    expect([inputTokens, outputTokens]).toEqual([500, 120]);
    expect(margin.tokens).toBe(0);
  });

  test('is kept over a restart', () => {
    const kept = new Map<string, LearntBound>();
    const bounds = new LearntBounds(new Map(), (key, bound) => kept.set(key, bound));
    for (let calls = 0; calls < 20; calls += 1) observe(bounds, asked(100), usage(102));
    const read = readLearntBound(JSON.stringify(kept.get('a/one')));
    if (read === undefined) throw new Error('nothing was kept');
    const again = new LearntBounds(new Map([['a/one', read]]));
    expect(again.worst(asked(100))).toMatchObject({ inputTokens: 103, margin: { tokens: 0 } });
    for (const text of ['', 'null', '{}', '{"calls":-1,"input":{},"output":{},"cost":1}'])
      expect(readLearntBound(text)).toBeUndefined();
  });

  test('raises estimates by half while nothing is known, then by what was seen to be counted more, thinking that is not shown included', () => {
    const bounds = new LearntBounds();
    expect(bounds.estimate('a/one', { inputTokens: 100, outputTokens: 10 })).toEqual({
      inputTokens: 150,
      outputTokens: 15,
    });
    bounds.observe(asked(400), usage(130, 60), 0n, { inputTokens: 100, outputTokens: 10 });
    const seen = bounds.estimate('a/one', { inputTokens: 100, outputTokens: 10 });
    expect(seen.inputTokens).toBeGreaterThanOrEqual(130);
    expect(seen.outputTokens).toBeGreaterThanOrEqual(60);
    // Fifty tokens of thinking before ten of text are not five times a long text.
    const long = bounds.estimate('a/one', { inputTokens: 100, outputTokens: 1_000 });
    expect(long.outputTokens).toBeGreaterThanOrEqual(1_050);
    expect(long.outputTokens).toBeLessThan(2_500);
  });

  test('forgets what was not confirmed for long', () => {
    const bounds = new LearntBounds();
    observe(bounds, asked(100), usage(200));
    for (let calls = 0; calls < 600; calls += 1) observe(bounds, asked(100), usage(100));
    expect(bounds.worst(asked(100)).inputTokens).toBe(100);
  });

  test('tells calls under way of another worst case', () => {
    const bounds = new LearntBounds();
    const told: number[] = [];
    const end = bounds.under(asked(100), ({ inputTokens }) => told.push(inputTokens));
    observe(bounds, asked(100), usage(150));
    end();
    observe(bounds, asked(100), usage(300));
    expect(told).toEqual([157]);
  });
});
