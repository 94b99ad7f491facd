// Puts into the database what a process that died had written down in the journal and not yet in tables.
import { existsSync, readFileSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { decodeBatch } from '../sqlite/batch-text.ts';
import { Writer } from '../sqlite/writer.ts';
import { decodeFrames } from './frames.ts';
import { journalPath } from './journal.ts';

/** All of it in one transaction, or an error and nothing. Operations that the database has already are left out. */
export function replayJournal(database: DatabaseSync, databasePath: string): void {
  const path = journalPath(databasePath);
  if (!existsSync(path)) return;
  const frames = decodeFrames(readFileSync(path), path);
  const writer = new Writer(database, databasePath);
  const missing = frames.filter(({ last }) => last > writer.lastOperation);
  const [next] = missing;
  if (next === undefined) return;
  if (next.first > writer.lastOperation + 1) {
    setAside(path, writer.lastOperation, next.first);
    return;
  }
  const { failure } = writer.apply(missing.map(({ text }) => decodeBatch(text)));
  if (failure !== null) throw new HeadgateError(failure.code, failure.message, failure.remedy);
}

/** Between them is what a power cut took (`synchronous: normal`), or the database is an older copy: later rows would stand on nothing. */
function setAside(path: string, lastOperation: number, next: number): void {
  const aside = `${path}.unmatched`;
  renameSync(path, aside);
  process.emitWarning(
    `The journal ${path} goes on at operation ${next}, while the database ends with ${lastOperation}. It was left as ${aside}, and nothing of it is in the database.`,
    { code: 'JOURNAL_UNMATCHED' },
  );
}
