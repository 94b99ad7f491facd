// What is asked at every start, and for every page, is found through an index, however many rows there are.
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createAccounts } from '../../src/ledger/sqlite/accounts.ts';
import { migrate } from '../../src/ledger/sqlite/migrate.ts';
import { createQueries } from '../../src/ledger/sqlite/queries/queries.ts';
import { recover } from '../../src/ledger/sqlite/recovery.ts';
import { Writer } from '../../src/ledger/sqlite/writer.ts';
import { openTestLedger } from '../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, makeStep, settle } from '../support/ledger-records.ts';
import { emptyDatabase, hasPostgres, query } from '../support/postgres.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Every statement that is prepared while `work` runs, with the tables that it reads from end to end. */
function scansOf(work: (database: DatabaseSync) => unknown): readonly string[] {
  const database = new DatabaseSync(':memory:', { readBigInts: true });
  migrate(database, ':memory:', FOLDER);
  const prepare = database.prepare.bind(database);
  const scans: string[] = [];
  const explain = (sql: string): void => {
    if (!/^\s*(select|update|delete|with)/i.test(sql)) return;
    const parameters = [...sql.matchAll(/\?\d?/g)].length;
    const plan = prepare(`explain query plan ${sql}`).all(
      ...Array.from({ length: /\?\d/.test(sql) ? 2 : parameters }, () => null),
    );
    for (const { detail } of plan)
      if (/^SCAN (attempts|runs|steps|contents|rollups)\b(?!.* USING )/.test(String(detail)))
        scans.push(`${String(detail)}: ${sql}`);
  };
  // The only way to see what the code really asks; the object is this test's own.
  database.prepare = (sql: string): StatementSync => {
    explain(sql);
    return prepare(sql);
  };
  const exec = database.exec.bind(database);
  database.exec = (sql: string): void => {
    explain(sql);
    exec(sql);
  };
  work(database);
  database.close();
  return scans;
}

describe('no table is read from end to end', () => {
  it('when a ledger is opened and recovered', () => {
    expect(scansOf((database) => recover(database, 0))).toEqual([]);
  });

  it('when it writes and prunes', () => {
    expect(scansOf((database) => new Writer(database, ':memory:'))).toEqual([]);
  });

  it('when budgets start', () => {
    const work = (database: DatabaseSync): void => {
      const accounts = createAccounts(() => database, {
        pendingAfter: () => [],
        write: () => Promise.resolve(),
      });
      accounts.settled(1);
      accounts.open();
    };
    expect(scansOf(work)).toEqual([]);
  });

  it('when runs, attempts and steps are looked up', () => {
    const work = (database: DatabaseSync): void => {
      const queries = createQueries(database);
      queries.run('run_1');
      queries.runsById(['run_1', 'run_2']);
      queries.waiting(10);
      queries.waiting(1, 'run_1');
      queries.unreconciled();
      queries.estimates(0, 10);
      queries.attemptsOf(['run_1', 'run_2']);
      queries.stepsOf(['run_1', 'run_2']);
      queries.byIdempotencyKey('ana', 'k');
      queries.cached('task-1', 'a'.repeat(64), { sinceMs: 0 });
      queries.runs({ task: 'summarize' }, { limit: 10 });
      queries.runs({ caller: 'ana' }, { limit: 10, after: 'run_1' });
      queries.runs({ status: 'running' }, { limit: 10 });
      queries.runs({ status: 'queued', caller: 'ana' }, { limit: 10, after: 'run_1' });
      queries.rollups([
        { spans: [{ grain: 0, fromMs: 1, toMs: 2 }], grouping: { by: [], filter: {} }, as: 'whole' },
      ]);
    };
    expect(scansOf(work)).toEqual([]);
  });
});

/** So many that reading all of them for one would be seen at once. */
const MANY = 2_000;
const TABLES = { runs: 'id', steps: 'run_id', attempts: 'id' } as const;

describe.skipIf(!hasPostgres)('no table of PostgreSQL is read from end to end', () => {
  it('when it writes, by plans that were made for empty tables, which nobody has counted since', async () => {
    const address = await emptyDatabase();
    const ledger = await openTestLedger(address);
    const write = async (index: number): Promise<void> => {
      const run = makeRun(`run_${index}`);
      const attempt = makeAttempt(`att_${index}`, run);
      await ledger.openRun(run);
      await ledger.openAttempt(attempt);
      await ledger.closeAttempt(settle(attempt), makeStep(run.id, 'summary'));
      await ledger.finishRun(finish(run));
    };
    for (const table of Object.keys(TABLES))
      await query(address, `alter table ${table} set (autovacuum_enabled = off)`);
    await write(0);
    for (const [table, key] of Object.entries(TABLES)) {
      const of = `table_schema = current_schema and table_name = '${table}' and column_name not in ('seq', '${key}')`;
      const [{ columns } = {}] = await query(
        address,
        `select string_agg(column_name, ',') as columns from information_schema.columns where ${of}`,
      );
      await query(
        address,
        `insert into ${table} (${key}, ${String(columns)}) select ${key} || n, ${String(columns)} from ${table}, generate_series(1, ${MANY}) n`,
      );
    }
    for (let index = 1; index <= 5; index += 1) await write(index);
    // What a connection has read is known when it has ended.
    await ledger.close();
    const [read] = await query(
      address,
      `select sum(seq_tup_read)::int as rows from pg_stat_user_tables where schemaname = current_schema and relname in ('runs', 'steps', 'attempts')`,
    );
    // Those that were copied, of which there was one a table.
    expect(read?.['rows']).toBeLessThan(MANY);
  });
});
