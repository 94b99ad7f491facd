// Why a candidate cannot serve: each reason, and which of them is told.
import { describe, expect, it } from 'vitest';
import { type RequestNeeds, skipReason, type World } from '../../../src/engine/routing/eligibility.ts';
import { model } from './models.ts';

const needs = (changes: Partial<RequestNeeds> = {}): RequestNeeds => ({
  capabilities: ['text'],
  inputTokens: () => 1_000,
  maxOutputTokens: 400,
  ...changes,
});

const world = (changes: Partial<World> = {}): World => ({
  nowMs: 1_000_000,
  unavailable: () => undefined,
  refusal: () => undefined,
  rateDelayMs: () => 0,
  fits: () => undefined,
  failed: new Set(),
  neededTokens: 0,
  ...changes,
});

describe('skipReason', () => {
  it('is null for a model that can serve', () => {
    expect(skipReason(model('openai/a'), needs(), 1n, world())).toBeNull();
  });

  it('names the key that is missing', () => {
    const skip = skipReason(
      model('openai/a'),
      needs(),
      1n,
      world({ unavailable: () => 'set OPENAI_API_KEY' }),
    );
    expect(skip).toEqual({
      code: 'no_key',
      detail: 'openai is not available: set OPENAI_API_KEY',
      retryAfterMs: null,
    });
  });

  it('leaves out who has failed in this run', () => {
    const failed = new Set(['openai/a']);
    expect(skipReason(model('openai/a'), needs(), 1n, world({ failed }))?.code).toBe('already_failed');
    expect(skipReason(model('openai/b'), needs(), 1n, world({ failed }))).toBeNull();
  });

  it('names the capability that is missing', () => {
    const skip = skipReason(
      model('openai/a', { capabilities: ['text'] }),
      needs({ capabilities: ['text', 'structuredOutput'] }),
      1n,
      world(),
    );
    expect(skip).toMatchObject({ code: 'capability_missing', detail: 'it has no structured output' });
  });

  it('counts the input and the most output against the context', () => {
    const small = model('openai/a', { contextTokens: 1_399 });
    expect(skipReason(small, needs(), 1n, world())?.code).toBe('context_too_small');
    expect(skipReason({ ...small, contextTokens: 1_400 }, needs(), 1n, world())).toBeNull();
  });

  it("counts each model's own tokens", () => {
    const counted = needs({ inputTokens: ({ key }) => (key === 'openai/a' ? 2_000 : 1_000) });
    const context = { contextTokens: 2_000 };
    expect(skipReason(model('openai/a', context), counted, 1n, world())?.code).toBe('context_too_small');
    expect(skipReason(model('openai/b', context), counted, 1n, world())).toBeNull();
  });

  it('leaves out a model that cannot be asked for so much output', () => {
    const skip = skipReason(model('openai/a', { maxOutputTokens: 399 }), needs(), 1n, world());
    expect(skip?.code).toBe('model_too_small');
  });

  it('after a refusal that counts the prompt, leaves out the models whose window is known to be smaller', () => {
    const refused = world({ neededTokens: 150_000 });
    expect(skipReason(model('openai/a'), needs(), 1n, refused)?.code).toBe('model_too_small');
    expect(skipReason(model('openai/b', { contextTokens: 200_000 }), needs(), 1n, refused)).toBeNull();
  });

  it('says when an open circuit and a rate limit may be tried again', () => {
    const open = world({ refusal: () => ({ code: 'circuit_open', retryAfterMs: 4_000 }) });
    expect(skipReason(model('openai/a'), needs(), 1n, open)).toMatchObject({
      code: 'circuit_open',
      retryAfterMs: 4_000,
    });
    const short = world({ rateDelayMs: (_model, tokens) => tokens });
    expect(skipReason(model('openai/a'), needs(), 1n, short)).toMatchObject({
      code: 'no_rate_headroom',
      retryAfterMs: 1_400,
    });
  });

  it('tells of a full bulkhead', () => {
    const full = world({ refusal: () => ({ code: 'bulkhead_full', retryAfterMs: null }) });
    expect(skipReason(model('openai/a'), needs(), 1n, full)?.code).toBe('bulkhead_full');
  });

  it('names the budget that the hold does not fit, and when it opens again', () => {
    const tight = world({
      fits: (_model, hold) => (hold > 5n ? { name: 'company', resetsAtMs: 1_060_000 } : undefined),
    });
    expect(skipReason(model('openai/a'), needs(), 5n, tight)).toBeNull();
    expect(skipReason(model('openai/a'), needs(), 6n, tight)).toEqual({
      code: 'hold_does_not_fit',
      detail: 'its worst case does not fit company',
      retryAfterMs: 60_000,
    });
  });

  it('tells first what no waiting changes, and asks the budgets last', () => {
    const asked: string[] = [];
    const bad = world({
      unavailable: () => 'set KEY',
      refusal: () => ({ code: 'circuit_open', retryAfterMs: 1 }),
      fits: () => {
        asked.push('fits');
        return { name: 'company', resetsAtMs: null };
      },
    });
    expect(skipReason(model('openai/a'), needs(), 1n, bad)?.code).toBe('no_key');
    expect(asked).toEqual([]);
  });
});
