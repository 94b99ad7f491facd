// Counting tokens: OpenAI's encoding where it is the model's, and bounds that hold for any tokenizer where it is not.
import { LRUCache } from 'lru-cache';
import { loadedOnce } from '../../common/loaded.ts';
import { loadO200k, MAX_PIECE } from './o200k.ts';
import type { O200k } from './o200k.ts';
import { LARGE_CHARACTERS } from './thread/large.ts';

/** Longer texts are estimated: counting is linear, but a megabyte of English is 25 ms, and one of rare Chinese characters 500. */
const MAX_COUNTED_CHARACTERS = 256 * 1024;
/** What is counted of such a text: so many parts from all over it, half as much as the longest that is counted whole. */
const PARTS = 16;
const PART_CHARACTERS = MAX_COUNTED_CHARACTERS / 2 / PARTS;

/** How o200k_base splits a text before it merges: words with their leading blank, up to three digits, runs of signs, white space. */
const PIECES =
  /[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?:'[sStTmMdD]|'[rRvV][eE]|'[lL][lL])?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?:'[sStTmMdD]|'[rRvV][eE]|'[lL][lL])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu;

const encoding = loadedOnce(loadO200k);

/** Loads the encoding (50 ms of CPU, in parts that let others run; 4 MB): only when the first text is to be counted. Rejects where it cannot be read, and tries again when asked again. */
export async function loadTokenizer(): Promise<void> {
  await encoding.load();
}

/** Whether `countTokens` counts; until then it bounds. */
export function tokenizerLoaded(): boolean {
  return encoding.value() !== undefined;
}

/** Most prompts of this length are new ones: to remember each costs more than to count the few that come again. */
const MIN_REMEMBERED = 1_000;
/** Long texts repeat: a system text, a retried step, the same document. */
const textCounts = new LRUCache<string, number>({
  max: 500,
  maxSize: 4_000_000,
  sizeCalculation: (_count, text) => text.length + 1,
});

/** Tokens of one text by o200k_base: exact, but for pieces of more than 96 characters without a break, which are counted in parts, and texts beyond 256 Ki characters, which are scaled. For small texts, or on the thread of `thread/worker.ts`: a large one takes up to 100 ms. */
export function countTokens(text: string): number {
  if (text.length === 0) return 0;
  const by = encoding.value();
  if (by === undefined) return byteBound(text);
  if (text.length < MIN_REMEMBERED) return countPieces(text, by);
  // As a key it would be hashed, which is work of its own, and kept.
  if (text.length > MAX_COUNTED_CHARACTERS) return estimated(text, by);
  const cached = textCounts.get(text);
  if (cached !== undefined) return cached;
  const count = countPieces(text, by);
  textCounts.set(text, count);
  return count;
}

function estimated(text: string, by: O200k): number {
  let count = 0;
  for (let part = 0; part < PARTS; part += 1) {
    const start = Math.floor(((text.length - PART_CHARACTERS) * part) / (PARTS - 1));
    count += countPieces(text.slice(start, start + PART_CHARACTERS), by);
  }
  return Math.ceil((count / (PARTS * PART_CHARACTERS)) * text.length);
}

/** The same on the thread that answers, for a text of any length: of a large one its first 64 Ki characters, scaled. */
export function sampledTokens(text: string): number {
  if (text.length <= LARGE_CHARACTERS) return countTokens(text);
  return Math.ceil((countTokens(text.slice(0, LARGE_CHARACTERS)) / LARGE_CHARACTERS) * text.length);
}

function countPieces(text: string, by: O200k): number {
  let count = 0;
  let at = 0;
  while (at < text.length) {
    let end = plainPieceEnd(text, at);
    if (end === at) {
      PIECES.lastIndex = at;
      // Every character belongs to a piece, so each begins where the last one ended; `test` finds its end without making an array of it.
      if (!PIECES.test(text)) break;
      end = PIECES.lastIndex;
    }
    count += end - at > MAX_PIECE ? countParts(text.slice(at, end), by) : by.count(text, at, end);
    at = end;
  }
  return count;
}

/** A piece that is too long, in parts that are texts of their own. */
function countParts(piece: string, by: O200k): number {
  let count = 0;
  for (let start = 0; start < piece.length; start += MAX_PIECE)
    count += countPieces(piece.slice(start, start + MAX_PIECE), by);
  return count;
}

const APOSTROPHE = 39;

/** Where the piece at `at` ends, for the pieces that most prose is made of: a word of English letters, with the one sign before it. `at`: ask PIECES. */
function plainPieceEnd(text: string, at: number): number {
  let end = isLetter(text.charCodeAt(at)) ? at : at + 1;
  if (end > at && !(isSign(text.charCodeAt(at)) && isLetter(text.charCodeAt(end)))) return at;
  while (isCapital(text.charCodeAt(end))) end += 1;
  while (isSmall(text.charCodeAt(end))) end += 1;
  // A contraction belongs to its word, and a letter of another alphabet or an accent may: PIECES knows.
  const next = text.charCodeAt(end);
  return next === APOSTROPHE || next > 127 ? at : end;
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isSmall(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isLetter(code: number): boolean {
  return isCapital(code) || isSmall(code);
}

/** A blank or a sign of ASCII; what is given is no letter. */
function isSign(code: number): boolean {
  return code >= 32 && code <= 126 && !(code >= 48 && code <= 57);
}

/** No tokenizer that falls back to bytes gives more tokens than a text has UTF-8 bytes. */
export function byteBound(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Roles, separators and the start of the answer; measured at 7 for two messages. */
const CHAT_OVERHEAD = 16;
/** The instruction that Anthropic adds for structured output. */
const STRUCTURED_OVERHEAD = 640;

export interface PromptSize {
  /** The best guess at what any model will count: for rules, context windows and expected costs. */
  readonly tokens: number;
  /** Of system and prompt alone, counted by o200k_base; 0: not counted. */
  readonly counted: number;
  /** What is held: counted where the encoding is the model's own, else the bound. */
  readonly bound: (model: { readonly adapter: string; readonly model: string }) => number;
}

/** OpenAI's models since GPT-4o. */
const O200K_MODEL = /^(?:gpt-4o|gpt-4\.[15]|gpt-[5-9]|chatgpt|o[1-9])/;

/**
 * The size of a request. `texts`: system and prompt; `counts`: the tokens of each, null: the encoding is not there; `schemaText`: the JSON Schema asked
 * for, which is sent too.
 */
export function promptSize(
  texts: readonly string[],
  counts: readonly number[] | null,
  schemaText: string,
): PromptSize {
  const bytes = texts.reduce((sum, text) => sum + byteBound(text), CHAT_OVERHEAD);
  // Without the encoding, which free routes do not load: English prose has four bytes a token.
  const tokens =
    counts === null ? Math.ceil(bytes / 3) : counts.reduce((sum, count) => sum + count, CHAT_OVERHEAD);
  const schemaTokens = schemaText === '' ? 0 : sampledTokens(schemaText);
  const schemaBound = schemaText === '' ? 0 : byteBound(schemaText) + STRUCTURED_OVERHEAD;
  return {
    tokens: tokens + schemaTokens,
    counted: counts === null ? 0 : tokens,
    bound: ({ adapter, model }) =>
      // A text beyond what is counted is scaled, not counted; the scale may be wrong, the bytes are not.
      adapter === 'openai' && O200K_MODEL.test(model) && bytes <= MAX_COUNTED_CHARACTERS && counts !== null
        ? tokens + schemaBound
        : bytes + schemaBound,
  };
}
