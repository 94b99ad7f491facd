// What a start does with the journal of a process that died: puts into the tables what they do not have, or says what is lost.
import { existsSync, readFileSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { decodeBatch } from '../sqlite/batch-text.ts';
import { Writer } from '../sqlite/writer.ts';
import type { RefusedOperation } from '../sqlite/writer.ts';
import { journalPath, readJournal } from './journal.ts';
import type { Frame, JournalContent } from './journal.ts';

/** Numbers of operations, both inclusive; `to` null: nobody knows how many. */
export interface LostOperations {
  readonly from: number;
  readonly to: number | null;
}

export interface TakenUp {
  /** Operations that were written and cannot be committed; they are kept in a file of their own. */
  readonly setAside: readonly RefusedOperation[];
  /** The journal does not go on where the database ends, and was left beside it whole; null: it does. */
  readonly unmatched: { readonly path: string; readonly from: number; readonly lastOperation: number } | null;
}

const NOTHING: TakenUp = { setAside: [], unmatched: null };

/**
 * All of it in one transaction; an operation that cannot be carried out is set aside, and keeps no other from it. Throws JOURNAL_DAMAGED and
 * JOURNAL_NEWER, and what the disk does; then nothing was changed.
 */
export function takeUpJournal(database: DatabaseSync, databasePath: string): TakenUp {
  const path = journalPath(databasePath);
  if (!existsSync(path)) return NOTHING;
  const writer = new Writer(database, databasePath);
  const { lastOperation } = writer;
  const content = readJournal(readFileSync(path), lastOperation);
  if (content.otherFormat !== null) throw newer(path);
  const missing = content.frames.filter(({ last }) => last > lastOperation);
  const lost = lostOperations(content, missing, lastOperation);
  if (lost.length > 0 && content.damaged.length > 0) throw damaged(path, lost);
  const [next] = missing;
  if (next === undefined) return NOTHING;
  if (lost.length > 0) {
    // Between them is what a power cut took (`synchronous: normal`), or the database is an older copy: later rows would stand on nothing.
    const aside = `${path}.unmatched`;
    renameSync(path, aside);
    return { setAside: [], unmatched: { path: aside, from: next.first, lastOperation } };
  }
  return { setAside: apply(writer, missing), unmatched: null };
}

function apply(writer: Writer, frames: readonly Frame[]): readonly RefusedOperation[] {
  const { failure, refused } = writer.apply(frames.map(({ text }) => decodeBatch(text)));
  if (failure !== null) throw new HeadgateError(failure.code, failure.message, failure.remedy);
  return refused;
}

/** What is missing between the tables and the newest operation that the journal is known to have had. */
function lostOperations(
  { newest }: JournalContent,
  missing: readonly Frame[],
  lastOperation: number,
): readonly LostOperations[] {
  const lost: LostOperations[] = [];
  let next = lastOperation + 1;
  for (const { first, last } of missing) {
    if (first > next) lost.push({ from: next, to: first - 1 });
    next = last + 1;
  }
  if (newest === null) lost.push({ from: next, to: null });
  else if (newest >= next) lost.push({ from: next, to: newest });
  return lost;
}

function describeLost(lost: readonly LostOperations[]): string {
  return lost
    .map(({ from, to }) => {
      if (to === null) return `an unknown number of operations from ${from} on`;
      return from === to ? `operation ${from}` : `operations ${from} to ${to}`;
    })
    .join(', ');
}

export interface Repaired {
  readonly lost: readonly LostOperations[];
  /** The same in words. */
  readonly lostText: string;
  /** Runs and attempts whose ids can be read in the damaged part. */
  readonly named: readonly string[];
  /** Operations that were whole, and are in the tables now. */
  readonly committed: number;
  readonly setAside: readonly RefusedOperation[];
  /** Where the damaged journal was left. */
  readonly path: string;
}

/** Goes on without the damaged part: commits what is whole before and after it. null: nothing is damaged. */
export function repairJournal(database: DatabaseSync, databasePath: string, nowMs: number): Repaired | null {
  const path = journalPath(databasePath);
  if (!existsSync(path)) return null;
  const writer = new Writer(database, databasePath);
  const bytes = readFileSync(path);
  const content = readJournal(bytes, writer.lastOperation);
  if (content.otherFormat !== null) throw newer(path);
  const missing = content.frames.filter(({ last }) => last > writer.lastOperation);
  const lost = lostOperations(content, missing, writer.lastOperation);
  if (lost.length === 0 || content.damaged.length === 0) return null;
  const setAside = apply(writer, missing);
  const committed = missing.reduce((sum, { first, last }) => sum + last - first + 1, 0) - setAside.length;
  const aside = `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(':', '')}`;
  renameSync(path, aside);
  return {
    lost,
    lostText: describeLost(lost),
    named: idsIn(bytes, content),
    committed,
    setAside,
    path: aside,
  };
}

function idsIn(bytes: Buffer, { damaged: parts }: JournalContent): readonly string[] {
  const ids = parts.flatMap(
    ({ fromByte, toByte }) =>
      bytes.toString('latin1', fromByte, toByte).match(/\b(?:run|att)_[0-9A-Za-z]{1,64}\b/g) ?? [],
  );
  return [...new Set(ids)].sort();
}

function damaged(path: string, lost: readonly LostOperations[]): HeadgateError {
  return new HeadgateError(
    'JOURNAL_DAMAGED',
    `The journal ${path} is damaged: ${describeLost(lost)} cannot be read, although somebody was told that they were written. Nothing was changed.`,
    'Restore the file if there is a copy of it; or run `headgate ledger repair`, which goes on without the damaged part and lists what is lost.',
  );
}

function newer(path: string): HeadgateError {
  return new HeadgateError(
    'JOURNAL_NEWER',
    `The journal ${path} holds rows that another version of headgate wrote and did not get to put into the database.`,
    'Start that version once more, so that it does; nothing was changed.',
  );
}
