// Retention, pruning, leases and verification: texts go when their time is over, sums stay, and what does not add up is found.
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { createStats } from '../../src/ledger/stats/stats.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, makeStep, settle } from '../support/ledger-records.ts';

const DAY_MS = 86_400_000;
const clock = { ...systemClock, nowMs: () => START_MS };
const LONG = 'long '.repeat(1_000);

async function withPlan(ledger: Ledger): Promise<void> {
  const retain = (content: string, days: number): unknown => ({ retain: { content, forMs: days * DAY_MS } });
  const plan = {
    tasks: { full: retain('full', 10), redacted: retain('redacted', 20), hash: retain('hash', 5) },
  };
  const revision = {
    hash: 'plan-1',
    commit: null,
    author: null,
    subject: null,
    dirty: false,
    source: 'workflows/',
    compiledAtMs: START_MS,
    activeFromMs: START_MS,
    activeToMs: null,
    problems: [],
    pinned: false,
  };
  await ledger.recordRevision(revision, JSON.stringify(plan));
}

async function runTask(ledger: Ledger, id: string, task: string, durable = false): Promise<void> {
  const run = makeRun(id, { task, durable, input: { text: `ana@example.com ${LONG}` } });
  await ledger.openRun(run);
  const attempt = makeAttempt(`att_${id}`, run);
  await ledger.openAttempt(attempt);
  await ledger.closeAttempt(settle(attempt), makeStep(id, 'summary', { output: 'for ana@example.com' }));
  if (durable) expect((await ledger.receipts(id)).get('summary')?.output).toBe('for ana@example.com');
  await ledger.finishRun(
    finish(run, { output: { text: `to ana@example.com ${LONG}` }, costNanoUsd: 3_000_000n }),
  );
}

const textsOf = async (ledger: Ledger, id: string): Promise<readonly unknown[]> => {
  const run = await ledger.run(id);
  const [step] = (await ledger.stepsOf([id])).get(id) ?? [];
  return [run?.input, run?.output, step?.output].map((value) => JSON.stringify(value)?.slice(0, 40) ?? null);
};

describe('what a task retains', () => {
  it.each([false, true])('is kept, kept redacted or only hashed (durable: %s)', async (durable) => {
    const ledger = await openTestLedger(ledgerPath(), { clock, writer: 'inline' });
    await withPlan(ledger);
    for (const task of ['full', 'redacted', 'hash']) await runTask(ledger, `run_${task}`, task, durable);
    const [input, output, step] = await textsOf(ledger, 'run_full');
    expect([input, output, step]).toEqual([
      expect.stringContaining('ana@example.com'),
      expect.stringContaining('ana@example.com'),
      '"for ana@example.com"',
    ]);
    for (const text of await textsOf(ledger, 'run_redacted')) expect(text).toMatch(/\[email\]/);
    expect(await textsOf(ledger, 'run_hash')).toEqual(['null', 'null', 'null']);
    expect((await ledger.run('run_hash'))?.inputHash).toBe('a'.repeat(64));
    await ledger.recordStep(makeStep('run_hash', 'late', { output: 'for ana@example.com' }));
    expect((await ledger.receipts('run_hash')).get('late')?.output).toBeNull();
    // A text that is not whole is no answer to reuse.
    expect((await ledger.findCached('task-1', 'a'.repeat(64), { sinceMs: 0 }))?.id).toBe('run_full');
  });

  it('INV-9: leaves nothing of a hashed text in the file', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { clock, writer: 'inline' });
    await withPlan(ledger);
    await runTask(ledger, 'run_1', 'hash');
    await ledger.close();
    const database = new DatabaseSync(path);
    expect(
      database.prepare("select count(*) as n from contents where text like '%example.com%'").get(),
    ).toMatchObject({ n: 0 });
  });
});

