// What the ledger costs: attempts a second beside bare node:sqlite, the event loop meanwhile, and opening and asking a large one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/common/clock.ts';
import type { AttemptRecord, RunRecord } from '../../src/engine/execution/records.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { migrate } from '../../src/ledger/sqlite/migrate.ts';
import type { SpanStats } from '../../src/ledger/stats/port.ts';
import { createStats } from '../../src/ledger/stats/stats.ts';
import { finish, makeAttempt, makeRun, settle } from '../../test/support/ledger-records.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const IN_FLIGHT = 256;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface LedgerBench {
  readonly rawAttemptsPerSecond: { readonly full: number; readonly normal: number };
  readonly ledger: {
    readonly [mode in 'full' | 'normal']: {
      readonly attemptsPerSecond: number;
      /** Of the bare inserts and updates, in the same mode. */
      readonly ratio: number;
      /** Of the main thread, for making, opening, closing and awaiting an attempt. */
      readonly cpuMicrosPerAttempt: number;
      readonly attemptsPerCommit: number;
      readonly eventLoopDelayP99Ms: number;
    };
  };
  readonly large: {
    readonly attempts: number;
    readonly openMs: number;
    readonly firstStatsMs: { readonly [window: string]: number };
    readonly statsMs: number;
    /** Questions of exact spans, the median of five each. */
    readonly spansMs: { readonly [question: string]: number };
    readonly pageMs: number;
    readonly bytes: number;
  };
}

/** As an attempt comes with four candidates and three budgets. */
function sampleAttempt(id: string, run: RunRecord, startedAtMs: number): AttemptRecord {
  const candidates = [
    'openai/gpt-5.6-luna',
    'anthropic/claude-haiku-4-5',
    'ollama/llama3.2',
    'openai/gpt-5.6-terra',
  ];
  const windowStartMs = startedAtMs - (startedAtMs % DAY_MS);
  return makeAttempt(id, run, {
    startedAtMs,
    provider: startedAtMs % 3 === 0 ? 'anthropic' : 'openai',
    postings: [
      { budgetId: 'company', account: '', windowStartMs },
      { budgetId: 'caller', account: run.caller.name, windowStartMs },
      { budgetId: 'trial', account: run.caller.name, windowStartMs },
    ],
    decision: {
      rule: 'cheap-first[1]',
      pick: 'cheapest',
      candidates: candidates.map((model, index) => ({
        model,
        score: 0.000_123 * (index + 1),
        expectedCostNanoUsd: String(123_456 * (index + 1)),
        chosen: index === 0,
        skipped: null,
      })),
    },
  });
}

