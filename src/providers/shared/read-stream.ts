// Reads a streamed answer to its end, and judges what is wrong with it: cut, malformed, or merely untidy (INV-10).
import type { Readable } from 'node:stream';
import type { Clock } from '../../common/clock.ts';
import type { AnswerReader, JsonMembers } from './reading.ts';
import { members } from './reading.ts';
import { ServerEventReader } from './sse.ts';

export interface StreamWatch {
  /** A piece of text for the caller. */
  readonly onText: ((delta: string) => void) | null;
  readonly onProgress: ((kind: 'token' | 'other') => void) | null;
}

export type StreamEnd =
  /** `notes`: what was out of order and why the answer counts all the same. */
  | { readonly kind: 'complete'; readonly notes: readonly string[] }
  /** It ended, or its connection broke, before the provider said that the answer was finished. */
  | { readonly kind: 'cut'; readonly message: string }
  | { readonly kind: 'malformed'; readonly message: string }
  /** The provider reported an error in the middle. */
  | { readonly kind: 'failed' };

/**
 * After the finish reason the usage may come in a further event. A server that sends neither usage, end marker nor the end of the
 * stream is waited for no longer than this.
 */
const USAGE_GRACE_MS = 500;
/** What follows the answer (an end marker, the last chunk) is read for the sake of the socket's reuse, no longer than this. */
const DRAIN_MS = 250;
/** More than these in one answer is not a slip. */
const MOST_MALFORMED = 3;

/** A damaged event with one of these in it may have carried a piece of the answer. */
const CARRIES_OUTPUT = /"(?:content|text|delta|partial_json|output_text|refusal|arguments)"/;

/** Resolves when the answer is complete or lost. The body is closed or drained by then. @throws what `watch` throws */
export function readStream(
  body: Readable,
  reader: AnswerReader,
  watch: StreamWatch,
  clock: Clock,
): Promise<StreamEnd> {
  return new Promise((resolve, reject) => {
    const { reading } = reader;
    const damaged: string[] = [];
    let damagedOutput = false;
    let pieces = 0;
    /** Given to the caller. While a damaged event may have held a piece, nothing more is given: that much can still be taken back. */
    let given = 0;
    let settled = false;
    let cancelGrace: (() => void) | undefined;

    const settle = (end: StreamEnd): void => {
      if (settled) return;
      settled = true;
      cancelGrace?.();
      body.removeListener('data', onData);
      if (end.kind === 'complete') drain(body, clock);
      else body.destroy();
      resolve(end);
    };
    const give = (): void => {
      const rest = reading.text.slice(given);
      given = reading.text.length;
      if (rest !== '') watch.onText?.(rest);
    };
    const judgeFinished = (): void => {
      const notes: string[] = [];
      if (damaged.length > 0) {
        const verdict = judgeDamage(reader, damaged, damagedOutput, pieces, given);
        if (verdict.kind === 'malformed') {
          settle(verdict);
          return;
        }
        if (verdict.kind === 'complete') notes.push(...verdict.notes);
        if (reading.wholeText !== null) reading.text = reading.wholeText;
        give();
      }
      if (reading.usage === null) notes.push('the provider reported no usage');
      settle({ kind: 'complete', notes });
    };
    const judgeEnd = (broken: string | null): void => {
      if (settled) return;
      if (reading.finishReason !== null || reading.blocked !== null) judgeFinished();
      else if (damaged.length > 0)
        settle({
          kind: 'malformed',
          message: `no finish reason came, after a damaged event: ${damaged[0] ?? ''}`,
        });
      else settle({ kind: 'cut', message: broken ?? 'the stream ended without a finish reason' });
    };

    const onEvent = (_name: string, data: string): void => {
      if (settled) return;
      if (data === '[DONE]') {
        judgeEnd('the stream ended without a finish reason');
        return;
      }
      const event = parse(data);
      if (event === undefined) {
        damaged.push(data.slice(0, 120));
        damagedOutput ||= CARRIES_OUTPUT.test(data);
        watch.onProgress?.('other');
        if (damaged.length > MOST_MALFORMED)
          settle({ kind: 'malformed', message: `${damaged.length} damaged events: ${damaged[0] ?? ''}` });
        return;
      }
      const piece = reader.event(event);
      watch.onProgress?.(piece.isOutput ? 'token' : 'other');
      if (piece.text !== '') {
        pieces += 1;
        reading.text += piece.text;
        if (!damagedOutput) give();
      }
      if (reading.failure !== null) settle({ kind: 'failed' });
      else if (reading.complete) judgeFinished();
      else if (reading.finishReason !== null)
        cancelGrace ??= clock.after(USAGE_GRACE_MS, () => judgeEnd(null));
    };

    const events = new ServerEventReader(onEvent, () => watch.onProgress?.('other'));
    const guarded = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        settled = true;
        cancelGrace?.();
        body.destroy();
        reject(error);
      }
    };
    const onData = (chunk: Uint8Array): void => guarded(() => events.push(chunk));
    body.on('data', onData);
    body.once('end', () =>
      guarded(() => {
        if (!settled) events.end();
        judgeEnd(null);
      }),
    );
    // The listener stays for the body's life: a socket that is closed after the answer must not raise an unhandled error.
    body.on('error', (error) => guarded(() => judgeEnd(`the stream broke: ${error.message}`)));
    body.once('close', () => guarded(() => judgeEnd('the stream was closed')));
  });
}

function parse(data: string): JsonMembers | undefined {
  try {
    return members(JSON.parse(data));
  } catch {
    return undefined;
  }
}

/** Whether the answer is whole although events were damaged: by the provider's own count or copy of it, never by hope. */
function judgeDamage(
  { reading }: AnswerReader,
  damaged: readonly string[],
  damagedOutput: boolean,
  pieces: number,
  given: number,
): StreamEnd {
  const skipped = `skipped ${damaged.length === 1 ? 'a damaged event' : `${damaged.length} damaged events`}`;
  if (reading.wholeText !== null) {
    if (reading.wholeText.startsWith(reading.text.slice(0, given))) {
      return { kind: 'complete', notes: [`${skipped}: the provider repeated the whole text at the end`] };
    }
    return {
      kind: 'malformed',
      message: `a damaged event left a gap in text that was already given: ${damaged[0] ?? ''}`,
    };
  }
  if (!damagedOutput) return { kind: 'complete', notes: [`${skipped}: nothing in it looked like output`] };
  if (reading.usage !== null && pieces >= reading.usage.outputTokens - reading.usage.reasoningTokens) {
    return {
      kind: 'complete',
      notes: [`${skipped}: as many pieces came as the provider counts output tokens`],
    };
  }
  return {
    kind: 'malformed',
    message: `a damaged event may have held a piece of the answer: ${damaged[0] ?? ''}`,
  };
}

/** Reads away what is left, so that the socket can serve the next call; a server that keeps the stream open loses it. */
function drain(body: Readable, clock: Clock): void {
  if (body.readableEnded || body.destroyed) return;
  const cancel = clock.after(DRAIN_MS, () => body.destroy());
  body.once('close', cancel);
  body.resume();
}
