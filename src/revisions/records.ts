// The rows of revisions: what is written down of one that compiled, of one that was refused, and of a source that cannot be read.
import { canonicalJson, sha256Hex } from '../common/json.ts';
import type { HeadgateError } from '../errors/headgate-error.ts';
import type { Problem } from '../errors/problem.ts';
import type { RevisionRecord } from '../ledger/port.ts';
import type { SourceSnapshot } from './port.ts';

export function compiledRecord(
  source: string,
  { commit, dirty }: SourceSnapshot,
  hash: string,
  nowMs: number,
): RevisionRecord {
  return {
    hash,
    commit: commit?.hash ?? null,
    author: commit?.author ?? null,
    subject: commit?.subject ?? null,
    dirty,
    source,
    compiledAtMs: nowMs,
    activeFromMs: nowMs,
    activeToMs: null,
    problems: [],
    pinned: false,
  };
}

/** There is no plan whose hash could name it: the hash is that of its files. */
export function refusedRecord(
  source: string,
  snapshot: SourceSnapshot,
  problems: readonly Problem[],
  nowMs: number,
): RevisionRecord {
  const hash = sha256Hex(
    canonicalJson(
      snapshot.files.map(({ path, text, unread }) => [path, text, ...(unread ? [unread.message] : [])]),
    ),
  );
  return { ...compiledRecord(source, snapshot, hash, nowMs), activeFromMs: null, problems };
}

/** Not a revision, but told of in the same places: its one problem is why nothing could be read. */
export function unreadableRecord(source: string, error: HeadgateError, nowMs: number): RevisionRecord {
  const problem: Problem = {
    code: error.code.toLowerCase().replaceAll('_', '-'),
    severity: 'error',
    message: error.message,
    remedy: error.remedy,
    file: source,
    line: 1,
    column: 1,
    endColumn: 2,
    excerpt: '',
  };
  return {
    hash: sha256Hex(canonicalJson([source, error.code, error.message])),
    commit: null,
    author: null,
    subject: null,
    dirty: false,
    source,
    compiledAtMs: nowMs,
    activeFromMs: null,
    activeToMs: null,
    problems: [problem],
    pinned: false,
  };
}

/**
 * The row of the same content seen again. The commit that brought it stays its name; only where there was none, or files that nobody had
 * committed, the commit that has it now takes its place.
 */
export function attributed(known: RevisionRecord, fresh: RevisionRecord): RevisionRecord {
  const isNamed = known.commit !== null && !known.dirty;
  if (isNamed || (known.commit === fresh.commit && known.dirty === fresh.dirty)) return known;
  const { commit, author, subject, dirty, source } = fresh;
  return { ...known, commit, author, subject, dirty, source };
}