async function inFlight(count: number, body: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await body(index);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** Bare prepared statements on the same table with the same indexes, in transactions of as many attempts: what the disk can do. */
function rawRate(path: string, attempts: number, synchronous: 'full' | 'normal'): number {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma cache_size = -32000`);
  migrate(database, path, MIGRATIONS);
  const columns = database
    .prepare('pragma table_info(attempts)')
    .all()
    .map((column) => String(column['name']));
  const update = database.prepare(
    'update attempts set status = ?, cost_nano_usd = ?, input_tokens = ?, output_tokens = ?, latency_ms = ?, finished_at_ms = ? where seq = ?',
  );
  const sample = sampleAttempt('att', makeRun('run_1'), Date.now());
  const opened = [sample.runId, 'summary', 'plan-1', 'summarize', 'ana', 'openai', 'gpt-5.6-luna', 1];
  const held = [
    JSON.stringify(sample.postings),
    5_000_000,
    1_400,
    Date.now(),
    JSON.stringify(sample.decision),
    1,
  ];
  const progress = ['open', 'gpt-5.6-luna', null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null, 0];
  const rest = [...opened, ...held, ...progress];
  // Columns that came later have a default.
  const filled = columns.slice(1, 2 + rest.length);
  const insert = database.prepare(
    `insert into attempts (${filled.join(', ')}) values (${filled.map(() => '?').join(', ')})`,
  );
  const startedMs = performance.now();
  for (let at = 0; at < attempts; at += IN_FLIGHT) {
    database.exec('begin immediate');
    const rows: (number | bigint)[] = [];
    for (let index = at; index < Math.min(attempts, at + IN_FLIGHT); index += 1)
      rows.push(insert.run(`att_${index}`, ...rest).lastInsertRowid);
    database.exec('commit');
    database.exec('begin immediate');
    for (const row of rows) update.run('succeeded', 3_000_000n, 900, 120, 800, Date.now(), row);
    database.exec('commit');
  }
  const rate = attempts / ((performance.now() - startedMs) / 1_000);
  database.close();
  return rate;
}

async function ledgerRate(
  path: string,
  attempts: number,
  synchronous: 'full' | 'normal',
  raw: number,
): Promise<LedgerBench['ledger']['full']> {
  const ledger = await openLedger({ path, synchronous, clock: systemClock });
  const run = makeRun('run_1');
  await ledger.openRun(run);
  const before = ledger.health().commits;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.threadCpuUsage();
  const startedMs = performance.now();
  await inFlight(attempts, async (index) => {
    const attempt = sampleAttempt(`att_${index}`, run, Date.now());
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), null);
  });
  // Until the tables have all of it, not only the journal.
  await ledger.run('run_1');
  const tookMs = performance.now() - startedMs;
  const used = process.threadCpuUsage(cpu);
  delay.disable();
  const commits = ledger.health().commits - before;
  await ledger.close();
  const attemptsPerSecond = attempts / (tookMs / 1_000);
  return {
    attemptsPerSecond,
    ratio: attemptsPerSecond / raw,
    cpuMicrosPerAttempt: (used.user + used.system) / attempts,
    attemptsPerCommit: attempts / commits,
    eventLoopDelayP99Ms: delay.percentile(99) / 1e6,
  };
}

/** A month of runs with one attempt each: 20 callers, 3 tasks, 2 providers. */
async function fill(ledger: Ledger, attempts: number, endMs: number, name = 'run'): Promise<void> {
  await inFlight(attempts, async (index) => {
    const startedAtMs = Math.floor(endMs - 30 * DAY_MS * (1 - index / attempts));
    // One run in four is an agent's, which says its session: some 40 calls each.
    const session = index % 4 === 0 ? { session: `session-${index % 20}-${Math.floor(index / 3_200)}` } : {};
    const run = makeRun(`${name}_${index}`, {
      startedAtMs,
      revision: `plan-${Math.floor((index * 6) / attempts)}`,
      caller: { name: `caller-${index % 20}`, team: `team-${index % 4}`, tier: null, ...session },
      tags: index % 2 === 0 ? {} : { app: `app-${index % 5}` },
      task: ['summarize', 'email-parse', 'code-review'][index % 3] ?? '',
      inputHash: String(index).padStart(64, '0'),
    });
    const attempt = sampleAttempt(`${name}_att_${index}`, run, startedAtMs);
    void ledger.openRun(run);
    await ledger.openAttempt(attempt);
    void ledger.closeAttempt(settle(attempt, { latencyMs: 200 + (index % 1_000) }), null);
    await ledger.finishRun(finish(run, { costNanoUsd: 3_000_000n }));
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

const BERLIN = 'Europe/Berlin';
/** Days of a zone are made of hours, all of them. */
export const DAY_BY_DAY = 'spend of a month, day by day in a zone';
/** Ends inside minutes, so that rows are read at its edges. */
const uneven = (nowMs: number) => ({
  fromMs: nowMs - 27 * DAY_MS + 1_234_567,
  toMs: nowMs - 3 * DAY_MS + 7_654_321,
});

async function timeSpans(stats: SpanStats): Promise<{ readonly [question: string]: number }> {
  const month = { fromMs: Math.ceil(Date.now() / HOUR_MS) * HOUR_MS - 30 * DAY_MS, timeZone: BERLIN };
  const week = { calendar: 'week', timeZone: BERLIN } as const;
  const questions: { readonly [question: string]: () => Promise<unknown> } = {
    'spend of a month': () => stats.spend({ span: month, latencies: false }),
    ...Object.fromEntries(
      (['TASK', 'PROVIDER', 'MODEL', 'CALLER', 'TEAM', 'SESSION', 'TAG', 'REVISION'] as const).map(
        (dimension) => [
          `spend of a month by ${dimension}`,
          () => stats.spend({ span: month, by: [dimension], tagKey: 'app', latencies: false }),
        ],
      ),
    ),
    'spend of a month by SESSION and TASK': () =>
      stats.spend({ span: month, by: ['SESSION', 'TASK'], latencies: false }),
    'spend of a month by TASK, with latencies': () => stats.spend({ span: month, by: ['TASK'] }),
    [DAY_BY_DAY]: () => stats.spend({ span: month, every: 'day', latencies: false }),
    'spend of a week by CALLER and MODEL': () =>
      stats.spend({ span: { ...week, ago: 1 }, by: ['CALLER', 'MODEL'], latencies: false }),
    'spend between two instants by TASK': () =>
      stats.spend({ span: uneven(Date.now()), by: ['TASK'], latencies: false }),
    'savings of a month by TASK': () => stats.savings({ span: month, by: ['TASK'] }),
    'why a week cost more': () =>
      stats.costChange({
        from: { ...week, ago: 2 },
        to: { ...week, ago: 1 },
        by: ['TASK'],
      }),
    'why today cost more than is usual': () =>
      stats.costChange({ to: { calendar: 'day', timeZone: BERLIN } }),
    'dollars a minute, and as usual': () => stats.pace(),
  };
  const took: { [question: string]: number } = {};
  for (const [question, ask] of Object.entries(questions)) {
    // The first reads keys and pages that the next ones find in memory.
    await ask();
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) times.push(await timed(ask));
    took[question] = times.sort((a, b) => a - b)[2] ?? 0;
  }
  return took;
}

async function measureLarge(path: string, attempts: number): Promise<LedgerBench['large']> {
  const endMs = Date.now();
  const filling = await openLedger({ path, synchronous: 'normal', clock: systemClock });
  await fill(filling, attempts, endMs);
  await filling.close();
  const startedMs = performance.now();
  const ledger = await openLedger({ path, synchronous: 'full', clock: systemClock });
  const openMs = performance.now() - startedMs;
  const stats = createStats({ ledger, clock: systemClock });
  // The reader's thread loads while the server starts; that is not a question's time.
  await ledger.run('run_0');
  const firstStatsMs: { [window: string]: number } = {};
  for (const window of ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const)
    firstStatsMs[window] = await timed(() => stats.costStats({ window, by: ['PROVIDER', 'CALLER'] }));
  await fill(ledger, 1_000, Date.now(), 'new');
  // Until the writer is done, and with it the checkpoint of a log that was filled by a million.
  await ledger.receipts('run_0');
  const statsMs = await timed(() => stats.costStats({ window: 'MONTH', by: ['PROVIDER', 'CALLER'] }));
  const spansMs = await timeSpans(stats);
  const pageMs = await timed(() => ledger.runs({ task: 'summarize', caller: 'caller-3' }, { limit: 50 }));
  const bytes = Number(
    new DatabaseSync(path, { readOnly: true })
      .prepare('select page_count * page_size as n from pragma_page_count, pragma_page_size')
      .get()?.['n'],
  );
  await ledger.close();
  return { attempts, openMs, firstStatsMs, statsMs, spansMs, pageMs, bytes };
}

export async function benchLedger(attempts: number, large: number): Promise<LedgerBench> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  try {
    const raw = {
      full: rawRate(join(folder, 'raw-full.db'), attempts, 'full'),
      normal: rawRate(join(folder, 'raw-normal.db'), attempts, 'normal'),
    };
    return {
      rawAttemptsPerSecond: raw,
      ledger: {
        full: await ledgerRate(join(folder, 'full.db'), attempts, 'full', raw.full),
        normal: await ledgerRate(join(folder, 'normal.db'), attempts, 'normal', raw.normal),
      },
      large: await measureLarge(join(folder, 'large.db'), large),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
