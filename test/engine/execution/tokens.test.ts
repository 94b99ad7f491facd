import { countTokens as reference } from 'gpt-tokenizer/encoding/o200k_base';
import { O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { byteBound, countTokens, loadTokenizer, promptSize } from '../../../src/engine/execution/tokens.ts';
import { sized } from '../../support/cases.ts';
import { hasSharedData, listSharedData, readSharedData } from '../../support/shared-data.ts';

beforeAll(loadTokenizer);

/** As OpenAI bills what a user writes: the names of special tokens are ordinary text. */
const exactly = (text: string): number => reference(text, { disallowedSpecial: new Set() });

/** What is to be counted: as the reference, but for pieces of more than 96 characters, which are counted in parts. */
function inParts(text: string): number {
  const pieces = [...text.matchAll(O200K_TOKEN_SPLIT_REGEX)].map(([piece]) => piece);
  if (pieces.every((piece) => piece.length <= 96)) return exactly(text);
  return pieces
    .flatMap((piece) => piece.match(/[^]{1,96}/g) ?? [])
    .reduce((sum, part) => sum + exactly(part), 0);
}

/** gpt-tokenizer loses a byte order mark when it looks for a token: see o200k.test.ts. */
const withoutMark = (text: string): string => text.replaceAll('\uFEFF', '');

/** Texts of up to so many units, long ones as often as short ones. */
const textOf = (maxLength: number, ...units: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.array(fc.oneof(...units), { maxLength, size: 'max' }).map((parts) => parts.join(''));
const oneOf = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const between = (first: number, last: number): fc.Arbitrary<string> =>
  fc.integer({ min: first, max: last }).map((code) => String.fromCodePoint(code));
const together = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((given) => given.join(''));

const kinds: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'prose and JSON': fc.oneof(fc.lorem({ mode: 'sentences', maxCount: 20 }), fc.json()),
  'any Unicode': fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60, size: 'max' }),
    fc.string({ unit: 'binary', maxLength: 100, size: 'max' }),
  ),
  'half surrogate pairs': textOf(
    60,
    between(0xd800, 0xdfff),
    between(0x20, 0x7e),
    oneOf('\uD800s', '\uDC00\n', '😀'),
  ),
  ASCII: textOf(400, between(0, 127)),
  code: textOf(
    100,
    oneOf('const', 'getHTTPResponse', 'snake_case_name', 'x1', 'Straße', 'naïve', '0xFF', '='),
    oneOf(' ', '  ', '    ', '\t', '\n', '\r\n', '\n\n\n', '//', '/**', '"', "'", '{', '();', '=>'),
  ),
  'white space': textOf(60, oneOf(' ', '\t', '\n', '\r', '\u00A0', '\u0085', '\u2003', '\u3000', 'x')),
  'emoji with joiners and marks': textOf(
    60,
    oneOf('👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪', '\u200D', '\uFE0F', 'é', ' '),
    between(0x1f300, 0x1faff),
    between(0x300, 0x36f),
  ),
  'Chinese, Japanese and Korean': textOf(
    150,
    between(0x4e00, 0x9fff),
    between(0x3040, 0x30ff),
    between(0xac00, 0xd7a3),
    oneOf('，', '。', '、', ' ', '的', '是', '中国'),
  ),
  digits: textOf(100, between(48, 57), between(0x660, 0x669), oneOf('.', ',', ' ', '½', '²', '-')),
  contractions: textOf(
    30,
    together(
      oneOf('we', 'WE', 'I', 'ß', 'é', '你', ' '),
      oneOf("'s", "'S", "'ll", "'lL", "'re", "'lE", "'rl", "'x", "'", '’s'),
    ),
  ),
  'long runs of one sign': textOf(
    3,
    fc
      .tuple(
        oneOf('a', 'É', '=', '!\u0301', ' ', '\n', '漢', '𝒜', 'x𝒜', 'ab'),
        fc.integer({ min: 1, max: 200 }),
      )
      .map(([part, times]) => part.repeat(times)),
  ),
};

describe('counting tokens', () => {
  test.each(Object.entries(kinds))('agrees with the reference on %s', (_kind, texts) => {
    fc.assert(
      fc.property(texts.map(withoutMark), (text) => {
        expect(countTokens(text)).toBe(inParts(text));
      }),
      { numRuns: sized(60) },
    );
  });

  test.skipIf(!hasSharedData('diffs'))('agrees with the reference on real texts', () => {
    for (const folder of ['docs', 'eml', 'diffs', 'cassettes'])
      for (const file of listSharedData(folder).filter((name) => name.includes('.'))) {
        const text = withoutMark(readSharedData(`${folder}/${file}`)).slice(0, 100_000);
        expect({ file, count: countTokens(text) }).toEqual({ file, count: inParts(text) });
      }
  });

  test('counts the names of special tokens as the text that they are', () => {
    for (const name of ['<|endoftext|>', '<|im_start|>', '<|endofprompt|>']) {
      expect(countTokens(name)).toBe(exactly(name));
      expect(countTokens(name)).toBeGreaterThan(3);
      expect(countTokens(`${name} and more`)).toBe(exactly(`${name} and more`));
    }
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
    const texts = ['Answer briefly.', 'Why is the sky blue?'];
    const size = promptSize(texts, texts.map(countTokens), '');
    const counted = exactly('Answer briefly.') + exactly('Why is the sky blue?');
    const gpt = size.bound({ adapter: 'openai', model: 'gpt-5.6-luna' });
    expect(gpt).toBeGreaterThanOrEqual(counted);
    expect(gpt).toBeLessThan(counted + 32);
    expect(size.bound({ adapter: 'openai', model: 'llama3.2' })).toBeGreaterThanOrEqual(35);
    expect(size.bound({ adapter: 'anthropic', model: 'claude-sonnet-5' })).toBeGreaterThanOrEqual(35);
  });
});
