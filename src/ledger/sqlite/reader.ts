// Asks a reading thread; its answers come in the order of the questions.
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { Queries, QueryName } from './queries/queries.ts';
import { LEDGER_THREAD_LIMITS } from './thread-limits.ts';
import type { Failure } from './writer.ts';

export interface ReaderThread {
  ask<Name extends QueryName>(
    name: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<ReturnType<Queries[Name]>>;
  close(): Promise<void>;
}

export interface ReaderOptions {
  readonly path: string;
  readonly migrationsFolder: string;
  /** Starts the thread before the first question, so that it is loaded by then. */
  readonly early?: boolean;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type ThreadAnswer =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly failure: Failure };

export function createReader({ path, migrationsFolder, early = false }: ReaderOptions): ReaderThread {
  const asked = new Map<number, Asked>();
  let next = 1;
  let worker: Worker | undefined;
  let closed = false;

  const lose = (lost: Worker, reason: string): void => {
    if (worker === lost) worker = undefined;
    const error = new HeadgateError(
      'LEDGER_READER_LOST',
      `The ledger's reader ended: ${reason}.`,
      'Ask again; it is started again by itself.',
    );
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./reader-worker.ts', import.meta.url), {
      workerData: { path, migrationsFolder },
      resourceLimits: LEDGER_THREAD_LIMITS,
    });
    started.on('message', (answer: ThreadAnswer) => {
      const waiting = asked.get(answer.number);
      asked.delete(answer.number);
      // A reader that has nothing to do keeps no process alive; one that is told to end is waited for.
      if (asked.size === 0 && !closed) started.unref();
      if ('failure' in answer) {
        const { code, message, remedy } = answer.failure;
        waiting?.reject(new HeadgateError(code, message, remedy));
      } else waiting?.resolve(answer.value);
    });
    started.on('error', (error) => lose(started, error instanceof Error ? error.message : String(error)));
    started.on('exit', (code) => lose(started, `its thread ended with code ${code}`));
    return started;
  };

  if (early) {
    worker = start();
    worker.unref();
  }

  return {
    ask(name, ...args) {
      if (closed) return Promise.reject(closedError());
      worker ??= start();
      worker.ref();
      const number = next;
      next += 1;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      asked.set(number, { resolve, reject });
      worker.postMessage({ number, name, args });
      // The answer to a question has its type; a message has lost it.
      return promise as Promise<never>;
    },
    async close() {
      closed = true;
      if (worker === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      worker.on('exit', () => resolve());
      worker.ref();
      worker.postMessage('close');
      await promise;
    },
  };
}

function closedError(): HeadgateError {
  return new HeadgateError('LEDGER_CLOSED', 'The ledger is closed.', 'Ask before the process shuts down.');
}
