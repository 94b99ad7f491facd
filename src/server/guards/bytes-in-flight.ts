// Bytes in flight: how much of what was sent is being read, parsed or answered, of each caller and in all, so that nobody fills the memory.
import type { ServerLimits } from '../options.ts';

export type BytesLimits = Pick<ServerLimits, 'maxBytesInFlight' | 'maxBytesInFlightPerCaller'>;

/** The limit that stands in the way; undefined: there is room, and it is taken. */
export type NoRoom = keyof BytesLimits | undefined;

/** What one request or message holds; it may grow while it is read. */
export interface HeldBytes {
  grow(bytes: number): NoRoom;
  /** Gives all of it back; once is enough. */
  release(): void;
}

/** A caller that holds nothing is forgotten (INV-14). */
export class BytesInFlight {
  readonly #limits: BytesLimits;
  readonly #byCaller = new Map<string, number>();
  #total = 0;

  constructor(limits: BytesLimits) {
    this.#limits = limits;
  }

  hold(caller: string): HeldBytes {
    let held = 0;
    return {
      grow: (bytes) => {
        const own = this.#byCaller.get(caller) ?? 0;
        if (own + bytes > this.#limits.maxBytesInFlightPerCaller) return 'maxBytesInFlightPerCaller';
        if (this.#total + bytes > this.#limits.maxBytesInFlight) return 'maxBytesInFlight';
        held += bytes;
        this.#total += bytes;
        this.#byCaller.set(caller, own + bytes);
        return undefined;
      },
      release: () => {
        const left = (this.#byCaller.get(caller) ?? 0) - held;
        this.#total -= held;
        held = 0;
        if (left > 0) this.#byCaller.set(caller, left);
        else this.#byCaller.delete(caller);
      },
    };
  }

  total(): number {
    return this.#total;
  }
}
