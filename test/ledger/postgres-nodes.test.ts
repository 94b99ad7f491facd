// Two nodes over one PostgreSQL: burial, fencing, slices and what they tell each other.
import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Lowered } from '../../src/ledger/cluster-port.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import type { AlertRecord } from '../../src/engine/execution/recorder.ts';
import { openPool, readAddress } from '../../src/ledger/postgres/connection.ts';
import { buryNode } from '../../src/ledger/postgres/nodes.ts';
import { turnStatement } from '../../src/ledger/postgres/statement.ts';
import { SharedBooks } from '../engine/budget/shared-books.ts';
import { createHandClock } from '../support/hand-clock.ts';
import { openTestLedger } from '../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, makeStep, settle } from '../support/ledger-records.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { emptyDatabase, hasPostgres, query } from '../support/postgres.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

interface Two {
  readonly address: string;
  readonly first: Ledger;
  readonly second: Ledger;
}

async function two(): Promise<Two> {
  const address = await emptyDatabase();
  const first = await openTestLedger(address);
  return { address, first, second: await openTestLedger(address) };
}

/** The second node declares the first one dead. */
async function bury(
  address: string,
  tries = Number.POSITIVE_INFINITY,
): Promise<Awaited<ReturnType<typeof buryNode>>> {
  const pool = openPool(readAddress(address), 1);
  try {
    for (let looks = 1; ; looks += 1) {
      const buried = await buryNode(pool, 1, 2, START_MS + 5_000, 'true');
      const [{ alive } = {}] = await query(address, 'select alive from nodes where seq = 1');
      // Its row may be locked by its own sign of life just then.
      if (buried !== undefined || alive === false || looks === tries) return buried;
    }
  } finally {
    await pool.end();
  }
}

describe.skipIf(!hasPostgres)('a database that does not answer, or not everything', () => {
  it('INV-5: a run that was refused and is there all the same is taken back: its key is free, and nobody waits for it', async () => {
    const clock = createHandClock();
    const address = await emptyDatabase();
    const proxy = await startPostgresProxy(address);
    onTestFinished(() => proxy.close());
    const node = await openTestLedger(proxy.url, { clock });
    const rows = (): Promise<readonly object[]> => query(address, 'select id from runs order by seq');
    // What its plan says is known by then.
    await node.openRun(makeRun('run_before'));
    proxy.loseAnswer(1_000);
    const opened = node.openRun(makeRun('run_keyed', { durable: true, idempotencyKey: 'k' }));
    opened.catch(() => undefined);
    while ((await rows()).length < 2) await sleep(10);
    clock.jump(5_000);
    await expect(opened).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    proxy.loseAnswer(0);
    const again = makeRun('run_again', { durable: true, idempotencyKey: 'k' });
    for (;;) {
      const refused = await node.openRun(again).then(
        () => null,
        ({ code }: { readonly code: string }) => code,
      );
      if (refused === null) break;
      expect(refused).toBe('LEDGER_UNAVAILABLE');
      await sleep(20);
    }
    expect((await node.findByIdempotencyKey('ana', 'k'))?.id).toBe('run_again');
    expect(await rows()).toEqual([{ id: 'run_before' }, { id: 'run_again' }]);
  });

  it('INV-5: a step that cost nothing, and was done while it was away, is written when it is back', async () => {
    const clock = createHandClock();
    const address = await emptyDatabase();
    const proxy = await startPostgresProxy(address);
    onTestFinished(() => proxy.close());
    const node = await openTestLedger(proxy.url, { clock });
    await node.openRun(makeRun('run_1'));
    proxy.away(true);
    const step = node.recordStep(makeStep('run_1', 'mail', { kind: 'parse', output: 1 }));
    step.catch(() => undefined);
    // It is asked once, and then no more.
    await sleep(50);
    clock.jump(5_000);
    await expect(step).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    proxy.away(false);
    while ((await query(address, 'select key from steps')).length === 0) await sleep(20);
    expect((await node.receipts('run_1')).get('mail')?.output).toBe(1);
  });

  it.each(['full', 'default'])('has its ledger in a schema whose name is a word of SQL: %s', async (name) => {
    const address = (await emptyDatabase()).replace(/schema=.*/, `schema=${name}`);
    onTestFinished(async () => {
      await query(address, `drop schema if exists "${name}" cascade`);
    });
    const node = await openTestLedger(address);
    await node.openRun(makeRun('run_a'));
    expect(await query(address, `select id from "${name}".runs`)).toEqual([{ id: 'run_a' }]);
  });

  it.each(['Select', 'my-team', 'a"b', '', 'pg_ledger', 'information_schema'])(
    'INV-13: is refused with a remedy where its schema is named what it cannot be: %s',
    (name) => {
      expect(() => readAddress(`postgres://localhost/gate?schema=${encodeURIComponent(name)}`)).toThrow(
        expect.objectContaining({ code: 'DATABASE_ADDRESS', message: expect.stringContaining('schema') }),
      );
    },
  );

  it('is refused where it is a standby: it says so, and changes nothing', async () => {
    const address = await emptyDatabase();
    const standby = new URL(address);
    standby.searchParams.set('options', '-c default_transaction_read_only=on');
    await expect(openTestLedger(standby.href)).rejects.toMatchObject({
      code: 'DATABASE_READ_ONLY',
      message: expect.stringContaining('takes no writes') as string,
      remedy: expect.stringContaining('primary') as string,
    });
  });
});