describe('pruning', () => {
  it('takes texts when their time is over, shared ones with the last who needs them, and no sum', async () => {
    const ledger = await openTestLedger(ledgerPath(), { clock, writer: 'inline' });
    const stats = createStats({ ledger, clock });
    await withPlan(ledger);
    await runTask(ledger, 'run_1', 'full');
    await runTask(ledger, 'run_2', 'redacted');
    const before = await stats.costStats({ window: 'ALL', by: ['TASK'] });
    expect(await ledger.prune(START_MS + 10 * DAY_MS)).toMatchObject({ confirmed: 0 });
    expect((await textsOf(ledger, 'run_1'))[0]).toMatch(/ana@example/);
    await ledger.prune(START_MS + 11 * DAY_MS);
    expect(await textsOf(ledger, 'run_1')).toEqual(['null', 'null', 'null']);
    expect((await textsOf(ledger, 'run_2'))[0]).toMatch(/email/);
    expect((await ledger.run('run_1'))?.costNanoUsd).toBe(3_000_000n);

    await ledger.prune(START_MS + 401 * DAY_MS);
    expect(await ledger.run('run_1')).toBeUndefined();
    expect((await ledger.attemptsOf(['run_1'])).get('run_1')).toEqual([]);
    const again = createStats({ ledger, clock });
    expect(
      (await again.costStats({ window: 'ALL', by: ['TASK'] })).groups.map(({ bucket }) => bucket.costNanoUsd),
    ).toEqual(before.groups.map(({ bucket }) => bucket.costNanoUsd));
    expect(await ledger.verify()).toMatchObject({ ok: true, attempts: 0, discrepancies: [] });
    expect(await ledger.prune(START_MS + 401 * DAY_MS)).toEqual({ rows: 0, confirmed: 0 });
  });

  it('leaves a durable run that is under way what it needs to go on', async () => {
    const ledger = await openTestLedger(ledgerPath(), { clock, writer: 'inline' });
    await withPlan(ledger);
    const input = { text: LONG };
    await ledger.openRun(makeRun('run_1', { task: 'full', durable: true, input }));
    await ledger.recordStep(makeStep('run_1', 'mail', { output: LONG }));
    await ledger.prune(START_MS + 500 * DAY_MS);
    expect((await ledger.run('run_1'))?.input).toEqual(input);
    expect((await ledger.receipts('run_1')).get('mail')?.output).toBe(LONG);
  });

  it('takes an attempt of unknown outcome for billed, at its worst case, when its lease is over', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { clock, writer: 'inline' });
    const run = makeRun('run_1');
    await ledger.openRun(run);
    await ledger.openAttempt(makeAttempt('att_1', run, { heldTokens: 1_400 }));
    await ledger.close();
    const again = await openTestLedger(path, { clock, writer: 'inline' });
    expect(await again.prune(START_MS + DAY_MS - 1)).toMatchObject({ confirmed: 0 });
    expect(await again.prune(START_MS + DAY_MS)).toMatchObject({ confirmed: 1 });
    expect([...again.accounts.settled(0)].map(({ spending }) => spending)).toEqual([
      { costNanoUsd: 5_000_000n, tokens: 1_400, calls: 1 },
    ]);
    expect(await again.verify()).toMatchObject({ ok: true, discrepancies: [] });
  });
});

describe('verification', () => {
  it.each([
    [
      'update attempts set cost_nano_usd = cost_nano_usd + 1',
      ['attempt_cost', 'run_cost', 'budget_spent', 'rollup'],
    ],
    ['update attempts set output_tokens = output_tokens + 1', ['attempt_cost', 'budget_spent', 'rollup']],
    ['update runs set cost_nano_usd = 0', ['run_cost']],
    ['update budget_windows set spent_nano_usd = spent_nano_usd - 1', ['budget_spent']],
    ['update budget_windows set held_nano_usd = 1', ['budget_held']],
    ['delete from budget_windows', ['budget_spent']],
    ['update rollups set attempts = attempts + 1 where grain = 2', ['rollup']],
    ['update rollups set cost_nano_usd = 0 where grain = 0', ['rollup']],
    ['delete from rollups where grain = 1', ['rollup']],
    ["update contents set text = '{}' where text like '%genai%' or text like '%yaml%'", ['rates']],
  ])('finds what `%s` breaks', async (tampering, kinds) => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { clock, writer: 'inline' });
    await runTask(ledger, 'run_1', 'summarize');
    await runTask(ledger, 'run_2', 'summarize');
    expect(await ledger.verify()).toMatchObject({
      ok: true,
      attempts: 2,
      runs: 2,
      budgetWindows: 1,
      found: 0,
    });
    await ledger.close();
    const database = new DatabaseSync(path);
    database.exec(tampering);
    database.close();
    const report = await (await openTestLedger(path, { clock, writer: 'inline' })).verify();
    expect(report.ok).toBe(false);
    expect([...new Set(report.discrepancies.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
  });
});
