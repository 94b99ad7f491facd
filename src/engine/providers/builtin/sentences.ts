// Splits a text into sentences: Unicode's rules, mended where an abbreviation only looks like an end.

export interface Sentence {
  /** One line, as in the text. */
  readonly text: string;
  /** Its paragraph, from 0. */
  readonly paragraph: number;
}

const ABBREVIATION =
  /(?:^|[\s("'“‘[])(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Gen|Col|Maj|Capt|Lt|Sgt|Gov|Sen|Rep|Pres|St|Mt|Ft|Jr|Sr|Esq|Co|Corp|Inc|Ltd|Bros|No|Nos|Vol|vol|Fig|fig|Sec|sec|Art|art|Ch|ch|p|pp|cf|vs|v|viz|etc|e\.g|i\.e|al|approx|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|U\.S|U\.N|U\.K|[A-Z])\.["'”’)\]]*$/;

/** Between two turns of the event loop at most this much is split; a paragraph or a line that is longer is taken for several. */
const MOST_AT_ONCE = 16 * 1024;
/** What is longer is a sentence, whatever its end looks like. */
const LONGEST_JOINED = 2_000;

let english: Intl.Segmenter | undefined;

/** Made once: it costs more than splitting a page. The rules are the same for all languages that end a sentence with a mark. */
function segmenter(): Intl.Segmenter {
  return (english ??= new Intl.Segmenter('en', { granularity: 'sentence' }));
}

/** In order. Lines within a paragraph are joined; a blank line or a heading ends a sentence whatever its last character is. */
export function* sentencesOf(text: string): Generator<Sentence> {
  let paragraph = 0;
  for (const block of text.split(/\r?\n[ \t]*\r?\n\s*/)) {
    for (const part of withoutHeadings(block)) {
      yield* sentencesOfLine(part, paragraph);
      paragraph += 1;
    }
  }
}

/** A line in capitals, or one marked as in Markdown, stands by itself; the others of a block are one paragraph. */
function* withoutHeadings(block: string): Generator<string> {
  let lines: string[] = [];
  let size = 0;
  for (const line of block.split(/\r?\n/)) {
    const heading = isHeading(line);
    if (heading || size + line.length > MOST_AT_ONCE) {
      yield* oneLine(lines.join(' '));
      lines = [];
      size = 0;
    }
    if (heading) yield* oneLine(line.replace(/^\s*#+\s*/, ''));
    else {
      lines.push(line);
      size += line.length;
    }
  }
  yield* oneLine(lines.join(' '));
}

function* oneLine(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = start + MOST_AT_ONCE;
    // Not through the middle of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end += 1;
    const line = text.slice(start, end).replace(/\s+/g, ' ').trim();
    if (line !== '') yield line;
    start = end;
  }
}

/** "Fellow-Citizens of the Senate and House of Representatives: …": a few capitalized words and a colon, then the sentence itself. */
const ADDRESS =
  /^(?:\p{Lu}[\p{L}'’-]*|of|the|and|to|my|in|for|&)(?:,? (?:\p{Lu}[\p{L}'’-]*|of|the|and|to|my|in|for|&)){0,13}: (?=["“]?\p{Lu})/u;
/** "NATIONAL ENERGY POLICY As a result …": a heading that has lost its line. A single short word may be a name. */
const STUCK_HEADING =
  /^(?=[\p{Lu}\s,&'’/-]{9})(?:\p{Lu}[\p{Lu}'’/-]+[, &]+)+(?=\p{Lu}\p{Ll}|\p{Lu} \p{Ll}|A )/u;

function isHeading(line: string): boolean {
  if (line.length > 120) return false;
  return /^\s*#{1,6}\s/.test(line) || (/\p{Lu}{3}/u.test(line) && !/\p{Ll}/u.test(line));
}

function* sentencesOfLine(line: string, paragraph: number): Generator<Sentence> {
  let pending = '';
  for (const { segment } of segmenter().segment(line)) {
    pending += segment;
    const candidate = pending.trimEnd();
    if (candidate === '' || (candidate.length < LONGEST_JOINED && ABBREVIATION.test(candidate.slice(-24))))
      continue;
    yield { text: candidate.trimStart().replace(STUCK_HEADING, '').replace(ADDRESS, ''), paragraph };
    pending = '';
  }
  const rest = pending.trim();
  if (rest !== '') yield { text: rest, paragraph };
}
