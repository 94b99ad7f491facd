// Live statistics with a clock that only moves when told: state first, one state an interval, only after a change.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/common/clock.ts';
import { LiveStats } from '../../../../src/server/graphql/live/live-stats.ts';
import type { StatsQuery } from '../../../../src/server/graphql/live/live-stats.ts';
import type { CostBucket, CostStats, StatsReader } from '../../../../src/ledger/stats/port.ts';

const EMPTY_BUCKET: CostBucket = {
  costNanoUsd: 0n,
  savedNanoUsd: 0n,
  runs: 0,
  attempts: 0,
  errors: 0,
  inputTokens: 0n,
  cachedInputTokens: 0n,
  outputTokens: 0n,
  cacheWriteTokens: 0n,
  reasoningTokens: 0n,
  estimatedNanoUsd: 0n,
  cachedRuns: 0,
  latencyP50Ms: null,
  latencyP95Ms: null,
  latencyP99Ms: null,
  firstTokenP50Ms: null,
  perMinute: [],
};

class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((one, other) => one.atMs - other.atMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets what was promised happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

class Counter implements StatsReader {
  #version = 0;
  computed = 0;
  readonly #listeners = new Set<() => void>();

  version(): number {
    return this.#version;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  commit(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  costStats(query: Parameters<StatsReader['costStats']>[0]): Promise<CostStats> {
    this.computed += 1;
    return Promise.resolve({
      atMs: 0,
      window: query.window,
      total: { ...EMPTY_BUCKET, runs: this.#version },
      groups: [],
    });
  }
}

const QUERY: StatsQuery = { window: 'DAY', by: [], filter: {} };

/** Reads as fast as it can; keeps what it was shown. */
function read(stream: AsyncGenerator<CostStats>): {
  readonly shown: number[];
  readonly stop: () => Promise<unknown>;
} {
  const shown: number[] = [];
  void (async () => {
    for await (const { total } of stream) shown.push(total.runs);
  })();
  return { shown, stop: () => stream.return(undefined) };
}

describe('live statistics', () => {
  it('show the state now, then one state an interval, and nothing while nothing is written', async () => {
    const [clock, stats] = [new ManualClock(), new Counter()];
    const live = new LiveStats(stats, clock);
    const { shown, stop } = read(live.watch(QUERY, 1000));
    await settle();
    expect(shown).toEqual([0]);
    await clock.advance(10_000);
    expect([shown, stats.computed]).toEqual([[0], 1]);
    for (let index = 0; index < 5; index += 1) stats.commit();
    await clock.advance(0);
    expect(shown).toEqual([0, 5]);
    stats.commit();
    await clock.advance(999);
    expect(shown).toEqual([0, 5]);
    await clock.advance(1);
    expect(shown).toEqual([0, 5, 6]);
    await stop();
    expect([clock.pending, stats.listeners, live.watching]).toEqual([0, 0, 0]);
  });

  it('are computed once for all who watch the same, and apart for who watches another', async () => {
    const [clock, stats] = [new ManualClock(), new Counter()];
    const live = new LiveStats(stats, clock);
    const same = Array.from({ length: 50 }, () => read(live.watch(QUERY, 1000)));
    const other = read(live.watch({ ...QUERY, filter: { caller: 'ana', minCostNanoUsd: 5n } }, 1000));
    await settle();
    expect([live.watching, stats.computed]).toEqual([2, 2]);
    stats.commit();
    await clock.advance(1000);
    expect(stats.computed).toBe(4);
    for (const { shown } of [...same, other]) expect(shown).toEqual([0, 1]);
    for (const { stop } of [...same, other]) await stop();
    expect([clock.pending, stats.listeners, live.watching]).toEqual([0, 0, 0]);
  });

  it('let a slow reader skip states, and show it the last one', async () => {
    const [clock, stats] = [new ManualClock(), new Counter()];
    const stream = new LiveStats(stats, clock).watch(QUERY, 100);
    for (let index = 0; index < 1000; index += 1) {
      stats.commit();
      await clock.advance(100);
    }
    expect((await stream.next()).value?.total.runs).toBe(1000);
    await stream.return(undefined);
  });

  it('end at once when the reader leaves, even while it waits', async () => {
    const stream = new LiveStats(new Counter(), new ManualClock()).watch(QUERY, 100);
    await stream.next();
    const waiting = stream.next();
    await stream.return(undefined);
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('tell the reader when they cannot be computed, and start anew for the next', async () => {
    const [clock, stats] = [new ManualClock(), new Counter()];
    const live = new LiveStats(
      { ...adapt(stats), costStats: () => Promise.reject(new Error('gone')) },
      clock,
    );
    await expect(live.watch(QUERY, 100).next()).rejects.toThrow('gone');
    expect(live.watching).toBe(0);
  });

  it('never show an older state after a newer one, and show the last one to everyone', async () => {
    const step = fc.oneof(
      fc.constant('commit' as const),
      fc.constant('join' as const),
      fc.constant('leave' as const),
      fc.nat({ max: 400 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const [clock, stats] = [new ManualClock(), new Counter()];
        const live = new LiveStats(stats, clock);
        const readers: ReturnType<typeof read>[] = [];
        for (const one of steps) {
          if (one === 'commit') stats.commit();
          else if (one === 'join') readers.push(read(live.watch(QUERY, 100)));
          else if (one === 'leave') await readers.shift()?.stop();
          else await clock.advance(one);
        }
        await clock.advance(1000);
        for (const { shown } of readers) {
          expect(shown).toEqual(shown.toSorted((one, other) => one - other));
          expect(shown.at(-1)).toBe(stats.version());
        }
        for (const { stop } of readers) await stop();
        expect([clock.pending, stats.listeners, live.watching]).toEqual([0, 0, 0]);
      }),
      { numRuns: 200 },
    );
  });
});

function adapt(stats: Counter): StatsReader {
  return {
    version: () => stats.version(),
    onChange: (listener) => stats.onChange(listener),
    costStats: (query) => stats.costStats(query),
  };
}
