// Channel: values pushed on one side, read at the reader's own pace on the other, with a bound on what waits between.

export interface ChannelOptions<Value> {
  /** How many values may wait for the reader. One more, and it is dropped. */
  readonly limit: number;
  /** A value that says what these two say, so that a slow reader costs no more room; undefined: they cannot be made one. */
  readonly merge?: (last: Value, next: Value) => Value | undefined;
  /** What the reader is told when it is dropped. */
  readonly overflow: () => Error;
  /** Called once, however it ends: the reader went away, the writer ended it, it failed or was dropped. */
  readonly onClose?: (reason: 'reader' | 'writer' | 'dropped') => void;
}

type Waiter<Value> = {
  readonly resolve: (result: IteratorResult<Value, undefined>) => void;
  readonly reject: (error: Error) => void;
};

/**
 * An async iterator without a generator behind it: `return()` ends it at once, even while a `next()` waits,
 * which an async generator that is suspended in an `await` cannot do.
 */
export class Channel<Value> implements AsyncGenerator<Value, undefined, undefined> {
  readonly #options: ChannelOptions<Value>;
  readonly #waiting: Value[] = [];
  readonly #readers: Waiter<Value>[] = [];
  #ended = false;
  #closed = false;
  #error: Error | undefined;

  constructor(options: ChannelOptions<Value>) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How many values wait to be read. */
  get waiting(): number {
    return this.#waiting.length;
  }

  push(value: Value): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value });
      return;
    }
    const last = this.#waiting.at(-1);
    const merged = last === undefined ? undefined : this.#options.merge?.(last, value);
    if (merged !== undefined) {
      this.#waiting[this.#waiting.length - 1] = merged;
      return;
    }
    if (this.#waiting.length >= this.#options.limit) {
      this.#waiting.length = 0;
      this.#finish('dropped', this.#options.overflow());
      return;
    }
    this.#waiting.push(value);
  }

  /** No more values; what waits can still be read. */
  end(): void {
    this.#finish('writer');
  }

  /** Ends with an error, after what waits. */
  fail(error: Error): void {
    this.#finish('writer', error);
  }

  /** Takes away what waits and ends with an error: the reader is too slow to be served. */
  drop(error: Error): void {
    this.#waiting.length = 0;
    this.#finish('dropped', error);
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Value, undefined>> {
    this.#waiting.length = 0;
    this.#error = undefined;
    this.#finish('reader');
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: Error): Promise<IteratorResult<Value, undefined>> {
    this.#finish('reader');
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(reason: 'reader' | 'writer' | 'dropped', error?: Error): void {
    if (!this.#ended) {
      this.#ended = true;
      const readers = this.#readers.splice(0);
      if (error !== undefined && readers.length > 0) readers.shift()?.reject(error);
      else this.#error = error;
      for (const reader of readers) reader.resolve({ done: true, value: undefined });
    }
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClose?.(reason);
  }
}
