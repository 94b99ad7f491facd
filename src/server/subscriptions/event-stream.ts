// The event stream: results as server-sent events, each with the place to come back to, and comments that keep the connection open.
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { HeaderList } from '../headers.ts';
import type { SharedResult } from './shared.ts';

/** The place of a result in its stream: beside what the client asked for, and in no JSON of it. */
const PLACE = Symbol('place');

interface PlacedResult extends SharedResult {
  [PLACE]?: string;
}

export function notePlace(result: ExecutionResult, place: string | null): void {
  if (place !== null) (result as PlacedResult)[PLACE] = place;
}

export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache',
  'X-Accel-Buffering': 'no',
} as const;
const HEADER_LIST: HeaderList = Object.entries(EVENT_STREAM_HEADERS).flat();

/** Some browsers take a stream for open only when something has come: it is the first thing that is sent, too. */
const PING = ':\n\n';
const PING_MS = 12_000;
const COMPLETE = 'event: complete\ndata:\n\n';

type Stringify = (result: ExecutionResult) => string;

/** One result as the protocol "GraphQL over SSE" has it in distinct connections mode, with an `id` where there is a place. */
function eventText(result: PlacedResult, stringify: Stringify): string {
  const place = result[PLACE];
  const text = result.stringify?.() ?? stringify(result);
  return `${place === undefined ? '' : `id: ${place}\n`}event: next\ndata: ${text}\n\n`;
}

/** For who wants a web stream. A result is asked for only when the reader has taken the last one: a slow reader slows nobody but itself. */
export function eventStream(
  results: AsyncIterable<ExecutionResult>,
  stringify: Stringify,
): ReadableStream<Uint8Array> {
  const iterator = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let ping: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
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
      controller.enqueue(encoder.encode(eventText(next.value, stringify)));
    },
    async cancel() {
      clearInterval(ping);
      await iterator.return?.();
    },
  });
}

/**
 * A run's first event says only that it is there. It leaves with the one that follows, or a little later: until then the server has better to do,
 * which is to call the provider.
 */
const FIRST_WAITS_MS = 1;

/** The same, straight into the answer: a web stream costs more than what it carries. */
export async function sendEvents(
  results: AsyncIterable<ExecutionResult>,
  stringify: Stringify,
  headers: HeaderList,
  response: ServerResponse,
): Promise<void> {
  const iterator = results[Symbol.asyncIterator]();
  // Gone while it was being begun: its end has been told already.
  if (response.destroyed) return void iterator.return?.();
  let drained: (() => void) | undefined;
  const ping = setInterval(() => {
    if (!response.writableNeedDrain) response.write(PING);
  }, PING_MS);
  response.on('drain', () => drained?.());
  response.on('close', () => {
    clearInterval(ping);
    drained?.();
    iterator.return?.().catch(() => undefined);
  });
  response.writeHead(200, [...HEADER_LIST, ...headers]);
  response.cork();
  let isHeld = true;
  const letGo = (): void => {
    clearTimeout(held);
    if (isHeld) response.uncork();
    isHeld = false;
  };
  const held = setTimeout(letGo, FIRST_WAITS_MS);
  response.write(PING);
  for (let events = 1; ; events += 1) {
    const next = await iterator.next();
    if (response.destroyed || next.done === true) break;
    const hasRoom = response.write(eventText(next.value, stringify));
    if (events === 2) letGo();
    if (!hasRoom)
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
  }
  letGo();
  if (!response.destroyed) response.end(COMPLETE);
}
