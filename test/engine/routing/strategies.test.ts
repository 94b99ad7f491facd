// Each strategy's own order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import type { Candidate } from '../../../src/engine/routing/port.ts';
import { strategies } from '../../../src/engine/routing/strategies/registry.ts';
import { candidate, context, knownSignals, model } from './models.ts';

const order = (
  pick: keyof typeof strategies,
  candidates: readonly Candidate[],
  changes: Parameters<typeof context>[0] = {},
): string[] =>
  strategies[pick].order(candidates, context(changes)).map(({ candidate }) => candidate.model.key);

const share = (
  pick: keyof typeof strategies,
  candidates: readonly Candidate[],
  changes: (index: number) => Parameters<typeof context>[0],
): ((key: string) => number) => {
  const rounds = 5_000;
  const firsts = new Map<string, number>();
  for (let index = 0; index < rounds; index += 1) {
    const [best] = order(pick, candidates, changes(index));
    if (best !== undefined) firsts.set(best, (firsts.get(best) ?? 0) + 1);
  }
  return (key) => (firsts.get(key) ?? 0) / rounds;
};

describe('first', () => {
  it('keeps the order of the route', () => {
    expect(order('first', [candidate('a/1'), candidate('b/1'), candidate('c/1')])).toEqual([
      'a/1',
      'b/1',
      'c/1',
    ]);
  });
});

describe('cheapest', () => {
  it('orders by expected cost, exactly, where a float could not tell', () => {
    const dear = candidate('a/1', { expectedCostNanoUsd: 9_007_199_254_740_993n });
    const less = candidate('b/1', { expectedCostNanoUsd: 9_007_199_254_740_992n });
    expect(order('cheapest', [dear, less])).toEqual(['b/1', 'a/1']);
  });

  it('takes the better of two that cost the same, and then the quicker', () => {
    const plain = candidate('a/1');
    const better = candidate('b/1', { model: model('b/1', { quality: 3 }) });
    const quick = candidate('c/1');
    const signals = knownSignals({ 'a/1': 2_000, 'b/1': 5_000, 'c/1': 100 });
    expect(order('cheapest', [plain, better, quick], { signals })).toEqual(['b/1', 'c/1', 'a/1']);
  });
});

describe('fastest', () => {
  const five = ['a/1', 'b/1', 'c/1', 'd/1', 'e/1'].map((key) => candidate(key));
  const slowA = knownSignals({ 'a/1': 5_000, 'b/1': 500, 'c/1': 500, 'd/1': 500, 'e/1': 500 });

  it('never takes the slowest of its two choices', () => {
    const random = seededRandom(3);
    const part = share('fastest', five, () => ({ signals: slowA, random }));
    expect(part('a/1')).toBe(0);
    expect(part('e/1')).toBeGreaterThan(0.05);
  });

  it('spreads callers over those that are alike, instead of flooding the one that looks best', () => {
    const random = seededRandom(3);
    const signals = knownSignals({ 'a/1': 500, 'b/1': 501, 'c/1': 502, 'd/1': 503, 'e/1': 504 });
    const part = share('fastest', five, () => ({ signals, random }));
    expect(part('a/1')).toBeLessThan(0.5);
    expect(part('d/1')).toBeGreaterThan(0.05);
  });

  it('counts calls in flight: twice as quick with three in flight is not quicker', () => {
    const busy = candidate('a/1', { inFlight: 3 });
    const signals = knownSignals({ 'a/1': 500, 'b/1': 1_000 });
    expect(order('fastest', [busy, candidate('b/1')], { signals })).toEqual(['b/1', 'a/1']);
  });

  it('goes by the first token when the answer is streamed', () => {
    const signals = knownSignals({
      'a/1': { totalMs: 9_000, firstTokenMs: 200 },
      'b/1': { totalMs: 2_000, firstTokenMs: 1_500 },
    });
    const both = [candidate('a/1'), candidate('b/1')];
    expect(order('fastest', both, { signals, streaming: true })[0]).toBe('a/1');
    expect(order('fastest', both, { signals })[0]).toBe('b/1');
  });

  it('tries one that nothing is known about first, and not again while that call is out', () => {
    const signals = knownSignals({ 'a/1': 500, 'b/1': 600 });
    const fresh = candidate('c/1');
    expect(order('fastest', [candidate('a/1'), candidate('b/1'), fresh], { signals })[0]).toBe('c/1');
    const random = seededRandom(5);
    const trying = [candidate('a/1'), candidate('b/1'), { ...fresh, inFlight: 1 }];
    expect(share('fastest', trying, () => ({ signals, random }))('c/1')).toBe(0);
  });

  it('tries a slow one again once its slowness is old news', () => {
    const signals = (ageMs: number) => knownSignals({ 'a/1': 500, 'b/1': { totalMs: 5_000, ageMs } });
    const both = [candidate('a/1'), candidate('b/1')];
    expect(order('fastest', both, { signals: signals(20_000) })[0]).toBe('a/1');
    expect(order('fastest', both, { signals: signals(90_000) })[0]).toBe('b/1');
  });
});

