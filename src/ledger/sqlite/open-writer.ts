// Opens a database for its only writer: checked, migrated, with what the journal holds, recovered.
import type { DatabaseSync } from 'node:sqlite';
import { replayJournal } from '../journal/replay.ts';
import { openForWriting } from './connection.ts';
import type { Synchronous } from './connection.ts';
import { checkHeader, migrate } from './migrate.ts';
import { recover } from './recovery.ts';
import type { Recovered } from './recovery.ts';
import { Writer } from './writer.ts';

/** Plain values: they go to the writer's thread. */
export interface WriterOptions {
  readonly path: string;
  readonly synchronous: Synchronous;
  readonly migrationsFolder: string;
  readonly nowMs: number;
}

export interface OpenedWriter {
  readonly writer: Writer;
  readonly database: DatabaseSync;
  readonly recovered: Recovered;
}

export function openWriter(options: WriterOptions): OpenedWriter {
  const { path, synchronous, migrationsFolder, nowMs } = options;
  checkHeader(path, migrationsFolder);
  const database = openForWriting(path, synchronous);
  try {
    migrate(database, path, migrationsFolder);
    replayJournal(database, path);
    const recovered = recover(database, nowMs);
    return { writer: new Writer(database, path), database, recovered };
  } catch (error) {
    database.close();
    throw error;
  }
}
