// Direct frames: results that are text already go to the WebSocket as they are, without being made text again for each subscriber.
import type { ExecutionResult } from 'graphql';
import type { WebSocket } from 'ws';
import type { SharedResult } from './shared.ts';

export function isAsyncIterable(value: unknown): value is AsyncIterable<ExecutionResult> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Results whose text is made once for all subscribers are sent as that text; graphql-ws gets to see only the others. */
export function directly(
  socket: WebSocket,
  id: string,
  results: AsyncIterable<ExecutionResult>,
): AsyncGenerator<ExecutionResult, undefined, undefined> {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const iterator = results[Symbol.asyncIterator]();
  return {
    async next() {
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return { done: true, value: undefined };
        const { stringify } = next.value as SharedResult;
        if (stringify === undefined) return next;
        await send(socket, `${head}${stringify()}}`);
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    async throw(error) {
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

/** Resolves when the bytes have left: graphql-ws takes the next event only then, so a slow reader slows nobody but itself. */
export function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) {
      resolve();
      return;
    }
    // An error of a send is followed by the socket's own close: there is nobody left to be told.
    socket.send(data, () => resolve());
  });
}
