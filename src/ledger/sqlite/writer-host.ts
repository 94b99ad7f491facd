// Where the writer runs: in a thread of its own, or in this one for simulations that must not depend on another thread's pace.
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../common/clock.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { explainSqliteError } from './connection.ts';
import type { OpenedWriter, WriterOptions } from './open-writer.ts';
import type { Recovered } from './recovery.ts';
import type { Acknowledgement, Batch, Failure } from './writer.ts';

export interface WriterHost {
  readonly recovered: Recovered;
  /** Calls `send` when it is time for the next batch: at the end of this turn of the event loop, or a little later. */
  schedule(send: () => void): void;
  send(batch: Batch): void;
  /** Set once, before the first batch. `lost`: the thread ended on its own; nothing that waits was committed. */
  listen(
    onAcknowledgement: (acknowledgement: Acknowledgement) => void,
    onLost: (reason: string) => void,
  ): void;
  /** After everything sent was committed. */
  close(): Promise<void>;
}

/**
 * Under load a commit follows the one before it after this long: fewer commits, each with more rows, cost the machine a sixth less, and whoever
 * comes meanwhile would have waited for a commit under way. After a batch of fewer values, which is no load, nothing waits.
 */
const PACE_MS = 3;
const LOAD_VALUES = 256;

/** What a thread is sent beside batches, which are JSON. */
export const CLOSE = 'close';

type FromWorker =
  | { readonly kind: 'ready'; readonly recovered: Recovered }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly acknowledgement: Acknowledgement }
  | { readonly kind: 'closed' };

export async function openInline(options: WriterOptions): Promise<WriterHost> {
  // Loaded when it is needed: a server's writer is loaded by its own thread.
  const { openWriter } = await import('./open-writer.ts');
  let opened: OpenedWriter;
  try {
    opened = openWriter(options);
  } catch (error) {
    throw explainSqliteError(error, options.path);
  }
  const { writer, database, recovered } = opened;
  let listener: (acknowledgement: Acknowledgement) => void = () => {};
  return {
    recovered,
    schedule: setImmediate,
    send: (batch) => listener(writer.apply([batch])),
    listen(onAcknowledgement) {
      listener = onAcknowledgement;
    },
    close() {
      database.close();
      return Promise.resolve();
    },
  };
}

export function openInWorker(options: WriterOptions): Promise<WriterHost> {
  const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), { workerData: options });
  let onAcknowledgement: (acknowledgement: Acknowledgement) => void = () => {};
  let onLost: (reason: string) => void = () => {};
  const { promise: opened, resolve, reject } = Promise.withResolvers<WriterHost>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const lose = (reason: string): void => {
    reject(
      new HeadgateError(
        'LEDGER_WRITER_LOST',
        `The ledger's writer ended: ${reason}.`,
        'Start headgate again.',
      ),
    );
    onLost(reason);
    end();
  };
  worker.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'ready':
        return resolve(hostOf(message.recovered));
      case 'failed':
        return reject(
          new HeadgateError(message.failure.code, message.failure.message, message.failure.remedy),
        );
      case 'done':
        return onAcknowledgement(message.acknowledgement);
      case 'closed':
        return undefined;
    }
  });
  worker.on('error', (error) => lose(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => lose(`its thread ended with code ${code}`));
  let notBeforeMs = 0;
  const hostOf = (recovered: Recovered): WriterHost => ({
    recovered,
    schedule(send) {
      const waitMs = notBeforeMs - systemClock.monotonicMs();
      // A timer of less than a millisecond is one of a whole.
      if (waitMs < 1) setImmediate(send);
      else systemClock.after(waitMs, send);
    },
    send(batch) {
      notBeforeMs = batch.values.length < LOAD_VALUES ? 0 : systemClock.monotonicMs() + PACE_MS;
      // As text: a structured clone of as many values costs several times as much, on both sides.
      worker.postMessage(JSON.stringify(batch));
    },
    listen(acknowledged, lost) {
      onAcknowledgement = acknowledged;
      onLost = lost;
    },
    async close() {
      onLost = () => {};
      worker.postMessage(CLOSE);
      await ended;
    },
  });
  return opened;
}
