import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { chunkSchema } from '../../../../src/language/definition/parse-schemas.ts';
import { chunkText } from '../../../../src/engine/execution/steps/chunk.ts';
import { countTokens, loadTokenizer } from '../../../../src/engine/execution/tokens.ts';
import { createValidators } from '../../../../src/engine/execution/validators.ts';
import { hasSharedData, listSharedData, readSharedData } from '../../../support/shared-data.ts';

interface Chunk {
  readonly text: string;
  readonly index: number;
  readonly start: number;
  readonly tokens: number;
}

beforeAll(loadTokenizer);
const validate = createValidators().output({ type: 'array', items: chunkSchema });

function chunks(text: string, tokens: number, overlapTokens = 0): readonly Chunk[] {
  const cut = chunkText(text, { tokens, overlapTokens });
  if (!cut.ok) throw new Error(cut.error);
  const { value } = cut;
  expect({ valid: validate(value), errors: validate.errors }).toMatchObject({ valid: true });
  return value as unknown as readonly Chunk[];
}

/** Sums of pieces and counts of the whole differ by what merges at the seams. */
const SEAMS = 1.1;

describe('chunk', () => {
  test('cuts at paragraphs where they fit', () => {
    const paragraph = 'The committee met on Tuesday and agreed on the plan for the bridge.';
    const text = Array.from({ length: 6 }, () => paragraph).join('\n\n');
    const given = chunks(text, 32);
    expect(given.map(({ text: body }) => body.trim())).toEqual(
      Array.from({ length: 3 }, () => `${paragraph}\n\n${paragraph}`),
    );
  });

  test('cuts long paragraphs at the ends of sentences', () => {
    const text = Array.from(
      { length: 20 },
      (_, index) => `Sentence number ${index} says something short.`,
    ).join(' ');
    for (const { text: body } of chunks(text, 30)) expect(body.trim()).toMatch(/^Sentence.*short\.$/s);
  });

  test('repeats whole sentences as the overlap', () => {
    const text = Array.from(
      { length: 30 },
      (_, index) => `Sentence number ${index} says something short.`,
    ).join(' ');
    const given = chunks(text, 60, 20);
    for (let index = 1; index < given.length; index += 1) {
      const before = given[index - 1] as Chunk;
      const chunk = given[index] as Chunk;
      expect(chunk.start).toBeLessThan(before.start + before.text.length);
      expect(chunk.start).toBeGreaterThan(before.start);
      expect(chunk.text.startsWith('Sentence')).toBe(true);
    }
  });

  test('gives nothing for a blank text', () => {
    expect(chunks(' \n ', 10)).toEqual([]);
  });

  test('covers any text, in order, within the limit', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.array(fc.lorem({ mode: 'sentences' }), { maxLength: 12 }).map((parts) => parts.join('\n\n')),
      fc.integer({ min: 1, max: 3_000 }).map((length) => 'a'.repeat(length)),
    );
    fc.assert(
      fc.property(
        texts,
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 0, max: 100 }),
        (text, limit, overlap) => {
          let covered = 0;
          for (const { text: body, start, tokens } of chunks(text, limit, overlap)) {
            expect(text.slice(start, start + body.length)).toBe(body);
            // What is left out between two chunks is blank.
            expect(text.slice(Math.min(covered, start), start).trim().length === 0 || start <= covered).toBe(
              true,
            );
            expect(tokens).toBeLessThanOrEqual(Math.max(8, limit * SEAMS + 2));
            covered = Math.max(covered, start + body.length);
          }
          expect(text.slice(covered).trim()).toBe('');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('200,000 characters without a break end in pieces, not in a stall', () => {
    const given = chunks('a'.repeat(200_000), 1_000);
    expect(given.map(({ text }) => text).join('')).toBe('a'.repeat(200_000));
  });

  test.skipIf(!hasSharedData('docs'))('cuts a long speech into chunks that are nearly full', () => {
    for (const name of listSharedData('docs')) {
      const text = readSharedData(`docs/${name}`);
      const given = chunks(text, 2_000, 100);
      expect(given.length).toBeLessThanOrEqual(Math.ceil((countTokens(text) / 1_900) * 1.5) + 1);
      expect(Math.max(...given.map(({ tokens }) => tokens))).toBeLessThanOrEqual(2_000 * SEAMS);
    }
  });
});
