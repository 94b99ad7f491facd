// Adds up many encoded histograms: an array of counts is quicker to add to than a map, and too large to keep one for each row.
import { LAST_BUCKET, countInto } from './histogram.ts';
import type { Histogram } from './histogram.ts';

export class DenseHistogram {
  readonly #counts = new Float64Array(LAST_BUCKET + 1);

  /** Adds what `encodeHistogram` wrote, or takes it away. */
  add(bytes: Uint8Array, sign: 1 | -1 = 1): void {
    const { length } = bytes;
    for (let at = 0; at < length;) {
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
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + sign * (times + byte * scale);
    }
  }

  addTo(histogram: Histogram): void {
    this.#counts.forEach((times, bucket) => {
      if (times > 0) countInto(histogram, bucket, times);
    });
  }

  toHistogram(): Histogram {
    const histogram: Histogram = new Map();
    this.addTo(histogram);
    return histogram;
  }
}
