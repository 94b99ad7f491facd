// Splits a text into sentences: Unicode's rules, mended where an abbreviation only looks like an end.

export interface Sentence {
  /** One line, as in the text. */
  readonly text: string;
  /** Its paragraph, from 0. */
  readonly paragraph: number;
}

const ABBREVIATION =
  /(?:^|[\s("'“‘[])(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Gen|Col|Maj|Capt|Lt|Sgt|Gov|Sen|Rep|Pres|St|Mt|Ft|Jr|Sr|Esq|Co|Corp|Inc|Ltd|Bros|No|Nos|Vol|vol|Fig|fig|Sec|sec|Art|art|Ch|ch|p|pp|cf|vs|v|viz|etc|e\.g|i\.e|al|approx|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|U\.S|U\.N|U\.K|[A-Z])\.["'”’)\]]*$/;

const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(): Intl.Segmenter {
  let found = segmenters.get('en');
  // Made once: it costs more than splitting a page. The rules are the same for all languages that end a sentence with a mark.
  if (found === undefined)
    segmenters.set('en', (found = new Intl.Segmenter('en', { granularity: 'sentence' })));
  return found;
}

/** In order. Lines within a paragraph are joined; a blank line ends a sentence whatever its last character is. */
export function* sentencesOf(text: string): Generator<Sentence> {
  let paragraph = 0;
  for (const block of text.split(/\r?\n[ \t]*\r?\n\s*/)) {
    const line = block.replace(/\s+/g, ' ').trim();
    if (line === '') continue;
    yield* sentencesOfLine(line, paragraph);
    paragraph += 1;
  }
}

function* sentencesOfLine(line: string, paragraph: number): Generator<Sentence> {
  let pending = '';
  for (const { segment } of segmenter().segment(line)) {
    pending += segment;
    const candidate = pending.trimEnd();
    if (candidate === '' || ABBREVIATION.test(candidate.slice(-24))) continue;
    yield { text: candidate.trimStart(), paragraph };
    pending = '';
  }
  const rest = pending.trim();
  if (rest !== '') yield { text: rest, paragraph };
}
