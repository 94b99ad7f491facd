// A rule and a request become an order of candidates, and a record of why.
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/common/json.ts';
import { seededRandom } from '../../../src/common/random.ts';
import type { PlanModel } from '../../../src/language/plan/types.ts';
import { decide, type DecideOptions, withChosen } from '../../../src/engine/routing/decide.ts';
import type { World } from '../../../src/engine/routing/eligibility.ts';
import { knownSignals, model, price, rule } from './models.ts';

const cheap = model('openai/small', { price: price(1, 2), quality: 1 });
const dear = model('anthropic/large', { price: price(3, 15), quality: 3 });
const local = model('ollama/llama', { price: { kind: 'free' }, contextTokens: 4_096 });

const world: World = {
  nowMs: 0,
  unavailable: () => undefined,
  refusal: () => undefined,
  rateDelayMs: () => 0,
  fits: () => undefined,
  failed: new Set(),
  neededTokens: 0,
};

function options(
  changes: Partial<DecideOptions> = {},
  models: readonly PlanModel[] = [dear, cheap, local],
): DecideOptions {
  return {
    rule: rule(
      'cheapest',
      models.map(({ key }) => key),
    ),
    models: Object.fromEntries(models.map((each) => [each.key, each])),
    task: 'summarize',
    step: 'summary',
    needs: { capabilities: ['text'], inputTokens: () => 1_000, maxOutputTokens: 400 },
    world,
    signals: knownSignals(),
    random: seededRandom(1),
    inFlight: () => 0,
    stickyKey: 'ana',
    streaming: false,
    ...changes,
  };
}

describe('decide', () => {
  it('orders who can serve, and records scores, expected costs and the chosen one', () => {
    const { ranked, decision, skipped, retryAfterMs } = decide(options());
    expect(ranked.map(({ candidate }) => candidate.model.key)).toEqual([local.key, cheap.key, dear.key]);
    expect(skipped).toEqual([]);
    expect(retryAfterMs).toBeNull();
    expect(decision).toEqual({
      rule: 'route[0]',
      pick: 'cheapest',
      candidates: [
        { model: local.key, score: 0, expectedCostNanoUsd: '0', chosen: true, skipped: null },
        { model: cheap.key, score: 1_800_000, expectedCostNanoUsd: '1800000', chosen: false, skipped: null },
        { model: dear.key, score: 9_000_000, expectedCostNanoUsd: '9000000', chosen: false, skipped: null },
      ],
    });
    expect(JSON.parse(canonicalJson(decision))).toEqual(decision);
  });

  it('keeps who cannot serve in the record, with the reason, and says when the first may serve again', () => {
    const { ranked, skipped, decision, retryAfterMs } = decide(
      options({
        needs: { capabilities: ['text'], inputTokens: () => 5_000, maxOutputTokens: 400 },
        world: {
          ...world,
          refusal: ({ provider }) =>
            provider === 'openai' ? { code: 'circuit_open', retryAfterMs: 9_000 } : undefined,
          rateDelayMs: ({ provider }) => (provider === 'anthropic' ? 700 : 0),
        },
      }),
    );
    expect(ranked).toEqual([]);
    expect(skipped.map(({ candidate, skip }) => [candidate.model.key, skip.code])).toEqual([
      [dear.key, 'no_rate_headroom'],
      [cheap.key, 'circuit_open'],
      [local.key, 'context_too_small'],
    ]);
    expect(retryAfterMs).toBe(700);
    expect(decision.candidates.every(({ chosen, score }) => !chosen && score === null)).toBe(true);
  });

  it('expects the learnt output length, and holds the longest', () => {
    const { ranked } = decide(options({ signals: knownSignals({}, { [cheap.key]: 100 }) }, [cheap]));
    expect(ranked[0]?.candidate).toMatchObject({
      expectedCostNanoUsd: 1_000_000n + 200_000n,
      holdNanoUsd: 1_250_000n + 800_000n,
    });
  });

  it('expects of a candidate that was never tried what the others have taught, so that it is tried', () => {
    const untried = model('openai/new', { price: price(0.9, 1.9) });
    const signals = knownSignals({}, { [cheap.key]: 10, [dear.key]: 30 });
    const { ranked } = decide(options({ signals }, [dear, cheap, untried]));
    expect(ranked[0]?.candidate.model.key).toBe('openai/new');
    expect(ranked[0]?.candidate.expectedCostNanoUsd).toBe(900_000n + 38_000n);
  });

  it('never expects more than the step allows', () => {
    const { ranked } = decide(options({ signals: knownSignals({}, { [cheap.key]: 9_000 }) }, [cheap]));
    expect(ranked[0]?.candidate.expectedCostNanoUsd).toBe(1_800_000n);
  });

  it('asks whether the worst case fits, not the expected one', () => {
    const asked: bigint[] = [];
    decide(options({ world: { ...world, fits: (_model, hold) => void asked.push(hold) } }, [cheap]));
    expect(asked).toEqual([2_050_000n]);
  });
});

describe('withChosen', () => {
  it('names another of the candidates as the chosen one, and leaves the record as it was', () => {
    const { decision } = decide(options());
    const fallback = withChosen(decision, dear.key);
    expect(fallback.candidates.filter(({ chosen }) => chosen).map(({ model }) => model)).toEqual([dear.key]);
    expect(decision.candidates[0]?.chosen).toBe(true);
  });
});
