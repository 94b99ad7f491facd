// A reader without a thread, for simulations: it answers in this one, after what was asked before it.
import type { DatabaseSync } from 'node:sqlite';
import { loadedOnce } from '../../common/loaded.ts';
import { explainSqliteError, openForReading } from './connection.ts';
import type { Queries } from './queries/queries.ts';
import type { ReaderThread, ReaderOptions } from './reader.ts';

export function createInlineReader({ path }: ReaderOptions): ReaderThread {
  const opened = loadedOnce(async (): Promise<{ connection: DatabaseSync; queries: Queries }> => {
    // Loaded when it is needed: a server reads in its own thread, and Drizzle takes a while to load.
    const { createQueries } = await import('./queries/queries.ts');
    const connection = openForReading(path);
    return { connection, queries: createQueries(connection) };
  });
  return {
    async ask(name, ...args) {
      const { queries } = await opened.get();
      try {
        // A generic name's arguments and answer are those of the query; TypeScript cannot follow that through the look-up.
        const query = queries[name] as (...values: typeof args) => never;
        return query(...args);
      } catch (error) {
        throw explainSqliteError(error, path);
      }
    },
    async close() {
      opened.value()?.connection.close();
    },
  };
}
