// Opens a ledger in PostgreSQL: brings the schema up to date, becomes a node of it, settles what a dead node left, and puts the ports together.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { newId } from '../../common/ids.ts';
import { systemRandom } from '../../common/random.ts';
import type { AlertRecord, Recorder } from '../../engine/execution/recorder.ts';
import { LedgerAlerts } from '../alerts.ts';
import { afterWriting, assembleLedger, createFeed } from '../assemble.ts';
import type { Feed } from '../assemble.ts';
import { systemClock } from '../../common/clock.ts';
import type { Clock } from '../../common/clock.ts';
import type { Cluster, SharedState } from '../cluster-port.ts';
import { PACKAGE_MIGRATIONS } from '../open.ts';
import type { Ledger, LedgerOptions } from '../open.ts';
import { createRecorder } from '../recorder.ts';
import { RunContexts } from '../rollup/run-contexts.ts';
import type { Recovered } from '../sqlite/recovery.ts';
import type { ReaderThread } from '../sqlite/reader.ts';
import { WriteQueue } from '../sqlite/write-queue.ts';
import { withSharedId } from './alert-ids.ts';
import { createPostgresAccounts } from './accounts.ts';
import {
  ANSWER_WITHIN_MS,
  explainPostgresError,
  openPool,
  placeOf,
  pooled,
  readAddress,
} from './connection.ts';
import type { DatabaseAddress, Queryable } from './connection.ts';
import { createPostgresHost } from './host.ts';
import { createLeases } from './leases.ts';
import { createLowered } from './lowered.ts';
import { LOCKS, checkMigrated, migrate } from './migrate.ts';
import { NOBODY_BURIED, buryNode, registerNode } from './nodes.ts';
import { beginQuarters } from './rollup-changes.ts';
import type { Buried } from './nodes.ts';
import { Patience } from './patience.ts';
import { createPostgresReader } from './reader.ts';
import { openSignals } from './signals.ts';
import type { NodeSignals, Signal } from './signals.ts';
import { PostgresWriter } from './writer.ts';
import type { WrittenRow } from '../port.ts';
import type { Pool } from 'pg';

const WRITING_CONNECTIONS = 4;
const READING_CONNECTIONS = 4;
/** For what takes as long as it takes: whole tables, and keeping the ledger in order. */
const SCANNING_CONNECTIONS = 2;
const MIGRATIONS = 'postgres';
/** Of the code that a node runs, for people. */
const { version: VERSION } = createRequire(import.meta.url)('../../../package.json') as {
  readonly version: string;
};
const SHARED: readonly SharedState[] = ['switches', 'keys', 'revisions', 'alerts'];
/** The other nodes are told so often that this one has written, and what it has to say. */
const TELL_EVERY_MS = 200;
const LARGEST_PART = 7_500;
/** Of the newest alerts, so many may have come between two looks. */
const ALERTS_READ = 20;
const TELL_WAITING_EVERY_MS = 20;
/** PostgreSQL's NOTIFY takes less than 8,000 bytes, with what says what it is. */
const MOST_BYTES = 7_800;

