// Seeded traffic through the real router, breakers and signals: what strategies do over minutes, in milliseconds.
import { describe, expect, it } from 'vitest';
import type { Random } from '../../../src/common/random.ts';
import type { PlanPolicy } from '../../../src/language/plan/types.ts';
import type { Strategy } from '../../../src/engine/routing/port.ts';
import { strategies } from '../../../src/engine/routing/strategies/registry.ts';
import { settings } from '../resilience/settings.ts';
import { sized } from '../../support/cases.ts';
import { answersIn, failsIn, percentile, simulateTraffic, type TrafficModel } from '../../support/traffic.ts';
import { model, price } from './models.ts';

const SEEDS = Array.from({ length: sized(1) }, (_, at) => at + 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const replicas = (count: number, policy: PlanPolicy = settings()): TrafficModel[] =>
  Array.from({ length: count }, (_, index) => ({
    model: model(`p${index}/m`, { policy }),
    behaviour: answersIn(400),
  }));

/** A breaker that never opens: what is left is the strategy's own doing. */
const noBreaker = settings({
  circuitBreaker: { kind: 'consecutive', failures: Number.MAX_SAFE_INTEGER, halfOpenAfterMs: 1 },
});

const shuffled: Strategy = {
  pick: 'fastest',
  order: (candidates, { random }) =>
    candidates.map((candidate) => ({ candidate, score: random() })).sort((a, b) => a.score - b.score),
};

describe('cheapest', () => {
  it.each(SEEDS)('never pays more than the cheapest that could serve (seed %i)', async (seed) => {
    const flaky = (chance: number) => (_atMs: number, random: Random) => ({
      afterMs: 300 * random(),
      ok: random() > chance,
    });
    const traffic = simulateTraffic({
      seed,
      pick: 'cheapest',
      models: [
        { model: model('a/long', { price: price(1, 2), contextTokens: 200_000 }), behaviour: flaky(0.3) },
        { model: model('b/small', { price: price(0.1, 0.4), contextTokens: 8_000 }), behaviour: flaky(0.5) },
        { model: model('c/even', { price: price(0.8, 0.8) }), behaviour: flaky(0.1) },
        { model: model('d/dear', { price: price(5, 25), contextTokens: 400_000 }), behaviour: flaky(0) },
      ],
      inputTokens: (random) => Math.floor(random() ** 3 * 150_000),
    });
    await traffic.run(20, 2 * MINUTE);
    expect(traffic.served.length).toBeGreaterThan(2_000);
    for (const { decided } of traffic.served) {
      const [chosen, ...others] = decided.ranked.map(({ candidate }) => candidate.expectedCostNanoUsd);
      expect(others.every((cost) => chosen !== undefined && chosen <= cost)).toBe(true);
    }
    // And the test would notice: several models were the cheapest, and some could not serve.
    expect(new Set(traffic.served.map(({ by }) => by)).size).toBeGreaterThan(2);
    expect(traffic.served.some(({ decided }) => decided.skipped.length > 0)).toBe(true);
  });
});

describe('fastest', () => {
  it.each(SEEDS)('beats a random choice on p99 with one slow replica among five (seed %i)', async (seed) => {
    const p99 = async (strategy?: Strategy): Promise<number> => {
      const models = replicas(5);
      for (const slow of models.slice(0, 1)) slow.behaviour = answersIn(4_000);
      const traffic = simulateTraffic({ seed, pick: 'fastest', models, ...(strategy && { strategy }) });
      await traffic.run(20, 3 * MINUTE);
      return percentile(
        traffic.served.map(({ arrivedMs, doneMs }) => doneMs - arrivedMs),
        99,
      );
    };
    expect(await p99()).toBeLessThan(0.7 * (await p99(shuffled)));
  });

  it.each(SEEDS)('gives equal replicas equal shares (seed %i)', async (seed) => {
    const traffic = simulateTraffic({ seed, pick: 'fastest', models: replicas(5) });
    await traffic.run(20, 2 * MINUTE);
    for (let index = 0; index < 5; index += 1) {
      expect(traffic.share(`p${index}/m`)).toBeGreaterThan(0.1);
      expect(traffic.share(`p${index}/m`)).toBeLessThan(0.3);
    }
  });
});

describe.each(['fastest', 'balanced'] as const)('%s', (pick) => {
  it.each(SEEDS)('explores a new candidate early, and does not flood it (seed %i)', async (seed) => {
    const traffic = simulateTraffic({ seed, pick, models: replicas(4) });
    await traffic.run(20, MINUTE);
    traffic.join({ model: model('new/m'), behaviour: answersIn(400) });
    await traffic.run(20, 2 * MINUTE);
    const calls = traffic.calls
      .filter(({ modelKey }) => modelKey === 'new/m')
      .sort((a, b) => a.startedMs - b.startedMs);
    const [first] = calls;
    expect(first?.startedMs).toBeLessThan(MINUTE + 5 * SECOND);
    const beforeItAnswered = calls.filter(({ startedMs }) => startedMs < (first?.endedMs ?? 0));
    expect(beforeItAnswered).toHaveLength(1);
    expect(traffic.share('new/m', 2 * MINUTE)).toBeGreaterThan(0.1);
    expect(traffic.share('new/m', 2 * MINUTE)).toBeLessThan(0.4);
  });

  it.each(SEEDS)('does not flood a new candidate that never answers in time (seed %i)', async (seed) => {
    const traffic = simulateTraffic({ seed, pick, models: replicas(4) });
    await traffic.run(20, MINUTE);
    traffic.join({ model: model('new/m'), behaviour: answersIn(1_000_000) });
    await traffic.run(50, MINUTE);
    const calls = traffic.calls.filter(({ modelKey }) => modelKey === 'new/m');
    const [first] = calls;
    const whileOut = calls.filter(({ startedMs }) => startedMs < (first?.endedMs ?? 0));
    expect(whileOut).toHaveLength(1);
    expect(traffic.share('new/m', MINUTE)).toBeLessThan(0.01);
  });

  it.each(SEEDS)('comes back to a slow candidate that has recovered (seed %i)', async (seed) => {
    const models = replicas(4);
    for (const slow of models.slice(0, 1)) {
      slow.behaviour = (atMs, random) => answersIn(atMs < 2 * MINUTE ? 4_000 : 400)(atMs, random);
    }
    const traffic = simulateTraffic({ seed, pick, models });
    await traffic.run(20, 6 * MINUTE);
    expect(traffic.share('p0/m', 4 * MINUTE)).toBeGreaterThan(0.1);
    const whileSlow = traffic.calls.filter(
      ({ modelKey, startedMs }) => modelKey === 'p0/m' && startedMs < 2 * MINUTE,
    );
    expect(whileSlow.length).toBeLessThan(0.03 * 20 * 120);
  });

  it.each(SEEDS)(
    'keeps away from a candidate that fails quickly, without any breaker (seed %i)',
    async (seed) => {
      const models = replicas(4, noBreaker);
      for (const failing of models.slice(0, 1)) failing.behaviour = failsIn(5);
      const traffic = simulateTraffic({ seed, pick, models });
      await traffic.run(20, 5 * MINUTE);
      expect(traffic.share('p0/m')).toBeLessThan(0.01);
      const calls = traffic.calls.filter(({ modelKey }) => modelKey === 'p0/m');
      expect(calls.length).toBeGreaterThan(1);
      expect(traffic.served.every(({ by }) => by !== null)).toBe(true);
    },
  );
});

describe.each(Object.keys(strategies) as (keyof typeof strategies)[])('%s', (pick) => {
  it.each(SEEDS)(
    'sends a failing candidate no more than its share, and probes alone once its circuit is open (seed %i)',
    async (seed) => {
      const models = replicas(4);
      for (const failing of models.slice(0, 1)) failing.behaviour = failsIn(20);
      const traffic = simulateTraffic({ seed, pick, models });
      await traffic.run(20, 3 * MINUTE);
      const failed = traffic.calls.filter(({ modelKey }) => modelKey === 'p0/m');
      // Three to open the circuit, those under way meanwhile, and a probe each quarter of a minute.
      expect(failed.length).toBeLessThanOrEqual(3 + 3 + 12);
      expect(failed.length).toBeGreaterThan(0);
      expect(traffic.share('p0/m')).toBeLessThan(0.25);
      expect(traffic.served.every(({ by }) => by !== null)).toBe(true);
    },
  );

  it.each(SEEDS)(
    'serves everybody while a provider is down for a minute, and is back within 30 s (seed %i)',
    async (seed) => {
      const [down, spare] = replicas(2);
      if (down === undefined || spare === undefined) throw new Error('two replicas were asked for');
      const isDown = (atMs: number): boolean => atMs >= MINUTE && atMs < 2 * MINUTE;
      down.behaviour = (atMs, random) =>
        isDown(atMs) ? { afterMs: 10, ok: false } : answersIn(300)(atMs, random);
      down.model = { ...down.model, price: price(0.5, 1) };
      const traffic = simulateTraffic({ seed, pick, models: [down, spare] });
      await traffic.run(10, 3 * MINUTE);
      expect(traffic.served.every(({ by }) => by !== null)).toBe(true);
      const wasted = traffic.calls.filter(({ ok, startedMs }) => !ok && startedMs >= MINUTE);
      expect(wasted.length).toBeLessThanOrEqual(3 + 3 + 4);
      const back = traffic.calls.find(
        ({ modelKey, ok, startedMs }) => modelKey === 'p0/m' && ok && startedMs >= 2 * MINUTE,
      );
      expect(back?.startedMs).toBeLessThan(2.5 * MINUTE);
      expect(traffic.share('p0/m', 2.5 * MINUTE)).toBeGreaterThan(0.2);
    },
  );
});

describe('weighted', () => {
  it.each(SEEDS)(
    'gives a failing candidate its weight at most, and its callers to the others in proportion (seed %i)',
    async (seed) => {
      const weights = [10, 60, 30];
      const models = replicas(3, noBreaker).map((replica, index) => ({
        ...replica,
        weight: weights[index] ?? 1,
      }));
      for (const failing of models.slice(0, 1)) failing.behaviour = failsIn(20);
      const traffic = simulateTraffic({ seed, pick: 'weighted', models });
      await traffic.run(30, 3 * MINUTE);
      expect(traffic.share('p0/m')).toBeGreaterThan(0.08);
      expect(traffic.share('p0/m')).toBeLessThan(0.12);
      const moved = traffic.calls.filter(({ place }) => place === 1);
      const toSecond = moved.filter(({ modelKey }) => modelKey === 'p1/m').length / moved.length;
      expect(toSecond).toBeGreaterThan(0.58);
      expect(toSecond).toBeLessThan(0.76);
    },
  );
});

describe('INV-7: a reload under traffic', () => {
  it.each(SEEDS)(
    'does not open, close or reset the circuit of a provider that is down (seed %i)',
    async (seed) => {
      const models = replicas(2);
      const [down] = models;
      if (down === undefined) throw new Error('two replicas were asked for');
      down.behaviour = failsIn(20);
      const traffic = simulateTraffic({ seed, pick: 'first', models });
      const changes: [string, number][] = [];
      traffic.policies.onCircuitChange((_key, state) => changes.push([state, traffic.clock.monotonicMs()]));
      const failed = (): number => traffic.calls.filter(({ ok }) => !ok).length;

      await traffic.run(10, 10 * SECOND);
      const before = failed();
      for (let reload = 1; reload <= 5; reload += 1) {
        down.model = {
          ...down.model,
          policy: settings({
            circuitBreaker: { kind: 'consecutive', failures: 3 + (reload % 3), halfOpenAfterMs: 15_000 },
          }),
        };
        await traffic.run(10, 200);
      }
      expect(failed()).toBe(before);
      expect(changes.map(([state]) => state)).toEqual(['open']);

      // The life cycle goes on where it was: the probe comes when it was due, fails, and the next one finds the provider well.
      await traffic.run(10, 10 * SECOND);
      down.behaviour = answersIn(200);
      await traffic.run(10, 20 * SECOND);
      expect(changes.map(([state]) => state)).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
      const [opened = 0, probed = 0] = changes.map(([, atMs]) => atMs);
      expect(probed - opened).toBeGreaterThanOrEqual(15 * SECOND);
      expect(probed - opened).toBeLessThan(17 * SECOND);
    },
  );
});
