// Finds the text to work on, and how long the answer should be, in a prompt that was written for a language model.

export interface ExtractTask {
  readonly text: string;
  /** The most sentences that the summary may have. */
  readonly sentences: number;
}

const DEFAULT_SENTENCES = 3;
const MOST_SENTENCES = 50;

const NUMBER_WORDS: readonly string[] = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];
const SENTENCE_COUNT = new RegExp(
  `\\b(\\d{1,3}|${NUMBER_WORDS.join('|')})\\s+(?:[a-z]+\\s+)?sentences?\\b`,
  'i',
);
const RULE = /^[ \t]*---+[ \t]*$/m;
const INSTRUCTION_LINE = /^[^\n]{0,400}\b(?:summar|shorten|condense|abridge|tl;?dr)[^\n]{0,400}:[ \t]*$/im;

/**
 * The text is, in this order: what stands between the first `<text>` and the last `</text>`; what follows a line of `---`; what follows a
 * line that asks for a summary and ends with a colon; else the whole prompt. The number of sentences is read from the words around the
 * text ("in at most 5 sentences", "three short sentences"), then from the system text; it is 3 where neither says one.
 */
export function readTask(prompt: string, system: string | null): ExtractTask {
  const { instruction, text } = split(prompt);
  const sentences = sentenceCount(instruction) ?? sentenceCount(system ?? '') ?? DEFAULT_SENTENCES;
  return { text, sentences };
}

function split(prompt: string): { readonly instruction: string; readonly text: string } {
  const open = prompt.indexOf('<text>');
  const close = prompt.lastIndexOf('</text>');
  if (open !== -1 && close > open) {
    return {
      instruction: `${prompt.slice(0, open)}\n${prompt.slice(close + '</text>'.length)}`,
      text: prompt.slice(open + '<text>'.length, close),
    };
  }
  for (const border of [RULE, INSTRUCTION_LINE]) {
    const match = border.exec(prompt);
    if (!match) continue;
    const end = match.index + match[0].length;
    const text = prompt.slice(end);
    if (text.trim() !== '') return { instruction: prompt.slice(0, end), text };
  }
  return { instruction: '', text: prompt };
}

function sentenceCount(words: string): number | undefined {
  const found = SENTENCE_COUNT.exec(words)?.[1]?.toLowerCase();
  if (found === undefined) return undefined;
  const count = /^\d/.test(found) ? Number(found) : NUMBER_WORDS.indexOf(found);
  return count >= 1 ? Math.min(count, MOST_SENTENCES) : undefined;
}
