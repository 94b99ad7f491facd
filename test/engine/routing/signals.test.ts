// What attempts teach: peaks count at once, failures never look quick, and memory is bounded.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DenseHistogram } from '../../../src/common/histogram.ts';
import { hedgeCandidate, hedgeDelayMs } from '../../../src/engine/routing/hedge.ts';
import { type AttemptSample, createSignals } from '../../../src/engine/routing/signals.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { candidate } from './models.ts';

const sample = (changes: Partial<AttemptSample> = {}): AttemptSample => ({
  modelKey: 'openai/a',
  task: 'summarize',
  step: 'summary',
  health: 'success',
  totalMs: 1_000,
  firstTokenMs: null,
  outputTokens: 100,
  ...changes,
});

function learn(): {
  clock: ReturnType<typeof createSimulatedClock>;
  signals: ReturnType<typeof createSignals>;
} {
  const clock = createSimulatedClock();
  return { clock, signals: createSignals({ clock }) };
}

describe('latency', () => {
  it('is unknown until there is a sample', () => {
    const { signals } = learn();
    expect(signals.latency('openai/a')).toBeNull();
    expect(signals.outputTokens('summarize', 'summary', 'openai/a')).toBeNull();
    expect(signals.percentileMs('openai/a', 95, 'total')).toBeNull();
  });

  it('rises with a peak at once, and falls with time', async () => {
    const { clock, signals } = learn();
    signals.observe(sample());
    signals.observe(sample({ totalMs: 9_000 }));
    expect(signals.latency('openai/a')?.totalMs).toBe(9_000);
    signals.observe(sample());
    expect(signals.latency('openai/a')?.totalMs).toBe(9_000);
    await clock.advance(10_000);
    expect(signals.latency('openai/a')?.ageMs).toBe(10_000);
    signals.observe(sample());
    expect(signals.latency('openai/a')?.totalMs).toBeCloseTo(1_000 + 8_000 / Math.E);
  });

  it('takes a quick failure for a slow answer, the slower the more there are, until there is an answer', () => {
    const { signals } = learn();
    signals.observe(sample({ health: 'failure', totalMs: 3 }));
    expect(signals.latency('openai/a')?.totalMs).toBe(1_000);
    for (let failure = 0; failure < 20; failure += 1)
      signals.observe(sample({ health: 'failure', totalMs: 3 }));
    expect(signals.latency('openai/a')?.totalMs).toBe(20_000);
    signals.observe(sample({ totalMs: 700 }));
    expect(signals.latency('openai/a')).toMatchObject({ totalMs: 700, failing: false });
  });

  it('learns nothing from calls whose end was not the provider’s doing', () => {
    const { signals } = learn();
    signals.observe(sample({ health: 'ignore' }));
    expect(signals.latency('openai/a')).toBeNull();
    expect(signals.outputTokens('summarize', 'summary', 'openai/a')).toBeNull();
  });

  it('knows the first token apart', () => {
    const { signals } = learn();
    signals.observe(sample({ firstTokenMs: 200 }));
    signals.observe(sample());
    expect(signals.latency('openai/a')).toMatchObject({ totalMs: 1_000, firstTokenMs: 200, samples: 2 });
  });
});

