// Writes recorded runs as a traffic file, a line at a time.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { LedgerRun, TrafficSpan } from './ledger-traffic.ts';
import { hasher } from './ledger-traffic.ts';
import { TrafficWriter } from './traffic-file.ts';

export interface Exported {
  readonly runs: number;
  readonly attempts: number;
}

/** Ends the stream. `hashed`: names of callers, teams, tiers and tag values are not to be read. */
export async function exportTraffic(
  runs: AsyncIterable<LedgerRun>,
  to: Writable,
  { fromMs, toMs, hashed }: TrafficSpan & { readonly hashed: boolean },
): Promise<Exported> {
  const writer = new TrafficWriter({ fromMs, toMs, hashed });
  const hash = hasher();
  const gzip = createGzip({ level: 9 });
  const written = pipeline(gzip, to);
  // Whoever waits for room is told when the other end is gone.
  written.catch((error: unknown) => gzip.destroy(error as Error));
  let [count, attempts] = [0, 0];
  gzip.write(writer.header);
  for await (const run of runs) {
    count += 1;
    for (const step of run.steps) attempts += step.attempts.length;
    if (!gzip.write(writer.run(hashed ? { ...run, who: hash(run.who) } : run))) await once(gzip, 'drain');
  }
  gzip.end();
  await written;
  return { runs: count, attempts };
}
