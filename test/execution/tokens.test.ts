import { countTokens as exactly } from 'gpt-tokenizer/encoding/o200k_base';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { byteBound, countTokens, loadTokenizer, promptSize } from '../../src/execution/tokens.ts';

beforeAll(loadTokenizer);

describe('counting tokens', () => {
  test('agrees with the encoding on ordinary text', () => {
    const texts = fc.oneof(
      fc.lorem({ mode: 'sentences', maxCount: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.json(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(countTokens(text)).toBe(exactly(text, { allowedSpecial: 'all' }));
      }),
      { numRuns: 500 },
    );
  });

  test('takes only contractions for contractions', () => {
    for (const text of ["A'lEA", "A'llA", "we'rl", "WE'REA"]) expect(countTokens(text)).toBe(exactly(text));
  });

  test('never counts more than the bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        expect(countTokens(text)).toBeLessThanOrEqual(byteBound(text));
      }),
    );
  });

  test('a word of 200,000 letters is counted in parts', () => {
    const count = countTokens('a'.repeat(200_000));
    expect(count).toBeGreaterThan(20_000);
    expect(count).toBeLessThanOrEqual(200_000);
  });

  test('a text that is too long to count is scaled from its beginning', () => {
    const text = 'the quick brown fox. '.repeat(40_000);
    expect(countTokens(text) / exactly(text)).toBeCloseTo(1, 1);
  });

  test("holds what is counted for OpenAI's own models, and the bytes for any other", () => {
    const size = promptSize(['Answer briefly.', 'Why is the sky blue?'], '');
    const counted = exactly('Answer briefly.') + exactly('Why is the sky blue?');
    const gpt = size.bound({ adapter: 'openai', model: 'gpt-5.6-luna' });
    expect(gpt).toBeGreaterThanOrEqual(counted);
    expect(gpt).toBeLessThan(counted + 32);
    expect(size.bound({ adapter: 'openai', model: 'llama3.2' })).toBeGreaterThanOrEqual(35);
    expect(size.bound({ adapter: 'anthropic', model: 'claude-sonnet-5' })).toBeGreaterThanOrEqual(35);
  });
});
