// The thread that reads, so that no query holds up the event loop: one request in, one answer out, in order.
import { parentPort, workerData } from 'node:worker_threads';
import { openForReading } from './connection.ts';
import { createQueries } from './queries/queries.ts';
import type { QueryName } from './queries/queries.ts';
import { failureOf } from './writer.ts';

const port = parentPort;
if (port === null) throw new Error('this file is the body of a worker thread');
const { path } = workerData as { readonly path: string };
const connection = openForReading(path);
const queries = createQueries(connection);

interface Request {
  readonly number: number;
  readonly name: QueryName;
  readonly args: readonly unknown[];
}

port.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    connection.close();
    port.close();
    return;
  }
  const { number, name, args } = request;
  try {
    // The caller's types are those of `Queries`; a message has lost them.
    const query = queries[name] as (...args: readonly unknown[]) => unknown;
    port.postMessage({ number, value: query(...args) });
  } catch (error) {
    port.postMessage({ number, failure: failureOf(error, path) });
  }
});
