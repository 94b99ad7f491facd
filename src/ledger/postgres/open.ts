// Opens a ledger in PostgreSQL: brings the schema up to date, becomes a node of it, settles what a dead node left, and puts the ports together.
import { join } from 'node:path';
import { newId } from '../../common/ids.ts';
import { systemRandom } from '../../common/random.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LedgerAlerts } from '../alerts.ts';
import { afterWriting, assembleLedger, createFeed } from '../assemble.ts';
import { PACKAGE_MIGRATIONS } from '../open.ts';
import type { Ledger, LedgerOptions } from '../open.ts';
import { createRecorder } from '../recorder.ts';
import { RunContexts } from '../rollup/run-contexts.ts';
import type { Recovered } from '../sqlite/recovery.ts';
import type { ReaderThread } from '../sqlite/reader.ts';
import { WriteQueue } from '../sqlite/write-queue.ts';
import { createPostgresAccounts } from './accounts.ts';
import { explainPostgresError, openPool, placeOf, readAddress } from './connection.ts';
import type { DatabaseAddress } from './connection.ts';
import { createPostgresHost } from './host.ts';
import { LOCKS, checkMigrated, migrate } from './migrate.ts';
import { NOBODY_BURIED, buryNode, registerNode } from './nodes.ts';
import type { Buried } from './nodes.ts';
import { createPostgresReader } from './reader.ts';
import { PostgresWriter } from './writer.ts';
import type { Pool, PoolClient } from 'pg';

const WRITING_CONNECTIONS = 4;
const READING_CONNECTIONS = 6;
const MIGRATIONS = 'postgres';
/** How long a process that is ending may keep the ledger. */
const OWNER_WAIT_MS = 3_000;

/** Throws a HeadgateError: DATABASE_ADDRESS, _DENIED, _UNREACHABLE, _NEWER, _IN_USE. */
export async function openPostgres(options: LedgerOptions): Promise<Ledger> {
  const { clock, migrationsFolder = PACKAGE_MIGRATIONS } = options;
  const address = readAddress(options.path);
  const writing = openPool(address, WRITING_CONNECTIONS);
  const reading = openPool(address, READING_CONNECTIONS);
  const end = async (): Promise<void> => {
    await Promise.all([writing.end(), reading.end()]);
  };
  let owner: PoolClient | undefined;
  try {
    await migrate(writing, address, join(migrationsFolder, MIGRATIONS));
    owner = await takeOwnerLock(writing, address);
    const node = await registerNode(writing, newId('nod', clock, systemRandom), process.version);
    const buried = await buryOthers(writing, node.seq, clock.nowMs());
    const recovered: Recovered = {
      ...buried,
      journal: { setAside: [], unmatched: null },
    };
    const writer = new PostgresWriter(writing, address, node.seq);
    const host = createPostgresHost(writer, recovered);
    const feed = createFeed();
    const queue = new WriteQueue(
      host,
      clock,
      (rows, lastOperation) => {
        accounts.written(rows, lastOperation);
        feed.announce(rows, lastOperation);
      },
      null,
    );
    const accounts = createPostgresAccounts(reading, node.seq, queue, () => clock.nowMs());
    const plain = createPostgresReader(reading, address, node.seq);
    const reader = afterWriting(plain, queue);
    const recorder = createRecorder(queue, reader, new RunContexts());
    const alerts = new LedgerAlerts(placeOf(address), clock, systemRandom);
    const recoveryAlerts = alerts.recovered(recovered);
    for (const alert of recoveryAlerts) await recorder.recordAlert(alert).catch(() => undefined);
    const held = owner;
    return {
      ...assembleLedger({ queue, reader, scanner: reader, quickReader: plain, recorder, clock, feed }),
      accounts,
      recovered,
      recoveryAlerts,
      async close() {
        await queue.close();
        await writing
          .query('update nodes set has_left = true where seq = $1', [node.seq])
          .catch(() => undefined);
        held.release(true);
        await end();
      },
    };
  } catch (error) {
    owner?.release(true);
    await end();
    throw explainPostgresError(error, address);
  }
}

/** Held by a connection, so that it ends with the process, however it ends. */
async function takeOwnerLock(pool: Pool, address: DatabaseAddress): Promise<PoolClient> {
  const client = await pool.connect();
  try {
    await client.query(`set lock_timeout = ${OWNER_WAIT_MS}`);
    await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.owner, address.schema]);
    return client;
  } catch (error) {
    client.release(true);
    if (error instanceof Error && 'code' in error && error.code === '55P03')
      throw new HeadgateError(
        'DATABASE_IN_USE',
        `Another headgate has the ledger in ${placeOf(address)} open.`,
        'Stop that one, or give this one another database or schema: postgres://…/DATABASE?schema=NAME.',
      );
    throw error;
  }
}

async function buryOthers(pool: Pool, node: number, nowMs: number): Promise<Buried> {
  const { rows } = await pool.query('select seq from nodes where alive and seq <> $1 order by seq', [node]);
  let sum = NOBODY_BURIED;
  for (const { seq } of rows as { seq: bigint }[]) {
    const one = await buryNode(pool, Number(seq), node, nowMs, 'true');
    if (one === undefined) continue;
    sum = {
      unreconciled: sum.unreconciled + one.unreconciled,
      heldNanoUsd: sum.heldNanoUsd + one.heldNanoUsd,
      interrupted: sum.interrupted + one.interrupted,
      taken: [...sum.taken, ...one.taken],
    };
  }
  return sum;
}

/** Reads the ledger beside running nodes, or of none. Throws DATABASE_ADDRESS, _DENIED, _UNREACHABLE, _BEHIND, _NEWER. */
export async function openPostgresReader(path: string): Promise<ReaderThread> {
  const address = readAddress(path);
  const pool = openPool(address, READING_CONNECTIONS);
  try {
    await checkMigrated(pool, address, join(PACKAGE_MIGRATIONS, MIGRATIONS));
    return { ...createPostgresReader(pool, address, 0), close: () => pool.end() };
  } catch (error) {
    await pool.end();
    throw explainPostgresError(error, address);
  }
}
