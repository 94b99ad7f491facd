// Asks the reader's thread, which is started with the first question.
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { Queries, QueryName } from './queries/queries.ts';
import type { Failure } from './writer.ts';

export interface Reader {
  ask<Name extends QueryName>(
    name: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<ReturnType<Queries[Name]>>;
  close(): Promise<void>;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Answer =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly failure: Failure };

export function createReader(path: string): Reader {
  const asked = new Map<number, Asked>();
  let next = 1;
  let worker: Worker | undefined;
  let closed = false;

  const rejectAll = (reason: string): void => {
    worker = undefined;
    const error = new HeadgateError(
      'LEDGER_READER_LOST',
      `The ledger's reader ended: ${reason}.`,
      'Ask again.',
    );
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./reader-worker.ts', import.meta.url), { workerData: { path } });
    started.on('message', (answer: Answer) => {
      const waiting = asked.get(answer.number);
      asked.delete(answer.number);
      if (asked.size === 0) started.unref();
      if ('failure' in answer) {
        const { code, message, remedy } = answer.failure;
        waiting?.reject(new HeadgateError(code, message, remedy));
      } else waiting?.resolve(answer.value);
    });
    started.on('error', (error) => rejectAll(error instanceof Error ? error.message : String(error)));
    started.on('exit', (code) => rejectAll(`its thread ended with code ${code}`));
    return started;
  };

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
