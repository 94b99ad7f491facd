// Drizzle over the read-only connection.
import { drizzle } from 'drizzle-orm/node-sqlite';
import type { NodeSQLiteDatabase } from 'drizzle-orm/node-sqlite';
import type { DatabaseSync } from 'node:sqlite';

export type ReadDatabase = NodeSQLiteDatabase;

export function readDatabase(connection: DatabaseSync): ReadDatabase {
  return drizzle({ client: connection });
}