describe('output length', () => {
  it('is the mean at first, and follows a change later', () => {
    const { signals } = learn();
    signals.observe(sample({ outputTokens: 100 }));
    signals.observe(sample({ outputTokens: 200 }));
    const length = () => signals.outputTokens('summarize', 'summary', 'openai/a');
    expect(length()).toBe(150);
    for (let answer = 0; answer < 100; answer += 1) signals.observe(sample({ outputTokens: 100 }));
    for (let answer = 0; answer < 30; answer += 1) signals.observe(sample({ outputTokens: 1_000 }));
    expect(length()).toBeGreaterThan(700);
  });

  it('is learnt by task, step and model, and not from failures or half answers', () => {
    const { signals } = learn();
    signals.observe(sample({ health: 'failure', outputTokens: 5 }));
    signals.observe(sample({ outputTokens: null }));
    expect(signals.outputTokens('summarize', 'summary', 'openai/a')).toBeNull();
    signals.observe(sample({ outputTokens: 7 }));
    expect(signals.outputTokens('summarize', 'other', 'openai/a')).toBeNull();
    expect(signals.outputTokens('summarize', 'summary', 'openai/b')).toBeNull();
  });

  it('of an item is learnt for its step, so that the next item is judged by the last', () => {
    const { signals } = learn();
    signals.observe(sample({ step: 'reviews[0]', outputTokens: 40 }));
    signals.observe(sample({ step: 'reviews[17]', outputTokens: 60 }));
    expect(signals.outputTokens('summarize', 'reviews', 'openai/a')).toBe(50);
    expect(signals.outputTokens('summarize', 'reviews[18]', 'openai/a')).toBe(50);
  });
});

describe('percentiles', () => {
  it('are within a bucket of the truth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500_000 }), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 100 }),
        (latencies, percentile) => {
          const histogram = new DenseHistogram();
          for (const latency of latencies) histogram.record(latency);
          const sorted = latencies.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? 0;
          const found = histogram.upperQuantileMs(percentile / 100);
          expect(found).toBeGreaterThanOrEqual(exact * 0.999);
          expect(found).toBeLessThanOrEqual(exact * 1.045);
        },
      ),
    );
  });

  it('follow the last thousand or so, not all that ever was', () => {
    const { signals } = learn();
    for (let call = 0; call < 100_000; call += 1) signals.observe(sample({ totalMs: 10_000 }));
    for (let call = 0; call < 4_000; call += 1) signals.observe(sample({ totalMs: 100 }));
    expect(signals.percentileMs('openai/a', 90, 'total')).toBeLessThan(110);
  });
});

describe('INV-14: memory', () => {
  it('is bounded, whatever names come', () => {
    const { signals } = learn();
    for (let index = 0; index < 5_000; index += 1) signals.observe(sample({ modelKey: `openai/${index}` }));
    expect(signals.latency('openai/0')).toBeNull();
    expect(signals.latency('openai/4999')).not.toBeNull();
  });
});

describe('hedging', () => {
  const hedge = { after: { kind: 'percentile', percentile: 95 }, atMost: 1 } as const;

  it("waits for the candidate's own percentile, and does not guess before it is known", () => {
    const { signals } = learn();
    expect(hedgeDelayMs(hedge, signals, 'openai/a', false)).toBeNull();
    for (let call = 0; call < 100; call += 1)
      signals.observe(sample({ totalMs: 10 * (call + 1), firstTokenMs: call + 1 }));
    expect(hedgeDelayMs(hedge, signals, 'openai/a', false)).toBeGreaterThanOrEqual(950);
    expect(hedgeDelayMs(hedge, signals, 'openai/a', false)).toBeLessThan(1_030);
    expect(hedgeDelayMs(hedge, signals, 'openai/a', true)).toBeLessThan(103);
    expect(hedgeDelayMs(hedge, signals, 'openai/b', false)).toBeNull();
  });

  it('waits for a fixed time where one is given, and never where none is asked for', () => {
    const { signals } = learn();
    const fixed = { after: { kind: 'delay', ms: 750 }, atMost: 1 } as const;
    expect(hedgeDelayMs(fixed, signals, 'openai/a', false)).toBe(750);
    expect(hedgeDelayMs({ ...fixed, atMost: 0 }, signals, 'openai/a', false)).toBeNull();
    expect(hedgeDelayMs(null, signals, 'openai/a', false)).toBeNull();
  });

  it('starts the next best that has not been called', () => {
    const ranked = ['a/1', 'b/1', 'c/1'].map((key, index) => ({ candidate: candidate(key), score: index }));
    expect(hedgeCandidate(ranked, new Set(['a/1', 'b/1']))?.candidate.model.key).toBe('c/1');
    expect(hedgeCandidate(ranked, new Set(['a/1', 'b/1', 'c/1']))).toBeUndefined();
  });
});
