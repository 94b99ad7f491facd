// Where a sentence ends, and where it only looks so.
import { describe, expect, it } from 'vitest';
import { sentencesOf } from '../../../../src/engine/providers/builtin/sentences.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';

const split = (text: string): string[] => [...sentencesOf(text)].map((sentence) => sentence.text);

describe('sentences', () => {
  it.each([
    ['One. Two! Three?', ['One.', 'Two!', 'Three?']],
    ['Mr. Smith met Dr. Jones. They spoke.', ['Mr. Smith met Dr. Jones.', 'They spoke.']],
    ['The U.S. Army came. It left.', ['The U.S. Army came.', 'It left.']],
    ['J. R. Ewing paid $3.50 for it. Really.', ['J. R. Ewing paid $3.50 for it.', 'Really.']],
    ['See Fig. 3 and No. 7, e.g. the last one. Done.', ['See Fig. 3 and No. 7, e.g. the last one.', 'Done.']],
    ['He said "Stop." Then he left.', ['He said "Stop."', 'Then he left.']],
    ['a line\nthat is wrapped. Next', ['a line that is wrapped.', 'Next']],
    ['no mark\n\nbut a new paragraph', ['no mark', 'but a new paragraph']],
    ['NATIONAL POLICY\nWe have one. It works.', ['NATIONAL POLICY', 'We have one.', 'It works.']],
    ['# Title\nText follows.', ['Title', 'Text follows.']],
    ['NATIONAL ENERGY POLICY As a result we have one.', ['As a result we have one.']],
    ['NATO Allies met. USA Today wrote it.', ['NATO Allies met.', 'USA Today wrote it.']],
    [
      'Fellow-Citizens of the Senate and House of Representatives: In meeting you I am glad.',
      ['In meeting you I am glad.'],
    ],
    ['これは文です。次の文です。', ['これは文です。', '次の文です。']],
  ])('%j', (text, expected) => {
    expect(split(text)).toEqual(expected);
  });

  it.each([
    ['capitals', 'A'.repeat(200_000)],
    ['abbreviations', 'Mr. '.repeat(50_000)],
    ['capital words', 'ABC DEF '.repeat(25_000)],
    ['one long line', 'words of it '.repeat(20_000)],
    ['quotation marks', `a.${'"'.repeat(200_000)}x`],
    ['emoji', '😀'.repeat(20_001)],
  ])('are split in linear time, and nothing is lost: %s', (_what, text) => {
    const startMs = cpuTimeMs();
    const sentences = split(text);
    // What backtracks, or looks at all of it again for each sentence, takes minutes.
    expect(cpuTimeMs() - startMs).toBeLessThan(5_000);
    expect(sentences.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    expect(sentences.every((sentence) => sentence.isWellFormed())).toBe(true);
  });

  it('know their paragraph', () => {
    expect([...sentencesOf('One. Two.\n\nThree.')].map(({ paragraph }) => paragraph)).toEqual([0, 0, 1]);
  });
});
