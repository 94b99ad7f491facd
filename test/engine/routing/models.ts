// Models, prices and rules for routing tests.
import type { PlanModel, PlanPrice, PlanRates, PlanRule } from '../../../src/language/plan/types.ts';
import type { Candidate, LearntLatency, Signals, StrategyContext } from '../../../src/engine/routing/port.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { ordinary } from '../resilience/settings.ts';

/** Dollars per million tokens. */
export function price(inputUsd: number, outputUsd: number): PlanPrice {
  return { kind: 'rates', source: 'yaml', tiers: [rates(inputUsd, outputUsd)] };
}

export function rates(inputUsd: number, outputUsd: number, changes: Partial<PlanRates> = {}): PlanRates {
  const nano = (usd: number): bigint => BigInt(Math.round(usd * 1e9));
  return {
    fromInputTokens: 0,
    input: nano(inputUsd),
    cachedInput: nano(inputUsd / 10),
    cacheWrite: nano(inputUsd * 1.25),
    output: nano(outputUsd),
    reasoning: nano(outputUsd),
    request: 0n,
    ...changes,
  };
}

export function model(key: string, changes: Partial<PlanModel> = {}): PlanModel {
  const [provider = '', name = ''] = key.split('/');
  return {
    key,
    provider,
    model: name,
    contextTokens: 128_000,
    maxOutputTokens: 16_000,
    quality: 1,
    capabilities: ['text', 'structuredOutput', 'streaming'],
    price: price(1, 2),
    policy: ordinary,
    limits: { requests: null, tokens: null },
    ...changes,
  };
}

export function candidate(key: string, changes: Partial<Candidate> & { model?: PlanModel } = {}): Candidate {
  return {
    model: model(key),
    weight: 1,
    expectedCostNanoUsd: 1_000n,
    holdNanoUsd: 10_000n,
    inFlight: 0,
    ...changes,
  };
}

export function rule(pick: PlanRule['pick'], keys: readonly string[]): PlanRule {
  return {
    name: 'route[0]',
    when: null,
    pick,
    candidates: keys.map((key) => ({ model: key, weight: 1 })),
    hedge: null,
  };
}

/** Signals that know what they are told here. */
export function knownSignals(
  latencies: { readonly [key: string]: number | Partial<LearntLatency> } = {},
  lengths: { readonly [key: string]: number } = {},
): Signals {
  return {
    latency(key) {
      const known = latencies[key];
      if (known === undefined) return null;
      const totalMs = typeof known === 'number' ? known : 1_000;
      const rest = typeof known === 'number' ? {} : known;
      return { totalMs, firstTokenMs: null, p95Ms: totalMs * 2, samples: 10, ageMs: 0, ...rest };
    },
    outputTokens: (_task, _step, key) => lengths[key] ?? null,
    percentileMs: (key) => (latencies[key] === undefined ? null : 2_000),
  };
}

export function context(changes: Partial<StrategyContext> = {}): StrategyContext {
  return {
    signals: knownSignals(),
    random: seededRandom(1),
    nowMs: 0,
    stickyKey: 'ana',
    streaming: false,
    ...changes,
  };
}
