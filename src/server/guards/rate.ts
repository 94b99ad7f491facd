// Rate: requests per minute and operations under way, of each key.
import type { Clock } from '../../common/clock.ts';

const MINUTE_MS = 60_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket per key: a minute's worth may come at once, then they come back evenly. Only keys that the ring knows get here, so it is bounded (INV-14). */
export class RequestRates {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: go on; else milliseconds until the next request of this key may come. */
  take(keyId: string, perMinute: number): number {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(keyId) ?? { tokens: perMinute, atMs: nowMs };
    bucket.tokens = Math.min(perMinute, bucket.tokens + ((nowMs - bucket.atMs) * perMinute) / MINUTE_MS);
    bucket.atMs = nowMs;
    this.#buckets.set(keyId, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - bucket.tokens) * MINUTE_MS) / perMinute);
  }
}

/** How many of something a caller has under way. A caller with none is forgotten. */
export class Concurrency {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** false: the caller has as many as it may. Each `true` is given back with `leave`. */
  enter(caller: string): boolean {
    const count = this.#counts.get(caller) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(caller, count + 1);
    return true;
  }

  leave(caller: string): void {
    const count = this.#counts.get(caller) ?? 0;
    if (count <= 1) this.#counts.delete(caller);
    else this.#counts.set(caller, count - 1);
  }

  total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}
