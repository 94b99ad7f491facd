// Group commit: what waits when a transaction opens goes into it, and the event loop waits for none of it.
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { LedgerUnavailable } from '../../src/errors/ledger-unavailable.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('group commit', () => {
  it(
    'puts what comes in many turns while the disk is busy into one transaction',
    { timeout: 60_000 },
    async () => {
      const path = ledgerPath();
      const ledger = await openTestLedger(path);
      const run = makeRun('run_1');
      await ledger.openRun(run);
      await ledger.run('run_1');
      const before = ledger.health().commits;
      const other = new DatabaseSync(path, { timeout: 5_000 });
      other.exec('begin immediate');
      const writes: Promise<void>[] = [];
      // The event loop turns on while the writer waits: that is what this loop counts on.
      for (let index = 0; index < 200; index += 1) {
        const attempt = makeAttempt(`att_${index}`, run);
        writes.push(ledger.openAttempt(attempt), ledger.closeAttempt(settle(attempt), null));
        await turn();
      }
      // Written: in the journal. The database has none of it yet.
      await Promise.all(writes);
      expect(ledger.health()).toMatchObject({ backlog: 400, ok: true, commits: before });
      other.exec('rollback');
      other.close();
      await ledger.run('run_1');
      // The transaction that waited for the lock held the first rows; all others were in the next.
      expect(ledger.health().commits - before).toBeLessThanOrEqual(3);
      expect((await ledger.attemptsOf(['run_1'])).get('run_1')?.length).toBe(200);
    },
  );

  it('settles promises in the order of the calls', async () => {
    const ledger = await openTestLedger(ledgerPath());
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ledger.openRun(makeRun(`run_${index}`)).then(() => order.push(index)),
      ),
    );
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  it('a row that breaks a constraint takes no other row with it', async () => {
    const ledger = await openTestLedger(ledgerPath());
    const run = makeRun('run_1');
    await ledger.openRun(run);
    const attempt = makeAttempt('att_1', run);
    const results = await Promise.allSettled([
      // What comes after it goes past the journal, whose rows nobody refuses any more.
      ledger.setSwitch({ scope: 'all', reason: 'r', by: 'ana', sinceMs: 1 }),
      ledger.openAttempt(attempt),
      ledger.openAttempt(attempt),
      ledger.closeAttempt(settle(makeAttempt('att_9', run)), null),
      ledger.closeAttempt(settle(attempt), null),
    ]);
    const [, ...ends] = results.map(({ status }) => status);
    expect(ends).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(await ledger.verify()).toMatchObject({ ok: true, attempts: 1 });
  });

  it('INV-14: refuses new work, but no settlement, when too much waits', { timeout: 60_000 }, async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    const run = makeRun('run_1');
    const attempt = makeAttempt('att_1', run);
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    const other = new DatabaseSync(path, { timeout: 5_000 });
    other.exec('begin immediate');
    const key = { scope: 'all', reason: 'r', by: 'ana', sinceMs: 1 };
    const waiting = Promise.allSettled(Array.from({ length: 100_000 }, () => ledger.setSwitch(key)));
    await expect(ledger.openRun(makeRun('run_2'))).rejects.toBeInstanceOf(LedgerUnavailable);
    const settlement = ledger.closeAttempt(settle(attempt), null);
    other.exec('rollback');
    other.close();
    await settlement;
    await waiting;
    expect(ledger.health()).toMatchObject({ ok: true, backlog: 0 });
  });
});
