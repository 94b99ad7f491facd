// LexRank with continuous weights (Erkan and Radev, 2004): sentences vote for those they resemble, by TF-IDF cosine.

export interface Ranking {
  /** One per sentence; the mean is 1. */
  readonly scores: Float64Array;
  /** Cosine similarity of two sentences, 0 to 1. */
  readonly similarity: (first: number, second: number) => number;
}

const DAMPING = 0.85;
const ITERATIONS = 30;
const ENOUGH = 1e-4;
/** A word in more than this share of the sentences tells nothing about any of them, and costs the most to compare. */
const TOO_COMMON = 0.15;
/** Weaker resemblance is chance. */
const MIN_SIMILARITY = 0.04;
/** How many sentences are compared with all others before the event loop gets a turn. */
const SENTENCES_PER_TURN = 32;

/** `pause` is awaited between pieces of work of about a millisecond. */
export async function rank(
  sentences: readonly (readonly string[])[],
  pause: () => Promise<void>,
): Promise<Ranking> {
  const vectors = weigh(sentences);
  const postings = new Map<number, { readonly sentence: number; readonly weight: number }[]>();
  for (const [sentence, vector] of vectors.entries()) {
    for (const [term, weight] of vector) {
      const found = postings.get(term);
      if (found) found.push({ sentence, weight });
      else postings.set(term, [{ sentence, weight }]);
    }
  }
  const common = Math.max(8, sentences.length * TOO_COMMON);
  const neighbours: { readonly to: Int32Array; readonly share: Float64Array }[] = [];
  const dots = new Float64Array(sentences.length);
  for (const [sentence, vector] of vectors.entries()) {
    const touched: number[] = [];
    for (const [term, weight] of vector) {
      const list = postings.get(term) ?? [];
      if (list.length > common) continue;
      for (const other of list) {
        if (dots[other.sentence] === 0) touched.push(other.sentence);
        dots[other.sentence] = (dots[other.sentence] ?? 0) + weight * other.weight;
      }
    }
    const kept = touched.filter((other) => other !== sentence && (dots[other] ?? 0) >= MIN_SIMILARITY);
    const share = Float64Array.from(kept, (other) => dots[other] ?? 0);
    const total = share.reduce((sum, value) => sum + value, 0);
    neighbours.push({ to: Int32Array.from(kept), share: share.map((value) => value / total) });
    for (const other of touched) dots[other] = 0;
    if (sentence % SENTENCES_PER_TURN === SENTENCES_PER_TURN - 1) await pause();
  }
  const scores = await settleVotes(neighbours, pause);
  return { scores, similarity: (first, second) => cosine(vectors[first], vectors[second]) };
}

/** Power iteration; a sentence that resembles no other spreads its vote over all. */
async function settleVotes(
  neighbours: readonly { readonly to: Int32Array; readonly share: Float64Array }[],
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const count = neighbours.length;
  let scores = new Float64Array(count).fill(1);
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    let loose = 0;
    const next = new Float64Array(count);
    for (const [sentence, { to, share }] of neighbours.entries()) {
      const score = scores[sentence] ?? 0;
      if (to.length === 0) loose += score;
      for (let index = 0; index < to.length; index += 1) {
        const other = to[index] ?? 0;
        next[other] = (next[other] ?? 0) + score * (share[index] ?? 0);
      }
    }
    let change = 0;
    for (let sentence = 0; sentence < count; sentence += 1) {
      const score = 1 - DAMPING + DAMPING * ((next[sentence] ?? 0) + loose / count);
      change += Math.abs(score - (scores[sentence] ?? 0));
      next[sentence] = score;
    }
    scores = next;
    if (change / count < ENOUGH) break;
    await pause();
  }
  return scores;
}

/** Term → weight, with length 1. Terms are numbered; a repeated word counts by its logarithm. */
function weigh(sentences: readonly (readonly string[])[]): Map<number, number>[] {
  const numbers = new Map<string, number>();
  const documentFrequency: number[] = [];
  const counts = sentences.map((words) => {
    const count = new Map<number, number>();
    for (const word of words) {
      let term = numbers.get(word);
      if (term === undefined) {
        term = numbers.size;
        numbers.set(word, term);
        documentFrequency.push(0);
      }
      const before = count.get(term) ?? 0;
      if (before === 0) documentFrequency[term] = (documentFrequency[term] ?? 0) + 1;
      count.set(term, before + 1);
    }
    return count;
  });
  for (const count of counts) {
    let squares = 0;
    for (const [term, frequency] of count) {
      const weight =
        (1 + Math.log(frequency)) * Math.log(1 + sentences.length / (documentFrequency[term] ?? 1));
      count.set(term, weight);
      squares += weight * weight;
    }
    const length = Math.sqrt(squares);
    for (const [term, weight] of count) count.set(term, weight / length);
  }
  return counts;
}

function cosine(
  first: ReadonlyMap<number, number> | undefined,
  second: ReadonlyMap<number, number> | undefined,
): number {
  if (!first || !second) return 0;
  const [small, large] = first.size <= second.size ? [first, second] : [second, first];
  let dot = 0;
  for (const [term, weight] of small) dot += weight * (large.get(term) ?? 0);
  return dot;
}
