// SlowReaders: connections that stop reading what they subscribed to are told why and dropped; nobody else waits for them.
import type { Clock } from '../../common/clock.ts';
import type { ServerLimits } from '../options.ts';

export interface SubscriptionReader {
  /** Bytes that were written and have not left the process. */
  buffered(): number;
  drop(reason: string): void;
  /** Called each time all readers are looked at. */
  tick?(nowMs: number): void;
}

/** Looks at all readers with one timer, however many there are. */
export class SlowReaders {
  readonly #clock: Clock;
  readonly #limits: Pick<ServerLimits, 'maxBufferedBytes' | 'slowReaderMs' | 'keepAliveMs'>;
  readonly #onDropped: (reason: 'buffer' | 'time') => void;
  /** Since when its buffer has not been empty; null: it is. */
  readonly #readers = new Map<SubscriptionReader, { fullSinceMs: number | null }>();
  #cancel: (() => void) | undefined;

  constructor(
    clock: Clock,
    limits: Pick<ServerLimits, 'maxBufferedBytes' | 'slowReaderMs' | 'keepAliveMs'>,
    onDropped: (reason: 'buffer' | 'time') => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  /** The function returned forgets the reader. */
  add(reader: SubscriptionReader): () => void {
    this.#readers.set(reader, { fullSinceMs: null });
    this.#schedule();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.stop();
    };
  }

  get size(): number {
    return this.#readers.size;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    const { slowReaderMs, keepAliveMs } = this.#limits;
    this.#cancel ??= this.#clock.after(Math.min(1000, slowReaderMs, keepAliveMs), () => {
      this.#cancel = undefined;
      this.#look();
      if (this.#readers.size > 0) this.#schedule();
    });
  }

  #look(): void {
    const { maxBufferedBytes, slowReaderMs } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    for (const [reader, state] of this.#readers) {
      const buffered = reader.buffered();
      state.fullSinceMs = buffered === 0 ? null : (state.fullSinceMs ?? nowMs);
      if (buffered > maxBufferedBytes)
        this.#drop(reader, 'buffer', `slow reader: more than ${maxBufferedBytes} bytes wait to be read`);
      else if (state.fullSinceMs !== null && nowMs - state.fullSinceMs >= slowReaderMs)
        this.#drop(reader, 'time', `slow reader: not all was read for ${slowReaderMs} ms`);
      else reader.tick?.(nowMs);
    }
  }

  #drop(reader: SubscriptionReader, why: 'buffer' | 'time', reason: string): void {
    this.#readers.delete(reader);
    this.#onDropped(why);
    reader.drop(reason);
  }
}
