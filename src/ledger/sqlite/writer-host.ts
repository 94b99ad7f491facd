// Where the writer runs: in a thread of its own, or in this one for simulations that must not depend on another thread's pace.
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { decodeBatch } from './batch-text.ts';
import { explainSqliteError } from './connection.ts';
import type { OpenedWriter, WriterOptions } from './open-writer.ts';
import type { Recovered } from './recovery.ts';
import { LEDGER_THREAD_LIMITS } from './thread-limits.ts';
import type { Acknowledgement, Batch, Failure } from './writer.ts';

export interface WriterHost {
  /** So long may wait what nobody waits for, to go with what somebody does: where each batch is a journey to another machine. Default 0. */
  readonly gatherMs?: number;
  readonly recovered: Recovered;
  /** The number of the last operation that is in the database. */
  readonly lastOperation: number;
  /** Batches as `encodeBatch` writes them: a structured clone of as many values costs several times as much, on both sides. */
  send(batches: readonly string[]): void;
  /** Where the writer is in this thread: a batch as it is. */
  take?(batch: Batch): void;
  /** Set once, before the first batch. `lost`: the thread ended on its own; nothing that waits was committed. */
  listen(
    onAcknowledgement: (acknowledgement: Acknowledgement) => void,
    onLost: (reason: string) => void,
  ): void;
  /** After everything sent was committed. */
  close(): Promise<void>;
}

/** What a thread is sent beside batches. */
export const CLOSE = 'close';

type FromWorker =
  | { readonly kind: 'ready'; readonly recovered: Recovered; readonly lastOperation: number }
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
    lastOperation: writer.lastOperation,
    send: (batches) => listener(writer.apply(batches.map(decodeBatch))),
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
  const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), {
    workerData: options,
    resourceLimits: LEDGER_THREAD_LIMITS,
  });
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
        return resolve(hostOf(message.recovered, message.lastOperation));
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
  const hostOf = (recovered: Recovered, lastOperation: number): WriterHost => ({
    recovered,
    lastOperation,
    send: (batches) => worker.postMessage(batches),
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
