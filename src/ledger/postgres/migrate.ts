// Brings a schema of PostgreSQL to the code's: drizzle-kit's migrations in order, each once, one process at a time, and never backwards.
import { readMigrations } from '../migrations.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { inTransaction, placeOf, quotedSchema } from './connection.ts';
import type { DatabaseAddress, Queryable } from './connection.ts';
import type { Pool } from 'pg';

/** Of ours among the advisory locks of a database; the second half is of the schema. */
export const LOCKS = { migrate: 0x48474c31, maintain: 0x48474c32 } as const;

/** Applies what is missing; returns how many were applied. Throws DATABASE_NEWER. */
export async function migrate(pool: Pool, address: DatabaseAddress, folder: string): Promise<number> {
  const migrations = readMigrations(folder);
  if ((await appliedCount(pool, address)) === migrations.length) return 0;
  return inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.migrate, address.schema]);
    await client.query(`create schema if not exists ${quotedSchema(address.schema)}`);
    await client.query('create table if not exists migrations (name text primary key)');
    const done = await appliedCount(client, address);
    if (done > migrations.length) throw newer(address, done, migrations.length);
    for (const { name, statements } of migrations.slice(done)) {
      for (const statement of statements) await client.query(statement);
      await client.query('insert into migrations (name) values ($1)', [name]);
    }
    return migrations.length - done;
  });
}

/** Throws DATABASE_BEHIND where reading needs migrations that only a server or a command that writes applies, and DATABASE_NEWER. */
export async function checkMigrated(
  database: Queryable,
  address: DatabaseAddress,
  folder: string,
): Promise<void> {
  const known = readMigrations(folder).length;
  const done = await appliedCount(database, address);
  if (done > known) throw newer(address, done, known);
  if (done < known)
    throw new HeadgateError(
      'DATABASE_BEHIND',
      done === 0
        ? `The database ${placeOf(address)} holds no ledger.`
        : `The database ${placeOf(address)} is at schema ${done}, and this headgate needs ${known}.`,
      'Start "headgate serve" with it once: it brings the database up to date.',
    );
}

async function appliedCount(database: Queryable, { schema }: DatabaseAddress): Promise<number> {
  const there = await database.query('select to_regclass($1) as there', [
    `${quotedSchema(schema)}.migrations`,
  ]);
  if (((there.rows[0] as { there: string | null } | undefined)?.there ?? null) === null) return 0;
  const { rows } = await database.query('select count(*)::int as applied from migrations');
  return (rows[0] as { applied: number }).applied;
}

function newer(address: DatabaseAddress, version: number, known: number): HeadgateError {
  return new HeadgateError(
    'DATABASE_NEWER',
    `The database ${placeOf(address)} was brought up to date by a newer headgate (schema ${version}; this one knows ${known}).`,
    'Install the newer version on this node too; nothing was changed.',
  );
}
