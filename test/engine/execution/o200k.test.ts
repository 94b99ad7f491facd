import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { countTokens as reference } from 'gpt-tokenizer/encoding/o200k_base';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadO200k, MAX_PIECE } from '../../../src/engine/execution/o200k.ts';
import type { O200k } from '../../../src/engine/execution/o200k.ts';

const vocabulary = readFileSync(
  createRequire(import.meta.url).resolve('gpt-tokenizer/data/o200k_base.tiktoken'),
  'latin1',
)
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' '))
  .map(([base64 = '', rank]) => ({ bytes: Buffer.from(base64, 'base64'), rank: Number(rank) }));

/** The tokens that are text: one in eight is a part of a character. */
const texts = vocabulary
  .map(({ bytes }) => ({ bytes, text: bytes.toString('utf8') }))
  .filter(({ bytes, text }) => Buffer.from(text).equals(bytes) && text.length <= MAX_PIECE)
  .map(({ text }) => text);

let encoding: O200k;
beforeAll(async () => {
  encoding = await loadO200k();
});

const count = (piece: string): number => encoding.count(piece, 0, piece.length);

describe('o200k_base', () => {
  test('has its tokens in the file in the order of their ranks', () => {
    expect(vocabulary.every(({ rank }, line) => rank === line)).toBe(true);
  });

  test('counts every token of the vocabulary that is text as one', () => {
    expect(texts.length).toBeGreaterThan(170_000);
    expect(texts.filter((text) => count(text) !== 1)).toEqual([]);
  });

  test('counts pieces that are no token as they merge', () => {
    // Two tokens side by side are seldom a token, and merge across the seam as often as not.
    const letters = texts.filter(isOnePiece);
    const token = fc.nat(letters.length - 1).map((at) => letters[at] as string);
    const pieces = fc
      .tuple(token, token, fc.nat(3))
      .map(([one, other, cut]) => one + other.slice(cut).trim())
      .filter((piece) => piece.length <= MAX_PIECE && isOnePiece(piece));
    fc.assert(
      fc.property(pieces, (piece) => {
        expect(count(piece)).toBe(reference(piece));
      }),
      { numRuns: 3_000 },
    );
  });

  test('counts a piece within a text as it counts the piece alone', () => {
    expect(encoding.count('no tokenizations here', 2, 16)).toBe(count(' tokenizations'));
    expect(encoding.count('一二三四五', 1, 3)).toBe(count('二三'));
  });

  test('counts the longest pieces, in the characters that take most bytes', () => {
    for (const piece of ['a', '漢', '𝒜𝒜', 'é'].map((part) => part.repeat(MAX_PIECE / part.length)))
      expect(count(piece)).toBe(reference(piece));
  });

  test('counts a byte order mark as the vocabulary has it', () => {
    // Not as gpt-tokenizer, which loses it when it looks for the token and counts more.
    expect(count('\uFEFF')).toBe(1);
    expect(count('\uFEFFusing')).toBe(1);
    expect(count('\uFEFF\uFEFF\uFEFF')).toBe(2);
  });
});

/** Letters without a change of case or a mark between them: the reference does not split them. */
function isOnePiece(text: string): boolean {
  return /^ ?(?:\p{Ll}+|\p{Lo}+)$/u.test(text);
}