describe.skipIf(!hasPostgres)('two nodes', () => {
  it('INV-1: sessions are counted also beside a node that knows no days by session alone, and of it when it is gone', async () => {
    const { address, first, second } = await two();
    for (const [index, ledger] of [first, second, first, second].entries()) {
      const caller = { name: 'ana', team: null, tier: null, session: `s-${index % 3}` };
      const run = makeRun(`run_${index}`, { caller });
      const attempt = makeAttempt(`att_${index}`, run);
      await Promise.all([
        ledger.openRun(run),
        ledger.openAttempt(attempt),
        ledger.closeAttempt(settle(attempt), null),
        ledger.finishRun(finish(run)),
      ]);
    }
    const read = async (): Promise<object> => {
      const grouping = { by: ['SESSION'], filter: {} } as const;
      const { answers } = await second.spans([{ fromMs: 0, toMs: 1e14, grouping, latencies: true }]);
      return Object.fromEntries((answers[0]?.groups ?? []).map(({ values: [value], sums }) => [value, sums]));
    };
    const before = await read();
    expect(Object.keys(before).sort()).toEqual(['s-0', 's-1', 's-2']);
    const inAll = async (): Promise<unknown> => {
      const grouping = { by: [], filter: {} };
      const span = { fromMs: START_MS - 1_800_000, toMs: START_MS + 1_800_000 };
      const { answers } = await second.spans([{ ...span, grouping, latencies: false }]);
      return answers[0]?.groups;
    };
    const allBefore = await inAll();
    // The first node is of an older version, which wrote none.
    await query(address, 'delete from rollups where grain in (8, 9) and node = 1');
    await query(address, 'update nodes set has_session_days = false, has_quarters = false where seq = 1');
    expect(await read()).toEqual(before);
    expect(await inAll()).toEqual(allBefore);
    expect((await second.verify()).discrepancies).toEqual([]);
    await second.prune(START_MS);
    expect(await read()).toEqual(before);
    await bury(address);
    await query(address, 'update nodes set beat_at_ms = 0 where seq = 1');
    await second.prune(START_MS);
    expect(await query(address, 'select 1 from nodes where not (has_session_days and has_quarters)')).toEqual(
      [],
    );
    expect(await read()).toEqual(before);
    expect(await inAll()).toEqual(allBefore);
    expect((await second.verify()).discrepancies).toEqual([]);
  });

  it('INV-3: what a node leaves that dies is settled by another, in one transaction and once', async () => {
    const { address, first, second } = await two();
    const run = makeRun('run_1');
    const durable = makeRun('run_2', { durable: true });
    await Promise.all([first.openRun(run), first.openRun(durable)]);
    await first.openAttempt(makeAttempt('att_1', run));
    expect(await bury(address)).toMatchObject({
      unreconciled: 1,
      heldNanoUsd: 5_000_000n,
      interrupted: 1,
      waiting: ['run_2'],
    });
    expect(await bury(address)).toBeUndefined();
    expect((await second.unreconciled()).map(({ id }) => id)).toEqual(['att_1']);
    expect((await second.run('run_1'))?.error?.code).toBe('RUN_INTERRUPTED');
    expect((await second.takeWaiting(10)).map(({ id }) => id)).toEqual(['run_2']);
    expect((await second.verify()).discrepancies).toEqual([]);
  });

  it('INV-3: of a node that was taken for dead nothing is written but what it has paid for', async () => {
    const { address, first, second } = await two();
    const run = makeRun('run_1');
    const attempt = makeAttempt('att_1', run);
    await first.openRun(run);
    await first.openAttempt(attempt);
    await bury(address);
    await expect(first.openRun(makeRun('run_3'))).rejects.toMatchObject({ code: 'NODE_FENCED' });
    await first.closeAttempt(settle(attempt), makeStep('run_1', 'summary'));
    expect((await second.attemptsOf(['run_1'])).get('run_1')).toMatchObject([
      { status: 'succeeded', costNanoUsd: 3_000_000n },
    ]);
    expect(await second.receipts('run_1')).toEqual(new Map());
    expect((await second.run('run_1'))?.costNanoUsd).toBe(3_000_000n);
    expect(await second.run('run_3')).toBeUndefined();
    expect((await second.verify()).discrepancies).toEqual([]);
  });

  it('refuses no budget where it was taken for dead: it says that it is, so that another node is asked', async () => {
    const { address, first } = await two();
    await bury(address);
    const account = { budgetId: 'b', account: '', windowStartMs: 0, unit: 'usd', countedFromMs: 0 } as const;
    const asked = first.cluster?.leases.lease(account, { limit: 10n, have: 0n, need: 1n, want: 1n });
    await expect(asked).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', cause: { code: 'NODE_FENCED' } });
  });

  it('INV-1: what a dead node has paid is in what its run cost, settled while another node ends it', async () => {
    const { address, first, second } = await two();
    const run = makeRun('run_1', { durable: true });
    const attempt = makeAttempt('att_1', run);
    await first.openRun(run);
    await first.openAttempt(attempt);
    await bury(address);
    expect((await second.takeWaiting(1)).map(({ id }) => id)).toEqual(['run_1']);
    await second.openRun(run);
    // It has added up what its attempts cost, and waits for its turn.
    const pool = openPool(readAddress(address), 1);
    const client = await pool.connect();
    await client.query('begin');
    await client.query('update nodes set beat_at_ms = beat_at_ms where seq = 2');
    const finished = second.finishRun(finish(run));
    for (let waiting = 0; waiting === 0;) {
      const found = await query(
        address,
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%with turn as%'`,
      );
      waiting = found.length;
    }
    await first.closeAttempt(settle(attempt), null);
    await client.query('commit');
    client.release();
    await Promise.all([finished, pool.end()]);
    expect(await second.run('run_1')).toMatchObject({ status: 'succeeded', costNanoUsd: 3_000_000n });
    expect((await second.verify()).discrepancies).toEqual([]);
  });

  it('prepares a statement for a kind of turn that comes often, and for no other', () => {
    // One that nothing else here makes.
    const turn = { node: 1, first: 1, last: 1, callers: [{}], steps: [{}], moved: [{}] };
    const names = Array.from({ length: 12 }, () => turnStatement(turn).name);
    expect(names.slice(0, 9)).toEqual(names.slice(0, 9).map(() => undefined));
    expect(new Set(names.slice(9))).toEqual(new Set([expect.stringMatching(/^headgate_turn_[01]+$/)]));
  });

  it('finds what a turn changes by its keys, also where its plan was made while there was nothing', async () => {
    const { address } = await two();
    const pool = openPool(readAddress(address), 1, { byKey: true });
    // One that says little, and one that says more.
    const little = { revision: 'r', taskRevision: 't', decision: '{}', postings: '[]' };
    const some = [little, { ...little, errorClass: 'timeout' }];
    const { text } = turnStatement({
      node: 1,
      first: 1,
      last: 1,
      newRuns: some,
      runs: some,
      finished: some,
      attempts: some,
      closed: some,
      moved: some,
      newSteps: some,
      steps: some,
      windows: some,
      rollups: some,
      callers: some,
    });
    for (const statistics of ['select 1', 'analyze']) {
      await pool.query(statistics);
      const { rows } = await pool.query(`explain (generic_plan, costs off) ${text}`);
      const lines = (rows as { 'QUERY PLAN': string }[]).map((row) => row['QUERY PLAN'].trim());
      const scans = lines.flatMap((line, index) =>
        /-> +(?:Seq|Index|Index Only|Bitmap \w+|Tid) Scan/.test(line) ? [[line, lines[index + 1]]] : [],
      );
      expect(scans.length).toBeGreaterThan(6);
      for (const [, condition] of scans)
        expect(condition).toMatch(/^(?:Index|TID) Cond: \(.*(?:seq|id|ctid)/);
      expect(lines.join()).not.toMatch(/runs_unfinished|attempts_unsettled/);
    }
    await pool.end();
  });

  it('keeps of a run that survives its node what it may keep, also where what was remembered of it is gone', async () => {
    const { address, first } = await two();
    const run = makeRun('run_1', { durable: true });
    await first.openRun(run);
    await query(address, "update runs set retain = 'hash' where id = 'run_1'");
    await first.openAttempt(makeAttempt('att_1', run));
    // A row that is refused makes it read again what it remembered.
    await expect(first.openAttempt(makeAttempt('att_1', run))).rejects.toBeDefined();
    await first.finishRun(finish(run));
    expect(
      await query(address, 'select input_text, input_content, output_text, output_content from runs'),
    ).toEqual([{ input_text: null, input_content: null, output_text: null, output_content: null }]);
    await first.recordStep(makeStep('run_1', 'late', { output: 'what it said' }));
    expect(await query(address, 'select output_text, output_content from steps')).toEqual([
      { output_text: null, output_content: null },
    ]);
  });

  it('closes what another node has opened, from the rows of that one', async () => {
    const { address, first, second } = await two();
    const run = makeRun('run_1');
    await first.openRun(run);
    await first.openAttempt(makeAttempt('att_1', run));
    await bury(address);
    await second.reconcile('att_1', { kind: 'confirm', costNanoUsd: 4_000_000n });
    expect((await second.verify()).discrepancies).toEqual([]);
    expect((await second.run('run_1'))?.costNanoUsd).toBe(4_000_000n);
    expect(
      await query(address, 'select node::int, spent_nano_usd::text, held_nano_usd::text from budget_windows'),
    ).toEqual([{ node: 1, spent_nano_usd: '4000000', held_nano_usd: '0' }]);
  });

  it('hears at once that another node has pulled a switch', async () => {
    const { first, second } = await two();
    const heard = new Promise<string>((resolve) => second.cluster?.onChanged(resolve));
    await first.setSwitch({ scope: 'all', reason: 'loop', by: 'ana', sinceMs: START_MS });
    expect(await heard).toBe('switches');
    expect(await second.switches()).toMatchObject([{ scope: 'all' }]);
  });

  it('hears all that is said, in its order, also what was said before', async () => {
    const { first, second } = await two();
    while (first.cluster?.nodes().length !== 2) await sleep(10);
    const all = ['open', 'closed', 'open', 'closed', 'last'];
    const heard: unknown[] = [];
    const done = new Promise<void>((resolve) =>
      second.cluster?.onSaid((news) => {
        heard.push(...news);
        if (JSON.stringify(news).includes('last')) resolve();
      }),
    );
    // The first is told at once, and the others with each other.
    for (const state of ['first', ...all]) first.cluster?.say([{ state }]);
    await done;
    expect(heard).toEqual(['first', ...all].map((state) => ({ state })));
  });

  it('asks again what it read while its connection was lost', async () => {
    const address = await emptyDatabase();
    const proxy = await startPostgresProxy(address);
    const ledger = await openTestLedger(proxy.url);
    await ledger.openRun(makeRun('run_1', { idempotencyKey: 'k' }));
    for (let times = 0; times < 3; times += 1) {
      proxy.loseAnswer();
      expect((await ledger.findByIdempotencyKey('ana', 'k'))?.id).toBe('run_1');
    }
    expect(proxy.lostAnswers).toBe(3);
    await ledger.close();
    await proxy.close();
  });

  it('finds out by asking what it was not told, once', async () => {
    const address = await emptyDatabase();
    const first = await openTestLedger(address);
    const clock = createSimulatedClock();
    const second = await openTestLedger(address, { clock });
    const heard: string[] = [];
    const found = new Promise<void>((resolve) =>
      second.cluster?.onChanged((what) => {
        heard.push(what);
        if (what === 'keys') resolve();
      }),
    );
    await first.setSwitch({ scope: 'all', reason: 'loop', by: 'ana', sinceMs: START_MS });
    await query(address, "insert into shared_changes (what, version) values ('keys', 1)");
    // It is asked for with a sign of life, and for the next one no time passes.
    await clock.advance(500);
    await found;
    expect(heard).toEqual(['switches', 'keys']);
  });

  it('INV-2: what is settled at less frees what it had taken at the node that made the call, whichever node settles it', async () => {
    const { first, second } = await two();
    const run = makeRun('run_1');
    const attempts = ['att_1', 'att_2'].map((id) => makeAttempt(id, run));
    await first.openRun(run);
    for (const attempt of attempts) {
      await first.openAttempt(attempt);
      await first.closeAttempt({ ...settle(attempt), estimated: true }, null);
    }
    for (const [by, id] of [
      [second, 'att_1'],
      [first, 'att_2'],
    ] as const) {
      const told = new Promise<Lowered>((resolve) => first.cluster?.onLowered(resolve));
      await by.reconcile(id, { kind: 'confirm', costNanoUsd: 1_000_000n });
      expect(await told).toMatchObject({
        postings: attempts[0]?.postings,
        before: { costNanoUsd: 3_000_000n },
        after: { costNanoUsd: 1_000_000n },
      });
    }
  });

  it('shows signs of life while its own thread does nothing', async () => {
    const address = await emptyDatabase();
    // Its clock stands still: nothing that it does by itself is done.
    const node = await openTestLedger(address, { clock: createHandClock() });
    node.cluster?.ready();
    await vi.waitFor(
      async () => {
        const [{ lives } = {}] = await query(
          address,
          'select beat_at_ms <= extract(epoch from clock_timestamp()) * 1000 as lives from nodes',
        );
        expect(lives).toBe(true);
      },
      { timeout: 10_000 },
    );
  });

  it('keeps order on one node at a time', async () => {
    const { address, first, second } = await two();
    const run = makeRun('run_1');
    await first.openRun(run);
    await first.openAttempt(makeAttempt('att_1', run));
    await bury(address);
    const later = START_MS + 2 * 86_400_000;
    const confirmed = await Promise.all(Array.from({ length: 4 }, () => second.prune(later)));
    expect(confirmed.reduce((sum, each) => sum + each.confirmed, 0)).toBe(1);
    expect(await second.prune(later)).toMatchObject({ confirmed: 0 });
  });

  it('buries a node that stands still within a transaction: its rows do not stay locked', async () => {
    const { address } = await two();
    const pool = openPool(readAddress(`${address}&silence=1500`), 1);
    const client = await pool.connect();
    await client.query('begin');
    await client.query('update nodes set last_operation = last_operation where seq = 1');
    expect(await bury(address, 1)).toBeUndefined();
    await new Promise((resolve) => client.once('error', resolve));
    expect(await bury(address)).toBeDefined();
    client.release(true);
    await pool.end();
  });

  it('keeps one alert of what several nodes notice, and tells it once', async () => {
    const { first, second } = await two();
    const seen: string[] = [];
    second.onWritten((rows) => {
      for (const row of rows) if (row.kind === 'alert') seen.push(row.alert.id);
    });
    await first.keepSinks(['slack'], START_MS);
    const alert = (spent: string, share: number): AlertRecord => ({
      id: `alr_${spent}${share}`,
      kind: 'budget_warn',
      severity: 'warning',
      scope: 'budget:company',
      message: `${spent} spent`,
      remedy: '',
      atMs: Date.now(),
      runId: null,
      details: { budget: 'company', account: '', share, spent, windowStartedAtMs: START_MS },
    });
    await first.recordAlert(alert('7', 0.5));
    await second.recordAlert(alert('8', 0.5));
    await second.recordAlert(alert('9', 0.8));
    const { rows } = await second.alerts({ limit: 10 });
    expect(rows.map(({ message }) => message)).toEqual(['9 spent', '7 spent']);
    expect((await first.waitingAlerts('slack', 10)).waiting).toHaveLength(2);
    expect(await second.waitingAlerts('slack', 10)).toMatchObject({ waiting: [], isTeller: false });
    expect(new Set(seen)).toEqual(new Set(rows.map(({ id }) => id)));
  });

  it('keeps one alert of what one node notices at the end of a minute and another at the beginning of the next', async () => {
    const { first, second } = await two();
    const minuteMs = Math.ceil(START_MS / 60_000) * 60_000;
    const alert = (id: string, atMs: number): AlertRecord => ({
      id,
      kind: 'loop',
      severity: 'critical',
      scope: 'caller:ana',
      message: `by ${id}`,
      remedy: '',
      atMs,
      runId: null,
      details: { task: 'summarize', caller: 'ana', same: 'input' },
    });
    await first.recordAlert(alert('alr_1', minuteMs - 10));
    await second.recordAlert(alert('alr_2', minuteMs + 10));
    await second.recordAlert(alert('alr_3', minuteMs + 59_995));
    const { rows } = await second.alerts({ limit: 10 });
    expect(rows.map(({ message }) => message)).toEqual(['by alr_3', 'by alr_1']);
  });

  it('merges the sums of a node that is long dead, and adds up the same', async () => {
    const { address, first, second } = await two();
    for (const [index, node] of [first, second].entries()) {
      const run = makeRun(`run_${index}`);
      const attempt = makeAttempt(`att_${index}`, run);
      await node.openRun(run);
      await node.openAttempt(attempt);
      await node.closeAttempt(settle(attempt), null);
      await node.finishRun(finish(run));
    }
    await bury(address);
    const nodesOf = `select distinct node::int as node from rollups order by 1`;
    await query(address, 'update nodes set beat_at_ms = 0 where seq = 1');
    expect(await query(address, nodesOf)).toEqual([{ node: 1 }, { node: 2 }]);
    await second.prune(START_MS + 60_000);
    expect(await query(address, nodesOf)).toEqual([{ node: 0 }, { node: 2 }]);
    expect((await second.verify()).discrepancies).toEqual([]);
    // One that wakes after all.
    const late = makeAttempt('att_late', makeRun('run_1'));
    await query(address, 'update nodes set beat_at_ms = 0 where seq = 1');
    await second.openAttempt(late);
    await second.closeAttempt(settle(late), null);
    await second.prune(START_MS + 60_000);
    expect((await second.verify()).discrepancies).toEqual([]);
  });

  it('INV-2: grants slices as the books say, whatever was asked for, given back and spent', async () => {
    const { address, first, second } = await two();
    const books = new SharedBooks();
    const nodes = [
      { real: first.cluster?.leases, model: books.leasesOf(1), have: 0n },
      { real: second.cluster?.leases, model: books.leasesOf(2), have: 0n },
    ];
    const amount = fc.bigInt(1n, 600n);
    let budget = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            node: fc.nat(1),
            need: amount,
            want: amount,
            back: fc.boolean(),
            limit: fc.bigInt(0n, 1_200n),
          }),
          { maxLength: 8 },
        ),
        async (steps) => {
          budget += 1;
          for (const each of nodes) each.have = 0n;
          const of = {
            budgetId: `b${budget}`,
            account: '',
            windowStartMs: START_MS,
            unit: 'usd' as const,
            countedFromMs: START_MS,
          };
          for (const { node, need, want, back, limit } of steps) {
            const one = nodes[node] as (typeof nodes)[number];
            if (back) {
              const kept = one.have / 2n;
              await Promise.all([one.real?.giveBack(of, kept), one.model.giveBack(of, kept)]);
              one.have = kept;
            }
            const ask = { limit, have: one.have, need, want };
            const [real, model] = await Promise.all([one.real?.lease(of, ask), one.model.lease(of, ask)]);
            expect(real?.granted).toBe(model.granted);
            one.have = model.granted;
          }
        },
      ),
      { numRuns: 15 },
    );
    expect(await query(address, 'select count(*)::int as n from nodes where alive')).toEqual([{ n: 2 }]);
  });
});
