// Notices that the files a ledger has open are no longer those at their paths: somebody deleted, moved or replaced them under a running process.
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../common/clock.ts';
import type { Failure } from './writer.ts';

const LOOK_EVERY_MS = 5_000;

interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * Calls `onChange` with the failure when a file is not there or is another one, and with null when all are back. What is written meanwhile goes to
 * files that no later start finds. Files that are not there at the beginning are not watched. The function returned ends it.
 */
export function watchForReplacement(
  paths: readonly string[],
  clock: Clock,
  onChange: (failure: Failure | null) => void,
): () => void {
  const known = new Map<string, FileId>();
  for (const path of paths) {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found !== undefined) known.set(path, found);
  }
  let replaced = false;
  let ended = false;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    const path = await firstReplaced(known);
    if (ended) return;
    if ((path !== undefined) !== replaced) {
      replaced = path !== undefined;
      onChange(path === undefined ? null : failureOf(path));
    }
    cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  cancel = clock.after(LOOK_EVERY_MS, () => void look());
  return () => {
    ended = true;
    cancel();
  };
}

async function firstReplaced(known: ReadonlyMap<string, FileId>): Promise<string | undefined> {
  for (const [path, { dev, ino }] of known) {
    try {
      const now = await stat(path, { bigint: true });
      if (now.dev !== dev || now.ino !== ino) return path;
    } catch (error) {
      // Whatever else keeps it from being looked at, writing will tell of.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' || code === 'ENOTDIR') return path;
    }
  }
  return undefined;
}

function failureOf(path: string): Failure {
  return {
    code: 'DATABASE_REPLACED',
    message: `The file ${path} was deleted, moved or replaced while headgate had it open: what is written now is in no file that a start would find.`,
    remedy:
      'Put the file back where it was, and work goes on by itself; or stop headgate, restore the data folder, and start it again.',
  };
}
