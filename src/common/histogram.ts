// Histograms of durations whose buckets grow by 2^(1/16): quantiles within 2.2 %, mergeable by adding, a few dozen bytes on disk. A map of counts to send and to
// keep many of; an array of them to add to quickly.

/** Counts by bucket; bucket b holds durations around 0.1 ms × 2^(b/16). */
export type Histogram = Map<number, number>;

const SMALLEST_MS = 0.1;
const BUCKETS_PER_OCTAVE = 16;
/** About 18 hours; beyond it a duration is counted here. */
const LAST_BUCKET = 470;

export function bucketOf(durationMs: number): number {
  if (!(durationMs > SMALLEST_MS)) return 0;
  return Math.min(LAST_BUCKET, Math.round(Math.log2(durationMs / SMALLEST_MS) * BUCKETS_PER_OCTAVE));
}

export function durationOf(bucket: number): number {
  return SMALLEST_MS * 2 ** (bucket / BUCKETS_PER_OCTAVE);
}

export function countInto(histogram: Histogram, bucket: number, times: number): void {
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + times);
}

/** The duration that each share of all counted ones do not exceed, of a histogram or of what `encodeHistogram` wrote; null: nothing was counted. */
export function quantilesMs<const Shares extends readonly number[]>(
  histogram: Histogram | Uint8Array,
  shares: Shares,
): { readonly [index in keyof Shares]: number | null } {
  counted.clear();
  if (histogram instanceof Map) for (const [bucket, times] of histogram) counted.count(bucket, times);
  else counted.add(histogram);
  // As many as there are shares, which `map` does not say.
  return shares.map((share) => counted.quantileMs(share)) as never;
}

/** A count takes at most eight bytes of seven bits, a bucket two. */
const MOST_BYTES_A_BUCKET = 10;
const scratch = new Uint8Array((LAST_BUCKET + 1) * MOST_BYTES_A_BUCKET);

/** Pairs of bucket and count, as unsigned LEB128, in any order; a bucket may come twice, so that one after the other they are their sum. */
export function encodeHistogram(histogram: Histogram): Uint8Array {
  let end = 0;
  for (const [bucket, times] of histogram) end = writeVarint(times, writeVarint(bucket, end));
  return scratch.slice(0, end);
}

/** Where the next one goes. */
function writeVarint(value: number, at: number): number {
  let rest = value;
  let end = at;
  while (rest >= 128) {
    scratch[end] = (rest % 128) + 128;
    end += 1;
    rest = Math.floor(rest / 128);
  }
  scratch[end] = rest;
  return end + 1;
}

/** Adds what was encoded to a histogram. */
export function decodeInto(histogram: Histogram, bytes: Uint8Array): void {
  let bucket = -1;
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 128) * scale;
    if (byte >= 128) {
      scale *= 128;
      continue;
    }
    if (bucket < 0) bucket = value;
    else {
      countInto(histogram, bucket, value);
      bucket = -1;
    }
    value = 0;
    scale = 1;
  }
}

/** Quicker to add to than a map, and too large to keep one for each row. */
export class DenseHistogram {
  readonly #counts = new Float64Array(LAST_BUCKET + 1);
  #total = 0;
  #first = LAST_BUCKET;
  #last = 0;

  /** Of what was counted; fractions where it was halved. */
  get total(): number {
    return this.#total;
  }

  record(durationMs: number, times = 1): void {
    this.count(bucketOf(durationMs), times);
  }

  /** So that what comes weighs more than what was. */
  halve(): void {
    this.#total = 0;
    for (let bucket = 0; bucket <= LAST_BUCKET; bucket += 1) {
      const times = (this.#counts[bucket] ?? 0) / 2;
      this.#counts[bucket] = times;
      this.#total += times;
    }
  }

  /** A duration that `share` of all counted ones do not exceed: the upper edge of its bucket; null: nothing was counted. */
  upperQuantileMs(share: number): number | null {
    let left = this.#total * Math.min(1, Math.max(0, share));
    let last: number | null = null;
    for (let bucket = 0; bucket <= LAST_BUCKET; bucket += 1) {
      const times = this.#counts[bucket] ?? 0;
      if (times === 0) continue;
      last = bucket;
      left -= times;
      // Halved counts add up to the total only within rounding.
      if (left <= 1e-9) break;
    }
    return last === null ? null : durationOf(last + 0.5);
  }

  /** The duration that `share` of all counted ones do not exceed; null: nothing was counted. */
  quantileMs(share: number): number | null {
    let left = Math.max(1, Math.ceil(this.#total * share));
    for (let bucket = this.#first; bucket <= this.#last; bucket += 1) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return durationOf(bucket);
    }
    return null;
  }

  /** Adds what `encodeHistogram` wrote, or takes it away; `from`, `to`: where it stands. */
  add(bytes: Uint8Array, sign: 1 | -1 = 1, from = 0, to = bytes.length): void {
    for (let at = from; at < to;) {
      let bucket = 0;
      let scale = 1;
      let byte = bytes[at] ?? 0;
      for (at += 1; byte >= 128; at += 1) {
        bucket += (byte - 128) * scale;
        scale *= 128;
        byte = bytes[at] ?? 0;
      }
      bucket += byte * scale;
      let times = 0;
      scale = 1;
      byte = bytes[at] ?? 0;
      for (at += 1; byte >= 128; at += 1) {
        times += (byte - 128) * scale;
        scale *= 128;
        byte = bytes[at] ?? 0;
      }
      this.count(bucket, sign * (times + byte * scale));
    }
  }

  /** As `encodeHistogram` writes it. */
  encode(): Uint8Array {
    let end = 0;
    for (let bucket = this.#first; bucket <= this.#last; bucket += 1) {
      const times = this.#counts[bucket] ?? 0;
      if (times > 0) end = writeVarint(times, writeVarint(bucket, end));
    }
    return scratch.slice(0, end);
  }

  clear(): void {
    this.#counts.fill(0, this.#first, this.#last + 1);
    this.#total = 0;
    this.#first = LAST_BUCKET;
    this.#last = 0;
  }

  count(bucket: number, times: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#total += times;
    if (bucket < this.#first) this.#first = bucket;
    if (bucket > this.#last) this.#last = bucket;
  }
}

const NOTHING: Uint8Array = new Uint8Array();

/** What is longer is several of them, one after the other. */
const LONGEST = 1_000;

/** A sum of what `encodeHistogram` wrote. Of many groups there is one for each, which is left as it is. */
export class HistogramSum {
  #only = NOTHING;
  #sum: DenseHistogram | null = null;

  add(bytes: Uint8Array, sign: 1 | -1, from = 0, to = bytes.length): void {
    if (from === to) return;
    if (this.#sum === null && this.#only === NOTHING && sign === 1) this.#only = bytes.subarray(from, to);
    else this.#added().add(bytes, sign, from, to);
  }

  record(durationMs: number, times: number): void {
    this.#added().record(durationMs, times);
  }

  encoded(): Uint8Array {
    if (this.#sum === null && this.#only.length <= LONGEST) return this.#only;
    return this.#added().encode();
  }

  #added(): DenseHistogram {
    if (this.#sum !== null) return this.#sum;
    this.#sum = new DenseHistogram();
    this.#sum.add(this.#only);
    return this.#sum;
  }
}

/** Of the one that is asked for quantiles. */
const counted = new DenseHistogram();