/** Throws a HeadgateError: DATABASE_ADDRESS, _DENIED, _UNREACHABLE, _NEWER, _POOLED. */
export async function openPostgres(options: LedgerOptions): Promise<Ledger> {
  const { clock, migrationsFolder = PACKAGE_MIGRATIONS } = options;
  const address = readAddress(options.path);
  const writing = openPool(address, WRITING_CONNECTIONS, { answerWithinMs: ANSWER_WITHIN_MS, byKey: true });
  const reads = openPool(address, READING_CONNECTIONS, { answerWithinMs: ANSWER_WITHIN_MS });
  const scans = openPool(address, SCANNING_CONNECTIONS);
  const patience = new Patience(clock);
  const end = async (): Promise<void> => {
    await Promise.all([writing.end(), reads.end(), scans.end()]);
  };
  let signals: NodeSignals | undefined;
  try {
    await refusePooler(writing, address);
    // It takes as long as it takes.
    await migrate(scans, address, join(migrationsFolder, MIGRATIONS));
    const node = await registerNode(writing, newId('nod', clock, systemRandom), VERSION);
    await beginQuarters(writing);
    const buried = await buryThoseThatLeft(writing, node.seq, clock.nowMs());
    const recovered: Recovered = { ...buried, journal: { setAside: [], unmatched: null } };
    const writer = new PostgresWriter(writing, address, node.seq, patience);
    const host = createPostgresHost(writer, recovered);
    const feed = createFeed();
    let tellOthers = (): void => undefined;
    let tellLowered = (_rows: readonly WrittenRow[]): void => undefined;
    let tellWaiting = (): void => undefined;
    const queue = new WriteQueue(
      host,
      clock,
      (rows, lastOperation) => {
        accounts.written(rows, lastOperation);
        feed.announce(rows, lastOperation);
        tellOthers();
        tellLowered(rows);
        if (rows.some((row) => row.kind === 'run_opened' && row.run.status === 'queued')) tellWaiting();
      },
      null,
    );
    const accounts = createPostgresAccounts(
      { reads, scans },
      node.seq,
      queue,
      () => clock.nowMs(),
      (work) =>
        patience.while(work).catch((error: unknown) => {
          throw explainPostgresError(error, address);
        }),
    );
    const plain = createPostgresReader({ reads, scans, patience }, address, node.seq);
    const reader = afterWriting(plain, queue);
    const written = createRecorder(queue, reader, plain, new RunContexts(), (taken) =>
      Promise.resolve(taken),
    );
    const recorder: Recorder = {
      ...written,
      recordAlert: async (alert) =>
        written.recordAlert(await withSharedId(alert, (id) => plain.ask('alert', id))),
    };
    const alerts = new LedgerAlerts(placeOf(address), clock, systemRandom);
    const recordAlerts = async (found: Recovered): Promise<readonly AlertRecord[]> => {
      const recoveryAlerts = alerts.recovered(found);
      for (const alert of recoveryAlerts) await recorder.recordAlert(alert).catch(() => undefined);
      return recoveryAlerts;
    };
    const recoveryAlerts = await recordAlerts(recovered);
    signals = await openSignals(writing, address, node.seq, clock);
    const heard = signals;
    heard.onBuried((_id, found) => void recordAlerts({ ...found, journal: recovered.journal }));
    heard.onFenced(() => writer.fence());
    // In one statement, to whoever is there to hear it: each wakes all nodes.
    const untold: Signal[] = [];
    let hasWritten = false;
    const tell = throttled(clock, TELL_EVERY_MS, () => {
      const signals = untold.splice(0);
      if (hasWritten) signals.push({ kind: 'wrote' });
      hasWritten = false;
      if (heard.living().length > 1) heard.send(...signals).catch(() => undefined);
    });
    tellOthers = () => {
      hasWritten = true;
      tell();
    };
    const say: Cluster['say'] = (news) => {
      if (heard.living().length < 2) return;
      for (const part of inParts(news)) untold.push({ kind: 'said', news: part });
      tell();
    };
    const lowered = createLowered(reads, node.seq, heard);
    tellLowered = lowered.written;
    announceAlerts(heard, plain, feed, clock.nowMs());
    tellWaiting = throttled(clock, TELL_WAITING_EVERY_MS, () => {
      heard.send({ kind: 'waiting' }).catch(() => undefined);
    });
    const cluster = createCluster(
      writing,
      address,
      node.seq,
      heard,
      { say, onLowered: lowered.listen },
      patience,
    );
    return {
      ...assembleLedger({
        queue,
        reader,
        scanner: reader,
        quickReader: plain,
        recorder,
        clock,
        feed,
        alone: (work) => alone(scans, address, work),
        onOthersWrote: (listener) => cluster.onOthersWrote(listener),
      }),
      accounts,
      cluster,
      recovered,
      recoveryAlerts,
      async close() {
        await queue.close();
        // What it let go of is taken at once.
        await heard.send({ kind: 'waiting' }).catch(() => undefined);
        await heard.close();
        await writing
          .query('update nodes set has_left = true where seq = $1', [node.seq])
          .catch(() => undefined);
        await end();
      },
    };
  } catch (error) {
    await signals?.close();
    await end();
    throw explainPostgresError(error, address);
  }
}

