// What every routing strategy promises, whichever it is; a new one is tested by being in the registry.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../src/common/random.ts';
import type { StrategyName } from '../../src/language/plan/types.ts';
import type { Candidate, LearntLatency, Signals, StrategyContext } from '../../src/engine/routing/port.ts';
import { strategies } from '../../src/engine/routing/strategies/registry.ts';
import { candidate, model } from '../engine/routing/models.ts';

const anyLatency: fc.Arbitrary<LearntLatency | null> = fc.option(
  fc.record({
    totalMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
    firstTokenMs: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: null }),
    p95Ms: fc.double({ min: 0, max: 1e7, noNaN: true }),
    samples: fc.nat(1_000),
    ageMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    failing: fc.boolean(),
  }),
  { nil: null },
);

interface Situation {
  readonly candidates: readonly Candidate[];
  readonly context: (random: () => number) => StrategyContext;
}

const anySituation: fc.Arbitrary<Situation> = fc
  .record({
    each: fc.array(
      fc.record({
        quality: fc.integer({ min: 1, max: 9 }),
        weight: fc.double({ min: 0, max: 1e6, noNaN: true }),
        cost: fc.bigInt({ min: 0n, max: 10n ** 15n }),
        inFlight: fc.nat(500),
        latency: anyLatency,
      }),
      { maxLength: 8 },
    ),
    stickyKey: fc.string(),
    streaming: fc.boolean(),
    nowMs: fc.nat(),
  })
  .map(({ each, stickyKey, streaming, nowMs }) => {
    const candidates = each.map(({ quality, weight, cost, inFlight }, index) =>
      Object.freeze(
        candidate(`p${index}/m`, {
          model: model(`p${index}/m`, { quality }),
          weight,
          expectedCostNanoUsd: cost,
          holdNanoUsd: cost * 2n,
          inFlight,
        }),
      ),
    );
    const signals: Signals = {
      latency: (key) => each[Number(/\d+/.exec(key)?.[0])]?.latency ?? null,
      outputTokens: () => null,
      percentileMs: () => null,
    };
    return {
      candidates: Object.freeze(candidates),
      context: (random) => ({ signals, random, nowMs, stickyKey, streaming }),
    };
  });

describe.each(Object.keys(strategies) as StrategyName[])('the strategy %s', (pick) => {
  const strategy = strategies[pick];

  it('goes by the name that it is registered under', () => {
    expect(strategy.pick).toBe(pick);
  });

  it('gives every candidate back, each once, and changes none', () => {
    fc.assert(
      fc.property(anySituation, fc.integer(), ({ candidates, context }, seed) => {
        const ordered = strategy
          .order(candidates, context(seededRandom(seed)))
          .map(({ candidate }) => candidate);
        expect(ordered).toHaveLength(candidates.length);
        expect(new Set(ordered)).toEqual(new Set(candidates));
      }),
    );
  });

  it('scores in numbers that JSON can carry', () => {
    fc.assert(
      fc.property(anySituation, fc.integer(), ({ candidates, context }, seed) => {
        const scores = strategy.order(candidates, context(seededRandom(seed))).map(({ score }) => score);
        expect(scores.filter((score) => !Number.isFinite(score))).toEqual([]);
      }),
    );
  });

  it('gives the same order for the same situation and the same chance', () => {
    fc.assert(
      fc.property(anySituation, fc.integer(), ({ candidates, context }, seed) => {
        const once = strategy.order(candidates, context(seededRandom(seed)));
        expect(strategy.order(candidates, context(seededRandom(seed)))).toEqual(once);
      }),
    );
  });

  it('takes time and chance from its context alone', () => {
    const now = vi.spyOn(Date, 'now').mockImplementation(() => {
      throw new Error('a strategy asked for the time');
    });
    const random = vi.spyOn(Math, 'random').mockImplementation(() => {
      throw new Error('a strategy drew a number of its own');
    });
    try {
      const four = ['a/1', 'b/1', 'c/1', 'd/1'].map((key) => candidate(key));
      const signals: Signals = { latency: () => null, outputTokens: () => null, percentileMs: () => null };
      const context = { signals, random: seededRandom(1), nowMs: 0, stickyKey: '', streaming: false };
      expect(strategy.order(four, context)).toHaveLength(4);
    } finally {
      now.mockRestore();
      random.mockRestore();
    }
  });

  it('answers where there is nothing to choose: no candidate, or one', () => {
    const signals: Signals = { latency: () => null, outputTokens: () => null, percentileMs: () => null };
    const context = { signals, random: seededRandom(1), nowMs: 0, stickyKey: '', streaming: false };
    expect(strategy.order([], context)).toEqual([]);
    expect(strategy.order([candidate('a/1')], context)).toHaveLength(1);
  });

  it('sends a candidate that has just failed no more than its share of first choices', () => {
    const rounds = 2_000;
    const failing: LearntLatency = {
      totalMs: 20_000,
      firstTokenMs: null,
      p95Ms: 0,
      samples: 9,
      ageMs: 100,
      failing: true,
    };
    const well: LearntLatency = { totalMs: 500, firstTokenMs: null, p95Ms: 900, samples: 9, ageMs: 100 };
    // The failing one stands last and costs a little more, so that for `first` and `cheapest` too its share is a fallback's.
    const four = ['a/1', 'b/1', 'c/1', 'd/1'].map((key) =>
      candidate(key, { expectedCostNanoUsd: key === 'd/1' ? 1_001n : 1_000n }),
    );
    const signals: Signals = {
      latency: (key) => (key === 'd/1' ? failing : well),
      outputTokens: () => null,
      percentileMs: () => null,
    };
    const random = seededRandom(11);
    let firsts = 0;
    for (let round = 0; round < rounds; round += 1) {
      const [best] = strategy.order(four, {
        signals,
        random,
        nowMs: 0,
        stickyKey: `caller-${round}`,
        streaming: false,
      });
      if (best?.candidate.model.key === 'd/1') firsts += 1;
    }
    expect(firsts / rounds).toBeLessThan(0.28);
  });
});
