// The thread that reads, so that no query holds up the event loop: one request in, one answer out, in order.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { openForReading } from './connection.ts';
import { checkHeader } from './migrate.ts';
import { createQueries } from './queries/queries.ts';
import type { Queries, QueryName } from './queries/queries.ts';
import { failureOf } from './writer.ts';

const port = parentPort;
if (port === null) throw new Error('this file is the body of a worker thread');
const { path, migrationsFolder } = workerData as { readonly path: string; readonly migrationsFolder: string };

interface Request {
  readonly number: number;
  readonly name: QueryName;
  readonly args: readonly unknown[];
}

// Opened with the first question: the thread may be started before the writer has made the database.
let opened: { readonly connection: DatabaseSync; readonly queries: Queries } | undefined;

function open(): { readonly connection: DatabaseSync; readonly queries: Queries } {
  checkHeader(path, migrationsFolder);
  const connection = openForReading(path);
  return { connection, queries: createQueries(connection) };
}

port.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    opened?.connection.close();
    port.close();
    return;
  }
  const { number, name, args } = request;
  try {
    opened ??= open();
    // The caller's types are those of `Queries`; a message has lost them.
    const query = opened.queries[name] as (...args: readonly unknown[]) => unknown;
    port.postMessage({ number, value: query(...args) });
  } catch (error) {
    port.postMessage({ number, failure: failureOf(error, path) });
  }
});
