// Operations that were written and cannot be committed: kept in a file beside the database, one a line, where a person can look at them.
import { appendFileSync } from 'node:fs';
import type { Operation } from '../sqlite/operations.ts';
import { FILE_MODE } from '../sqlite/private-files.ts';
import type { RefusedOperation } from '../sqlite/writer.ts';

export function setAsidePath(databasePath: string): string {
  return `${databasePath}.set-aside`;
}

/** Throws what the file system throws. */
export function setAside(databasePath: string, refused: RefusedOperation, operation: Operation): void {
  const line = JSON.stringify({ ...refused, operation });
  appendFileSync(setAsidePath(databasePath), `${line}\n`, { mode: FILE_MODE });
}

/** In a few words: its kind, and which run or attempt it is of. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'openRun':
      return `openRun ${operation.run.id}`;
    case 'openAttempt':
      return `openAttempt ${operation.opened.id}`;
    case 'finishRun':
    case 'closeAttempt':
      return `${operation.kind} ${operation.id}`;
    case 'moveHold':
      return `moveHold ${operation.attemptId}`;
    case 'recordStep':
      return `recordStep ${operation.receipt.step.runId} ${operation.receipt.step.key}`;
    default:
      return operation.kind;
  }
}
