// A PostgreSQL for tests: one for the whole run, started by the first that asks, with a schema of its own for each that asks.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { postgresPackage, startPostgres } from '../../src/cli/cluster/postgres.ts';

/** false: there is none on this machine, and none was named; `HEADGATE_TEST_DATABASE` names one. */
export const hasPostgres =
  process.env['HEADGATE_TEST_DATABASE'] !== undefined || postgresPackage() !== undefined;

async function server(): Promise<string> {
  const named = process.env['HEADGATE_TEST_DATABASE'];
  if (named !== undefined) return named;
  const folder = process.env['HEADGATE_TEST_POSTGRES'] ?? '';
  const told = join(folder, 'url');
  try {
    mkdirSync(join(folder, 'starting'));
  } catch {
    // Another of the run's processes is at it.
    while (!existsSync(told)) await wait(20);
    return readFileSync(told, 'utf8');
  }
  const { url } = await startPostgres(folder, {
    // What a test writes need not outlive the machine.
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: 400, shared_buffers: '64MB' },
  });
  writeFileSync(`${told}.new`, url);
  renameSync(`${told}.new`, told);
  return url;
}

/** The address of an empty schema, which goes when the test is over. */
export async function emptyDatabase(): Promise<string> {
  const url = await server();
  const schema = `t_${randomBytes(6).toString('hex')}`;
  onTestFinished(async () => {
    await query(url, `drop schema if exists ${schema} cascade`);
  });
  return `${url}?schema=${schema}`;
}

/** Runs a statement in the schema of an address. */
export async function query(address: string, text: string): Promise<readonly { [name: string]: unknown }[]> {
  const url = new URL(address);
  const schema = url.searchParams.get('schema');
  for (const ours of ['schema', 'silence']) url.searchParams.delete(ours);
  const client = new pg.Client({
    connectionString: url.href,
    ...(schema === null ? {} : { options: `-c search_path=${schema}` }),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = (await client.query(text)) as { rows: { [name: string]: unknown }[] };
    return rows;
  } finally {
    await client.end();
  }
}
