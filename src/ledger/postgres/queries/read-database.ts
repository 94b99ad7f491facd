// Drizzle over the pool, or over a client in a transaction.
import { drizzle } from 'drizzle-orm/node-postgres';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool, PoolClient } from 'pg';

export type PostgresDatabase = NodePgDatabase;

export function readDatabase(client: Pool | PoolClient): PostgresDatabase {
  return drizzle({ client });
}
