// The thread that gives a node's signs of life, on a connection of its own: a node whose other thread is busy for seconds, as with a burst of requests
// that come before its code is compiled, is not dead.
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Client } from 'pg';
import { DATABASE_NOW_MS, connect } from './connection.ts';
import { BEAT_MS } from './beats.ts';
import type { BeatOptions } from './beats.ts';

/** A thread that has said nothing for so long will not go on. */
const LONGEST_BUSY_MS = 30_000;

const { address, node } = workerData as BeatOptions;
let heardMs = performance.now();
parentPort?.on('message', () => {
  heardMs = performance.now();
});

let hasBeaten = false;
let client: Client | undefined;
const lose = (lost: Client | undefined): void => {
  if (client === lost) client = undefined;
  // It may be one that nobody is at the other end of any more.
  lost?.end().catch(() => undefined);
};

for (;;) {
  try {
    client ??= await connect(address, address.silenceMs, lose);
    if (performance.now() - heardMs < LONGEST_BUSY_MS) {
      await client.query(`update nodes set beat_at_ms = ${DATABASE_NOW_MS} where seq = $1 and alive`, [node]);
      if (!hasBeaten) parentPort?.postMessage(null);
      hasBeaten = true;
    }
  } catch {
    lose(client);
  }
  await wait(BEAT_MS);
}