/** Behind a pooler that shares sessions, one client has a session that was another's just now, and not its own when that one is at work. */
async function refusePooler(pool: Pool, address: DatabaseAddress): Promise<void> {
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  const [one, other] = clients;
  try {
    const before = await sessionOf(one);
    await other.query('begin');
    const isShared = (await sessionOf(other)) === before || (await sessionOf(one)) !== before;
    await other.query('commit');
    if (isShared) throw pooled(placeOf(address));
  } finally {
    for (const client of clients) client.release(true);
  }
}

async function sessionOf(client: Queryable): Promise<number | undefined> {
  const { rows } = await client.query('select pg_backend_pid() as pid');
  return (rows[0] as { pid: number } | undefined)?.pid;
}

async function buryThoseThatLeft(pool: Pool, node: number, nowMs: number): Promise<Buried> {
  const { rows } = await pool.query('select seq from nodes where alive and has_left order by seq');
  let sum = NOBODY_BURIED;
  for (const { seq } of rows as { seq: bigint }[]) {
    const one = await buryNode(pool, Number(seq), node, nowMs, 'has_left');
    if (one === undefined) continue;
    sum = {
      unreconciled: sum.unreconciled + one.unreconciled,
      heldNanoUsd: sum.heldNanoUsd + one.heldNanoUsd,
      interrupted: sum.interrupted + one.interrupted,
      waiting: [...sum.waiting, ...one.waiting],
    };
  }
  return sum;
}

/** A notification holds 8,000 bytes; what does not fit into one is not told. */
function inParts(news: readonly object[]): object[][] {
  const parts: object[][] = [];
  let left = 0;
  for (const one of news) {
    const size = Buffer.byteLength(JSON.stringify(one)) + 1;
    if (size > LARGEST_PART) continue;
    if (size > left) {
      parts.push([]);
      left = LARGEST_PART;
    }
    parts.at(-1)?.push(one);
    left -= size;
  }
  return parts;
}

/** At once, and then once in `everyMs` as long as it is asked for. */
function throttled(clock: Clock, everyMs: number, work: () => void): () => void {
  let isWaiting = false;
  let again = false;
  const run = (): void => {
    again = false;
    isWaiting = true;
    work();
    clock.after(everyMs, () => {
      isWaiting = false;
      if (again) run();
    });
  };
  return () => {
    if (isWaiting) again = true;
    else run();
  };
}

/** An alert that another node has written is announced here too: to those who watch, and to the delivery of the node that delivers. */
function announceAlerts(signals: NodeSignals, reader: ReaderThread, feed: Feed, sinceMs: number): void {
  const known = new LRUCache<string, true>({ max: 10 * ALERTS_READ });
  feed.onWritten((rows) => {
    for (const row of rows) if (row.kind === 'alert') known.set(row.alert.id, true);
  });
  const read = async (): Promise<void> => {
    const { rows } = await reader.ask('alerts', { limit: ALERTS_READ });
    for (const alert of rows.toReversed())
      if (alert.atMs >= sinceMs && !known.has(alert.id)) feed.announce([{ kind: 'alert', alert }], 0);
  };
  signals.onSignal((signal) => {
    if (signal.kind === 'changed' && signal.what === 'alerts') read().catch(() => undefined);
  });
}

