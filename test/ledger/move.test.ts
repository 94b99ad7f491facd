// A ledger taken from a file into PostgreSQL and back: every row arrives, every sum agrees, and what could be lost is refused.
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { moveLedger } from '../../src/ledger/move.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { Ledger, ReadOnlyLedger } from '../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, makeStep, settle } from '../support/ledger-records.ts';
import { emptyDatabase, hasPostgres, query } from '../support/postgres.ts';

const LONG = 'long '.repeat(2_000);

async function fill(ledger: Ledger): Promise<void> {
  for (let index = 0; index < 5; index += 1) {
    const run = makeRun(`run_${index}`, { input: { text: LONG }, tags: { env: 'prod' } });
    const attempt = makeAttempt(`att_${index}`, run);
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), makeStep(run.id, 'summary'));
    await ledger.finishRun(finish(run));
  }
  const durable = makeRun('run_durable', { durable: true });
  await ledger.openRun(durable);
  await ledger.openAttempt(makeAttempt('att_open', durable));
  await ledger.setSwitch({ scope: 'task:a', reason: 'loop', by: 'ana', sinceMs: START_MS });
  await ledger.learnBound('openai/a', '{}');
}

async function contentsOf(ledger: ReadOnlyLedger): Promise<unknown> {
  const { rows } = await ledger.runs({}, { limit: 100 });
  const ids = rows.map(({ id }) => id);
  return {
    rows,
    attempts: await ledger.attemptsOf(ids),
    steps: await ledger.stepsOf(ids),
    switches: await ledger.switches(),
    alerts: (await ledger.alerts({ limit: 10 })).rows,
    unreconciled: await ledger.unreconciled(),
    report: await ledger.verify(),
  };
}

async function read(path: string): Promise<unknown> {
  const ledger = openLedgerReader(path);
  try {
    return await contentsOf(ledger);
  } finally {
    await ledger.close();
  }
}

describe.skipIf(!hasPostgres)('headgate ledger move', () => {
  it('INV-1: takes every row into PostgreSQL, where the next node goes on with what was under way, and back', async () => {
    const path = ledgerPath();
    const first = await openTestLedger(path);
    await fill(first);
    await first.close();
    // A start after a crash: what was open is unreconciled.
    await (await openTestLedger(path)).close();
    const before = await read(path);
    const address = await emptyDatabase();

    const { report, keptAs } = await moveLedger(path, address, systemClock);
    expect(report).toMatchObject({ ok: true, runs: 5, attempts: 6 });
    expect(await read(address)).toEqual(before);
    expect(existsSync(path)).toBe(false);
    expect(await read(keptAs)).toEqual(before);
    await expect(moveLedger(keptAs, address, systemClock)).rejects.toMatchObject({ code: 'MOVE_REFUSED' });

    const node = await openTestLedger(address);
    node.cluster?.ready();
    const taken = await node.takeWaiting(10);
    expect(taken.map(({ id }) => id)).toEqual(['run_durable']);
    for (const run of taken) await node.release(run);
    expect([...(await node.learntBounds()).keys()]).toEqual(['openai/a']);
    // The numbers that the database gives go on after those that were brought.
    const run = makeRun('run_later');
    await node.openRun(run);
    await node.openAttempt(makeAttempt('att_later', run));
    await node.closeAttempt(settle(makeAttempt('att_later', run)), null);
    await node.finishRun(finish(run));
    await node.reconcile('att_open', { kind: 'confirm' });
    await expect(moveLedger(address, ledgerPath(), systemClock)).rejects.toMatchObject({
      code: 'MOVE_REFUSED',
      message: expect.stringContaining('at work') as string,
    });
    await node.close();
    const after = await read(address);

    const back = ledgerPath();
    const returned = await moveLedger(address, back, systemClock);
    expect(await read(back)).toEqual(after);
    expect(readdirSync(dirname(back)).filter((name) => name.includes('.part'))).toEqual([]);
    const { searchParams } = new URL(address);
    expect(returned.keptAs).toContain(`${searchParams.get('schema')}_moved_`);
    await query(address, `drop schema ${returned.keptAs} cascade`);
    const again = await openTestLedger(back);
    expect((await again.takeWaiting(10)).map(({ id }) => id)).toEqual(['run_durable']);
  }, 60_000);

  it('INV-13: changes nothing where a text would not arrive as it is, and where a server has the file', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await ledger.openRun(makeRun('run_1', { error: { message: 'a\0b' } as never }));
    await ledger.setSwitch({ scope: 'all', reason: 'a\0b', by: 'ana', sinceMs: START_MS });
    const address = await emptyDatabase();
    await expect(moveLedger(path, address, systemClock)).rejects.toMatchObject({ code: 'DATABASE_IN_USE' });
    await ledger.close();
    await expect(moveLedger(path, address, systemClock)).rejects.toMatchObject({
      code: 'MOVE_REFUSED',
      message: expect.stringContaining('table switches') as string,
    });
    expect(readdirSync(dirname(path))).toContain(basename(path));
    expect(await query(address, 'select count(*)::int as n from nodes')).toEqual([{ n: 0 }]);
    // It can be taken as soon as it can be held.
    expect((await openTestLedger(address)).cluster?.nodes()).toHaveLength(1);
  });
});
