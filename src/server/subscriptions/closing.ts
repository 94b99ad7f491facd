// Closing: an async iterable that says what comes through it, and once when it is over, whichever way it ends.

export function closing<Value>(
  source: AsyncIterable<Value>,
  onEnd: () => void,
  onValue: (value: Value) => void = () => {},
): AsyncGenerator<Value, undefined, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    onEnd();
  };
  const seen = (result: IteratorResult<Value>): IteratorResult<Value, undefined> => {
    if (result.done !== true) {
      onValue(result.value);
      return result;
    }
    end();
    return { done: true, value: undefined };
  };
  const failed = (error: unknown): never => {
    end();
    throw error;
  };
  return {
    next: () => iterator.next().then(seen, failed),
    async return() {
      end();
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    async throw(error) {
      end();
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return(undefined);
    },
  };
}