/** While it is at work no other node is: it holds a lock of its session, which ends with the process. */
async function alone<Value>(
  pool: Pool,
  { schema }: DatabaseAddress,
  work: () => Promise<Value>,
): Promise<Value | undefined> {
  const lock = [LOCKS.maintain, schema];
  const client = await pool.connect();
  try {
    const { rows } = await client.query('select pg_try_advisory_lock($1, hashtext($2)) as taken', lock);
    if (!(rows[0] as { taken: boolean }).taken) return undefined;
    try {
      return await work();
    } finally {
      await client.query('select pg_advisory_unlock($1, hashtext($2))', lock);
    }
  } finally {
    client.release();
  }
}

function createCluster(
  pool: Pool,
  address: DatabaseAddress,
  node: number,
  signals: NodeSignals,
  told: Pick<Cluster, 'say' | 'onLowered'>,
  patience: Patience,
): Cluster {
  return {
    ...told,
    leases: createLeases(pool, address, node, signals, patience),
    ready: () => signals.ready(),
    nodes: () => signals.living(),
    onNodes: (listener) => signals.onNodes(listener),
    onSaid: (listener) =>
      signals.onSignal((signal) => {
        if (signal.kind === 'said') listener(signal.news);
      }),
    onChanged(listener) {
      const stops = [
        signals.onSignal((signal) => {
          if (signal.kind === 'changed') listener(signal.what);
        }),
        signals.onReconnect(() => {
          for (const what of SHARED) listener(what);
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    onOthersWrote(listener) {
      const stops = [
        signals.onSignal(({ kind }) => {
          if (kind === 'wrote') listener();
        }),
        signals.onReconnect(listener),
        signals.onBuried(() => listener()),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    onWaiting(listener) {
      const stops = [
        signals.onSignal(({ kind }) => {
          if (kind === 'waiting') listener();
        }),
        signals.onReconnect(listener),
        signals.onBuried((_id, { waiting }) => {
          if (waiting.length > 0) listener();
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    async cancel(runId, reason) {
      // Also in its row: whoever takes it after its node died reads it there.
      const { rowCount } = await pool.query(
        'update runs set cancel_reason = coalesce(cancel_reason, $2) where id = $1 and finished_at_ms is null',
        [runId, reason],
      );
      if (rowCount !== 1) return false;
      await signals.send({ kind: 'cancel', runId, reason });
      return true;
    },
    onCancel(listener) {
      const stops = [
        signals.onSignal((signal) => {
          if (signal.kind === 'cancel') listener(signal.runId, signal.reason);
        }),
        signals.onReconnect(() => {
          cancelled(pool, node).then(
            (rows) => {
              for (const { id, reason } of rows) listener(id, reason);
            },
            () => undefined,
          );
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    messages: {
      mostBytes: MOST_BYTES,
      send: (body, to) => signals.send({ kind: 'message', body, ...(to === undefined ? {} : { to }) }),
      onMessage: (listener) =>
        signals.onSignal((signal, from) => {
          if (signal.kind === 'message') listener(signal.body, from);
        }),
    },
    onFenced: (listener) => signals.onFenced(listener),
    aheadMs: () => signals.aheadMs(),
  };
}

async function cancelled(
  pool: Pool,
  node: number,
): Promise<readonly { readonly id: string; readonly reason: string }[]> {
  const { rows } = await pool.query(
    `select id, cancel_reason as reason from runs where node = $1 and finished_at_ms is null and cancel_reason is not null`,
    [node],
  );
  return rows as { id: string; reason: string }[];
}

/** Reads the ledger beside running nodes, or of none. Throws DATABASE_ADDRESS, _DENIED, _UNREACHABLE, _BEHIND, _NEWER, _POOLED. */
export async function openPostgresReader(path: string): Promise<ReaderThread> {
  const address = readAddress(path);
  const pool = openPool(address, READING_CONNECTIONS);
  const patience = new Patience(systemClock);
  try {
    // Of two ledgers in one database, it might read the other one.
    await refusePooler(pool, address);
    await checkMigrated(pool, address, join(PACKAGE_MIGRATIONS, MIGRATIONS));
    return {
      ...createPostgresReader({ reads: pool, scans: pool, patience }, address, 0),
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw explainPostgresError(error, address);
  }
}
