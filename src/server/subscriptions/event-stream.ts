// The event stream: results as server-sent events, each with the place to come back to, and comments that keep the connection open.
import type { ExecutionResult } from 'graphql';
import type { SharedResult } from './shared.ts';

/** The place of a result in its stream; kept beside it, so that the result stays what the client asked for. */
const places = new WeakMap<ExecutionResult, string>();

export function notePlace(result: ExecutionResult, place: string | null): void {
  if (place !== null) places.set(result, place);
}

const PING = ':\n\n';
const PING_MS = 12_000;
const COMPLETE = 'event: complete\ndata:\n\n';

/** One result as the protocol "GraphQL over SSE" has it in distinct connections mode, with an `id` where there is a place. */
export function eventText(result: ExecutionResult, text: string): string {
  const place = places.get(result);
  return `${place === undefined ? '' : `id: ${place}\n`}event: next\ndata: ${text}\n\n`;
}

/** Pulls a result only when the reader has taken the last one: a slow reader slows nobody but itself. */
export function eventStream(
  results: AsyncIterable<ExecutionResult>,
  stringify: (result: ExecutionResult) => string,
): ReadableStream<Uint8Array> {
  const iterator = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let ping: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // Some browsers take a stream for open only when something has come.
      controller.enqueue(encoder.encode(PING));
      ping = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(PING));
      }, PING_MS);
    },
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) {
        clearInterval(ping);
        controller.enqueue(encoder.encode(COMPLETE));
        controller.close();
        return;
      }
      const result: SharedResult = next.value;
      controller.enqueue(encoder.encode(eventText(result, result.stringify?.() ?? stringify(result))));
    },
    async cancel() {
      clearInterval(ping);
      await iterator.return?.();
    },
  });
}
