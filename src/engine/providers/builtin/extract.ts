// An extractive summary: the sentences that the rest of the text agrees with most, without repetition, in their own order.
import { setImmediate } from 'node:timers/promises';
import { rank } from './rank.ts';
import { sentencesOf } from './sentences.ts';
import type { Sentence } from './sentences.ts';
import { contentWords } from './words.ts';

export interface SummaryOptions {
  /** At most. */
  readonly sentences: number;
  /** At most, but never less than one sentence. */
  readonly maxCharacters: number;
  readonly signal: AbortSignal;
}

/** Comparing costs the square of this; a longer text is summarized part by part, and then the parts' best together. */
const SENTENCES_AT_ONCE = 1500;
/** From each part come this many times the sentences wanted, so that the last choice has something to choose from. */
const SPARE = 4;
const SENTENCES_PER_TURN = 64;
const CHARACTERS_PER_TURN = 32 * 1024;
/** How much a resemblance to what is already chosen costs: enough to keep a sentence from coming twice in other words. */
const REPETITION_COST = 1.4;

/** These lean on the sentence before them, and read badly without it. */
const LEANING =
  /^["“']?(?:this|that|these|those|they|them|their|it|its|he|she|his|her|such|but|and|or|nor|yet|so|however|therefore|thus|hence|moreover|furthermore|also|besides|nevertheless|nonetheless|otherwise|instead|then|accordingly|consequently|for example|for instance|in addition|on the other hand|as a result|similarly|likewise|both|neither|the (?:former|latter|same))\b/i;

/** Ends as a sentence does, perhaps within quotation marks or brackets. */
const WHOLE = /[.!?…。！？]['"”’)\]»]*$/;

interface Considered {
  readonly text: string;
  readonly words: readonly string[];
  /** 0 is the first sentence of the text. */
  readonly position: number;
  readonly opensParagraph: boolean;
}

/** undefined: the signal was aborted. An empty text gives an empty summary. */
export async function summarize(text: string, options: SummaryOptions): Promise<string | undefined> {
  const { signal } = options;
  const all: Considered[] = [];
  let paragraph = -1;
  let turn = { sentences: 0, characters: 0 };
  for (const sentence of sentencesOf(text)) {
    all.push(consider(sentence, all.length, sentence.paragraph !== paragraph));
    paragraph = sentence.paragraph;
    turn.sentences += 1;
    turn.characters += sentence.text.length;
    if (turn.sentences >= SENTENCES_PER_TURN || turn.characters >= CHARACTERS_PER_TURN) {
      turn = { sentences: 0, characters: 0 };
      await setImmediate();
      if (signal.aborted) return undefined;
    }
  }
  // Headings, addresses and fragments are no sentences; a text of nothing else is taken as it is.
  const worthy = all.filter(({ words, text: sentence }) => words.length >= 3 && WHOLE.test(sentence));
  let candidates = worthy.length > 0 ? worthy : all;
  const wanted = { ...options, total: all.length };
  while (candidates.length > SENTENCES_AT_ONCE) {
    const best: Considered[] = [];
    for (let start = 0; start < candidates.length; start += SENTENCES_AT_ONCE) {
      const part = candidates.slice(start, start + SENTENCES_AT_ONCE);
      best.push(
        ...(await choose(
          part,
          Math.min(options.sentences * SPARE, SENTENCES_AT_ONCE / 2),
          Number.MAX_SAFE_INTEGER,
          wanted,
        )),
      );
      if (signal.aborted) return undefined;
    }
    candidates = best;
  }
  const chosen = await choose(candidates, options.sentences, options.maxCharacters, wanted);
  if (signal.aborted) return undefined;
  return chosen.map((sentence) => sentence.text).join(' ');
}

function consider(sentence: Sentence, position: number, opensParagraph: boolean): Considered {
  return { text: sentence.text, words: contentWords(sentence.text), position, opensParagraph };
}

/** Maximal marginal relevance (Carbonell and Goldstein, 1998): the best sentence, then the best that says something else, … */
async function choose(
  candidates: readonly Considered[],
  count: number,
  maxCharacters: number,
  { signal, total }: { readonly signal: AbortSignal; readonly total: number },
): Promise<Considered[]> {
  const pause = async (): Promise<void> => {
    await setImmediate();
  };
  const { scores, similarity } = await rank(
    candidates.map(({ words }) => words),
    pause,
  );
  const values = candidates.map((sentence, index) => (scores[index] ?? 0) * prior(sentence, total));
  const repetition = new Float64Array(candidates.length);
  const chosen = new Set<number>();
  let characters = 0;
  while (chosen.size < count && chosen.size < candidates.length && !signal.aborted) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const [index, value] of values.entries()) {
      if (chosen.has(index)) continue;
      const marginal = value * (1 - REPETITION_COST * (repetition[index] ?? 0));
      const fits =
        chosen.size === 0 || characters + (candidates[index]?.text.length ?? 0) + 1 <= maxCharacters;
      if (fits && marginal > bestValue) [best, bestValue] = [index, marginal];
    }
    if (best === -1) break;
    chosen.add(best);
    characters += (candidates[best]?.text.length ?? 0) + 1;
    for (let index = 0; index < candidates.length; index += 1) {
      repetition[index] = Math.max(repetition[index] ?? 0, similarity(best, index));
    }
    if (chosen.size % 8 === 0) await pause();
  }
  return [...chosen].sort((a, b) => a - b).flatMap((index) => candidates[index] ?? []);
}

/** What is known of a sentence before it is compared: where it stands, how long it is, whether it can stand alone. */
function prior({ text, words, position, opensParagraph }: Considered, total: number): number {
  const early = 1 + 0.35 * Math.exp((-8 * position) / Math.max(total, 1));
  const opening = opensParagraph ? 1.1 : 1;
  const alone = LEANING.test(text) ? 0.65 : 1;
  const statement = text.endsWith('?') ? 0.6 : 1;
  return early * opening * lengthPrior(words.length) * alone * statement;
}

/** Of two sentences with the same votes the longer has more words to get them with, and very long ones do not read as a summary. */
function lengthPrior(words: number): number {
  if (words < 6) return 0.5;
  return words <= 20 ? 1 : Math.max(0.2, (20 / words) ** 1.5);
}
