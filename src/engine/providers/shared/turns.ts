// A streamed body in turns: what comes together is handed on together, and where the core is short a body is left unread between two turns.
import type { Readable } from 'node:stream';
import type { Clock } from '../../../common/clock.ts';

export interface Turns {
  readonly clock: Clock;
  /** Asked at the end of each turn. See `CallContext`. */
  readonly restMs: (() => number) | undefined;
  readonly onChunk: (chunk: Buffer) => void;
  /** All chunks of a turn have come. */
  readonly onTurn: () => void;
}

/** Begins to read. While the body is left alone its server is held back by TCP, when what the system keeps for it is full. */
export function readInTurns(body: Readable, { clock, restMs, onChunk, onTurn }: Turns): void {
  let isAsked = false;
  const turn = (): void => {
    isAsked = false;
    onTurn();
    const delayMs = restMs?.() ?? 0;
    if (delayMs <= 0 || body.destroyed || body.readableEnded) return;
    body.pause();
    clock.after(delayMs, () => body.resume());
  };
  body.on('data', (chunk: Buffer) => {
    onChunk(chunk);
    if (isAsked) return;
    isAsked = true;
    queueMicrotask(turn);
  });
}
