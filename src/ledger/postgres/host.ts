// The writer as the write queue knows it: one batch after the other, over connections instead of a thread.
import type { Recovered } from '../sqlite/recovery.ts';
import { decodeBatch } from '../sqlite/batch-text.ts';
import type { Acknowledgement, Batch } from '../sqlite/writer.ts';
import type { WriterHost } from '../sqlite/writer-host.ts';
import type { PostgresWriter } from './writer.ts';

/** The end of a call goes with the beginning of the next one, or of the run's end: a run of three calls takes four turns instead of seven. */
const GATHER_MS = 5;

export function createPostgresHost(writer: PostgresWriter, recovered: Recovered): WriterHost {
  let onAcknowledgement: (acknowledgement: Acknowledgement) => void = () => {};
  let tail = Promise.resolve();
  const take = (batch: Batch): void => {
    tail = tail.then(async () => onAcknowledgement(await writer.apply(batch)));
  };
  return {
    gatherMs: GATHER_MS,
    recovered,
    lastOperation: 0,
    send(batches) {
      for (const batch of batches) take(decodeBatch(batch));
    },
    take,
    listen(acknowledged) {
      onAcknowledgement = acknowledged;
    },
    close: () => tail,
  };
}
