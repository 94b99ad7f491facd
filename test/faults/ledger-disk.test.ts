// Disks that are full, locked, cut short or closed to us: clear errors, nothing half written, and work goes on when they recover.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { sha256Hex } from '../../src/common/json.ts';
import { HeadgateError } from '../../src/errors/headgate-error.ts';
import { LedgerUnavailable } from '../../src/errors/ledger-unavailable.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

function mountTmpfs(folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A folder on a disk of its own, of so many kilobytes; undefined where we may not mount one. */
function smallDisk(kilobytes: number): string | undefined {
  const folder = join(dirname(ledgerPath()), 'disk');
  mkdirSync(folder);
  if (!mountTmpfs(folder, `size=${kilobytes}k`)) return undefined;
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  });
  return folder;
}

const canMount = ((): boolean => {
  const folder = join('/tmp', `headgate-mount-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const could = mountTmpfs(folder, 'size=64k');
  if (could) execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
  return could;
})();

async function spendOnce(ledger: Ledger, id: string): Promise<void> {
  const run = makeRun(`run_${id}`, { input: { text: 'x'.repeat(900) } });
  const attempt = makeAttempt(`att_${id}`, run);
  await ledger.openRun(run);
  await ledger.openAttempt(attempt);
  await ledger.closeAttempt(settle(attempt), null);
  await ledger.finishRun(finish(run));
}

async function failureOf(work: Promise<unknown>): Promise<HeadgateError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeadgateError);
  return error as HeadgateError;
}

describe.skipIf(!canMount)('a full disk', () => {
  it(
    'refuses what does not fit, loses nothing, and goes on when there is room again',
    { timeout: 60_000 },
    async () => {
      const folder = smallDisk(8_192);
      if (folder === undefined) throw new Error('the disk could be mounted a moment ago');
      const ballast = join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(2_000_000));
      const ledger = await openTestLedger(join(folder, 'headgate.db'));
      // An attempt is under way when the disk gets full; its settlement must not be lost.
      const run = makeRun('run_before');
      const attempt = makeAttempt('att_before', run);
      await ledger.openRun(run);
      await ledger.openAttempt(attempt);

      let written = 0;
      const refused = await failureOf(
        (async () => {
          for (; written < 5_000; written += 1) await spendOnce(ledger, String(written));
        })(),
      );
      expect(refused).toBeInstanceOf(LedgerUnavailable);
      expect((refused.cause as HeadgateError).code).toMatch(/^(DISK_FULL|DATABASE_IO)$/);
      expect(refused.remedy).toMatch(/space/);
      expect(written).toBeGreaterThan(10);
      expect(ledger.health().ok).toBe(false);
      await failureOf(ledger.closeAttempt(settle(attempt), null));
      // Reading goes on.
      expect((await ledger.runs({}, { limit: 1 })).rows.length).toBe(1);

      rmSync(ballast);
      await spendOnce(ledger, 'after');
      expect(ledger.health().ok).toBe(true);
      await ledger.close();

      const again = await openTestLedger(join(folder, 'headgate.db'));
      expect((await again.attemptsOf(['run_before'])).get('run_before')?.[0]?.status).toBe('succeeded');
      for (const id of ['0', String(written - 1), 'after'])
        expect((await again.run(`run_${id}`))?.status).toBe('succeeded');
      expect(await again.verify()).toMatchObject({ ok: true, discrepancies: [] });
    },
  );

  it('says so when there is no room for a new database', async () => {
    const folder = smallDisk(64);
    if (folder === undefined) throw new Error('the disk could be mounted a moment ago');
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(40_000));
    const error = await failureOf(
      openLedger({ path: join(folder, 'headgate.db'), synchronous: 'full', clock: systemClock }),
    );
    expect(error.code).toMatch(/^(DISK_FULL|DATABASE_IO)$/);
    expect(error.remedy).toMatch(/space/);
  });

  it('says so when the disk cannot be written at all', async () => {
    const folder = smallDisk(512);
    if (folder === undefined) throw new Error('the disk could be mounted a moment ago');
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const error = await failureOf(
      openLedger({ path: join(folder, 'headgate.db'), synchronous: 'full', clock: systemClock }),
    );
    expect(error.code).toBe('DATABASE_UNWRITABLE');
    expect(error.remedy).toMatch(/permission/);
  });
});

describe('a database that something else holds', () => {
  it(
    'refuses writes once it could not be written to, keeps what the journal has, and takes both when the lock is gone',
    { timeout: 60_000 },
    async () => {
      const path = ledgerPath();
      const ledger = await openTestLedger(path);
      await spendOnce(ledger, '1');
      await ledger.run('run_1');
      const other = new DatabaseSync(path, { timeout: 5_000 });
      other.exec('begin immediate');
      await spendOnce(ledger, 'journaled');
      // Reading goes on, of what was there before; adding everything up waits for the database's answer.
      expect((await ledger.run('run_1'))?.status).toBe('succeeded');
      expect(await ledger.run('run_journaled')).toBeUndefined();
      await ledger.verify();
      expect(ledger.health()).toMatchObject({ ok: false, failure: { code: 'DATABASE_LOCKED' } });
      const error = await failureOf(ledger.openRun(makeRun('run_2')));
      expect(error).toBeInstanceOf(LedgerUnavailable);
      expect((error.cause as HeadgateError).code).toBe('DATABASE_LOCKED');
      other.exec('rollback');
      other.close();
      await spendOnce(ledger, '3');
      expect(await ledger.run('run_2')).toBeUndefined();
      expect((await ledger.run('run_journaled'))?.status).toBe('succeeded');
      expect((await ledger.run('run_3'))?.status).toBe('succeeded');
    },
  );

  it('is owned by one process at a time, while anyone may read it', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await spendOnce(ledger, '1');
    const error = await failureOf(openLedger({ path, synchronous: 'normal', clock: systemClock }));
    expect(error.code).toBe('DATABASE_IN_USE');
    expect(error.message).toContain(String(process.pid));
    const reader = openLedgerReader(path);
    expect((await reader.run('run_1'))?.status).toBe('succeeded');
    expect((await reader.verify()).ok).toBe(true);
    await reader.close();
    await ledger.close();
    await (await openTestLedger(path)).close();
  });
});

describe('a log that was cut short', () => {
  it(
    'opens with a prefix of what was committed, and everything in it adds up',
    { timeout: 60_000 },
    async () => {
      const path = ledgerPath();
      const ledger = await openTestLedger(path);
      for (let number = 0; number < 20; number += 1) {
        await spendOnce(ledger, String(number));
        // So that each is a transaction of its own in the log.
        await ledger.run(`run_${number}`);
      }
      const whole = statSync(`${path}-wal`).size;
      const counts: number[] = [];
      for (const share of [1, 0.9, 0.6, 0.3, 0.05, 0]) {
        const copy = ledgerPath();
        copyFileSync(path, copy);
        copyFileSync(`${path}-wal`, `${copy}-wal`);
        truncateSync(`${copy}-wal`, Math.floor(whole * share));
        const cut = await openTestLedger(copy);
        const { rows } = await cut.runs({}, { limit: 100 });
        // Newest first: a prefix has no gaps.
        expect(rows.map(({ id }) => Number(id.slice(4)))).toEqual(
          rows.map((_, index) => rows.length - 1 - index),
        );
        expect(await cut.verify()).toMatchObject({ ok: true, discrepancies: [] });
        counts.push(rows.length);
        await cut.close();
      }
      expect(counts[0]).toBe(20);
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
    },
  );
});

describe('a file that is not ours', () => {
  const openIt = async (path: string): Promise<HeadgateError> =>
    failureOf(openLedger({ path, synchronous: 'full', clock: systemClock }));

  it('refuses a newer database and touches nothing', async () => {
    const path = ledgerPath();
    await (await openTestLedger(path)).close();
    const database = new DatabaseSync(path);
    database.exec('pragma user_version = 9999');
    database.exec('pragma wal_checkpoint(truncate)');
    database.close();
    const before = sha256Hex(readFileSync(path, 'latin1'));
    const error = await openIt(path);
    expect(error.code).toBe('DATABASE_NEWER');
    expect(error.remedy).toMatch(/newer version/);
    expect(sha256Hex(readFileSync(path, 'latin1'))).toBe(before);
    expect(existsSync(`${path}-wal`)).toBe(false);
    const reader = openLedgerReader(path);
    await expect(reader.runs({}, { limit: 1 })).rejects.toMatchObject({ code: 'DATABASE_NEWER' });
    await reader.close();
    // And the lock is given back.
    expect((await openIt(path)).code).toBe('DATABASE_NEWER');
  });

  it('refuses a text file, a cut file and a database of another program, and touches none of them', async () => {
    const text = ledgerPath();
    writeFileSync(text, 'dear diary\n'.repeat(100));
    const short = ledgerPath();
    writeFileSync(short, 'SQLite');
    const other = ledgerPath();
    const database = new DatabaseSync(other);
    database.exec('create table theirs (id integer primary key)');
    database.close();
    for (const path of [text, short, other]) {
      const before = readFileSync(path);
      const error = await openIt(path);
      expect(error.code).toBe('DATABASE_UNREADABLE');
      expect(error.message).toContain(path);
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  it('refuses a damaged database', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await spendOnce(ledger, '1');
    await ledger.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 100, 4_096);
    writeFileSync(path, bytes);
    expect((await openIt(path)).code).toBe('DATABASE_UNREADABLE');
  });

  it('refuses a folder that cannot be made', async () => {
    const file = ledgerPath();
    writeFileSync(file, '');
    const error = await openIt(join(file, 'below', 'headgate.db'));
    expect(error.code).toBe('DATABASE_UNWRITABLE');
    expect(readdirSync(dirname(file))).toEqual(['headgate.db']);
  });
});
