// Long text → pieces of at most so many tokens, cut where a reader would cut: at paragraphs, else sentences, else words.
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { countTokens } from '../tokens.ts';

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

export interface ChunkOptions {
  readonly tokens: number;
  readonly overlapTokens: number;
}

/** Each piece is looked at again by what follows. */
const MAX_CHUNKS = 40_000;

/** From the coarsest cut to the finest; a piece that is still too long is cut by characters. */
const CUTS: readonly RegExp[] = [
  /\n[ \t]*\n\s*/g,
  /\n/g,
  // What closes a sentence is looked back over at every blank: it is bounded.
  /(?<=[.!?…。！？]["'”’)\]]{0,8})\s+|(?<=[。！？])/g,
  /\s+/g,
];
const SENTENCES = 2;

/**
 * Chunks in the order of the text; joined without their overlaps they are the whole of it. The overlap is made of whole pieces at the end of the chunk
 * before, never more than `overlapTokens`. Tokens are o200k_base's: an estimate for other models. Fails with the reason.
 */
export function chunkText(text: string, { tokens, overlapTokens }: ChunkOptions): Outcome<Json, string> {
  const limit = Math.max(1, Math.floor(tokens));
  const overlap = Math.min(Math.max(0, Math.floor(overlapTokens)), Math.floor(limit / 2));
  const chunks: { text: string; index: number; start: number; tokens: number }[] = [];
  const pieces: Piece[] = [];
  split(pieces, text, 0, text.length, limit - overlap, 0);
  let open: Piece[] = [];
  let size = 0;
  const close = (): void => {
    const first = open[0];
    const last = open.at(-1);
    if (first === undefined || last === undefined) return;
    const body = text.slice(first.start, last.end);
    if (body.trim() !== '')
      chunks.push({ text: body, index: chunks.length, start: first.start, tokens: countTokens(body) });
  };
  for (const piece of pieces) {
    if (chunks.length > MAX_CHUNKS)
      return fail(`it makes more than ${MAX_CHUNKS} pieces; cut larger ones, or send it in parts`);
    if (size + piece.tokens > limit && open.length > 0) {
      close();
      open = tail(text, open, Math.min(overlap, limit - piece.tokens));
      size = open.reduce((sum, { tokens: count }) => sum + count, 0);
    }
    open.push(piece);
    size += piece.tokens;
  }
  close();
  return succeed(chunks);
}

/** What is repeated at the start of the next chunk: the sentences at the end that fit into `tokens`, never the whole chunk. */
function tail(text: string, pieces: readonly Piece[], tokens: number): Piece[] {
  if (tokens <= 0) return [];
  const last = pieces.at(-1) as Piece;
  const fine = last.tokens > tokens ? [] : pieces.slice(1);
  if (last.tokens > tokens) split(fine, text, last.start, last.end, tokens, SENTENCES);
  const kept: Piece[] = [];
  let size = 0;
  for (let index = fine.length - 1; index >= 0; index -= 1) {
    const piece = fine[index] as Piece;
    if (size + piece.tokens > tokens || piece.start === pieces[0]?.start) break;
    size += piece.tokens;
    kept.unshift(piece);
  }
  return kept;
}

/** Adds the pieces of [start, end). */
function split(
  pieces: Piece[],
  text: string,
  start: number,
  end: number,
  limit: number,
  level: number,
): void {
  const slice = text.slice(start, end);
  const tokens = countTokens(slice);
  if (tokens <= limit) {
    pieces.push({ start, end, tokens });
    return;
  }
  const cut = CUTS[level];
  if (cut === undefined) return byCharacters(pieces, text, start, end, limit);
  let from = start;
  cut.lastIndex = 0;
  for (const match of slice.matchAll(cut)) {
    const to = start + match.index + match[0].length;
    if (to > from) split(pieces, text, from, to, limit, level + 1);
    from = to;
  }
  if (from < end) split(pieces, text, from, end, limit, level + 1);
}

/** A run without a blank: a token is at least a byte, and a character at most four. */
function byCharacters(pieces: Piece[], text: string, start: number, end: number, limit: number): void {
  const step = Math.max(1, Math.floor(limit / 3));
  for (let from = start; from < end;) {
    let to = Math.min(end, from + step);
    // Not through the middle of a surrogate pair.
    const last = text.charCodeAt(to - 1);
    if (to < end && last >= 0xd800 && last <= 0xdbff) to += 1;
    pieces.push({ start: from, end: to, tokens: countTokens(text.slice(from, to)) });
    from = to;
  }
}