describe('a candidate that fails', () => {
  const both = [candidate('a/1'), candidate('b/1')];
  const failing = (ageMs: number) =>
    knownSignals({ 'a/1': 500, 'b/1': { totalMs: 20_000, failing: true, ageMs } });

  it('is tried again within half a minute of its last failure, and not before long', () => {
    expect(order('fastest', both, { signals: failing(15_000) })[0]).toBe('a/1');
    expect(order('fastest', both, { signals: failing(25_000) })[0]).toBe('b/1');
  });
});

describe('balanced', () => {
  it('prefers the cheap one when both are as quick, and the quick one when both cost the same', () => {
    const dear = candidate('a/1', { expectedCostNanoUsd: 5_000n });
    const both = [dear, candidate('b/1')];
    expect(order('balanced', both, { signals: knownSignals({ 'a/1': 500, 'b/1': 500 }) })[0]).toBe('b/1');
    const alike = [candidate('a/1'), candidate('b/1')];
    expect(order('balanced', alike, { signals: knownSignals({ 'a/1': 100, 'b/1': 500 }) })[0]).toBe('a/1');
  });

  it('does not take a free candidate however slow it is', () => {
    const free = candidate('a/1', { expectedCostNanoUsd: 0n });
    const paid = candidate('b/1', { expectedCostNanoUsd: 10n });
    const dear = candidate('c/1', { expectedCostNanoUsd: 1_000n });
    const signals = knownSignals({ 'a/1': 60_000, 'b/1': 300, 'c/1': 300 });
    expect(order('balanced', [free, paid, dear], { signals })[0]).toBe('b/1');
  });

  it('accepts more cost and time for more quality', () => {
    const better = candidate('a/1', { expectedCostNanoUsd: 2_000n, model: model('a/1', { quality: 3 }) });
    const signals = knownSignals({ 'a/1': 700, 'b/1': 500 });
    expect(order('balanced', [candidate('b/1'), better], { signals })[0]).toBe('a/1');
  });

  it('has a finite score when everything is free and unknown', () => {
    const free = [
      candidate('a/1', { expectedCostNanoUsd: 0n }),
      candidate('b/1', { expectedCostNanoUsd: 0n }),
    ];
    const scored = strategies.balanced.order(free, context());
    expect(scored.every(({ score }) => Number.isFinite(score))).toBe(true);
  });
});

describe('weighted', () => {
  const canary = [candidate('a/1', { weight: 95 }), candidate('b/1', { weight: 5 })];

  it('gives each candidate its share of callers', () => {
    const part = share('weighted', canary, (index) => ({ stickyKey: `caller-${index}` }));
    expect(part('b/1')).toBeGreaterThan(0.035);
    expect(part('b/1')).toBeLessThan(0.065);
  });

  it('gives the same caller the same order every time', () => {
    fc.assert(
      fc.property(fc.string(), (stickyKey) => {
        expect(order('weighted', canary, { stickyKey })).toEqual(
          order('weighted', canary.toReversed(), { stickyKey }),
        );
      }),
    );
  });

  it('moves only the callers of a candidate that is taken away, to the others in proportion', () => {
    const three = [
      candidate('a/1', { weight: 50 }),
      candidate('b/1', { weight: 30 }),
      candidate('c/1', { weight: 20 }),
    ];
    const moved = new Map<string, number>();
    const strayed: string[] = [];
    for (let index = 0; index < 20_000; index += 1) {
      const stickyKey = `caller-${index}`;
      const [before] = order('weighted', three, { stickyKey });
      const [after = ''] = order('weighted', three.slice(1), { stickyKey });
      if (before === 'a/1') moved.set(after, (moved.get(after) ?? 0) + 1);
      else if (after !== before) strayed.push(stickyKey);
    }
    expect(strayed).toEqual([]);
    const all = (moved.get('b/1') ?? 0) + (moved.get('c/1') ?? 0);
    expect((moved.get('b/1') ?? 0) / all).toBeCloseTo(0.6, 1);
  });

  it('never puts a weight of 0 before another', () => {
    const off = [candidate('a/1', { weight: 0 }), candidate('b/1', { weight: 1 })];
    expect(share('weighted', off, (index) => ({ stickyKey: `${index}` }))('a/1')).toBe(0);
  });
});
