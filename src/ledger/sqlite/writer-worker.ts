// The thread that owns the writing connection: opens it, then commits whatever waits each time it looks.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { decodeBatch } from './batch-text.ts';
import type { Batch } from './writer.ts';
import { openWriter } from './open-writer.ts';
import type { WriterOptions } from './open-writer.ts';
import { failureOf } from './writer.ts';
import { CLOSE } from './writer-host.ts';

/** Operations in one transaction at most: past it, a longer transaction saves no more fsyncs worth having and delays its first row. */
const LARGEST_TRANSACTION = 20_000;

type Message = readonly string[] | typeof CLOSE;

const port = parentPort;
if (port === null) throw new Error('this file is the body of a worker thread');
const options = workerData as WriterOptions;

try {
  const { writer, database, recovered } = openWriter(options);
  port.postMessage({ kind: 'ready', recovered, lastOperation: writer.lastOperation });
  port.on('message', (message: Message) => {
    const batches: Batch[] = [];
    let operations = 0;
    let next: Message | undefined = message;
    while (next !== undefined && next !== CLOSE) {
      for (const text of next) {
        const batch = decodeBatch(text);
        batches.push(batch);
        operations += batch.operations.length;
      }
      // What came while the last transaction was being committed goes into this one.
      next =
        operations < LARGEST_TRANSACTION
          ? (receiveMessageOnPort(port)?.message as Message | undefined)
          : undefined;
    }
    if (batches.length > 0) port.postMessage({ kind: 'done', acknowledgement: writer.apply(batches) });
    if (next === CLOSE) {
      database.close();
      port.postMessage({ kind: 'closed' });
      port.close();
    }
  });
} catch (error) {
  port.postMessage({ kind: 'failed', failure: failureOf(error, options.path) });
  port.close();
}
