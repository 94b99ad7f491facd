// The ledger's files: private to their owner, and noticed when they are taken away.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLedger } from '../../src/ledger/open.ts';
import type { WrittenRow } from '../../src/ledger/port.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { makeAttempt, makeRun, settle } from '../support/ledger-records.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  it("is its owner's alone, with all files in it, and keeps itself out of git", async () => {
    const path = join(dirname(ledgerPath()), 'new', '.headgate', 'headgate.db');
    const previous = process.umask(0o022);
    onTestFinished(() => void process.umask(previous));
    const ledger = await openTestLedger(path);
    await ledger.openRun(makeRun('run_1'));
    const folder = dirname(path);
    expect(modeOf(folder)).toBe('700');
    const files = readdirSync(folder);
    expect(files).toContain('headgate.db-wal');
    expect(files).toContain('headgate.db.journal');
    for (const file of files)
      expect({ file, mode: modeOf(join(folder, file)) }).toEqual({ file, mode: '600' });
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toMatch(/^\*$/m);
  });

  it('is made private where an earlier version left it open', async () => {
    const path = ledgerPath();
    await (await openTestLedger(path)).close();
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0o644);
    await openTestLedger(path);
    expect([modeOf(dirname(path)), modeOf(path)]).toEqual(['700', '600']);
  });

  it('that holds other things too is left as it is', async () => {
    const path = ledgerPath();
    const folder = dirname(path);
    mkdirSync(join(folder, 'src'));
    chmodSync(folder, 0o755);
    await openTestLedger(path);
    expect([modeOf(folder), modeOf(path)]).toEqual(['755', '600']);
    expect(existsSync(join(folder, '.gitignore'))).toBe(false);
  });
});

describe('files that are taken away under a running ledger', () => {
  const takings: readonly (readonly [string, (path: string) => void])[] = [
    ['the folder is deleted', (path) => rmSync(dirname(path), { recursive: true })],
    ['the database is deleted', (path) => rmSync(path)],
    ['the journal is deleted', (path) => rmSync(`${path}.journal`)],
    [
      'the database is replaced',
      (path) => {
        rmSync(path);
        writeFileSync(path, '');
      },
    ],
  ];

  it.each(takings)('INV-3: is told within 15 s, and nothing new is taken, when %s', async (_, take) => {
    const clock = createSimulatedClock();
    const path = ledgerPath();
    const ledger = await openLedger({ path, synchronous: 'normal', clock });
    onTestFinished(() => ledger.close());
    const seen: WrittenRow[] = [];
    ledger.onWritten((rows) => void seen.push(...rows));
    const run = makeRun('run_1');
    await ledger.openRun(run);
    await ledger.openAttempt(makeAttempt('att_1', run));
    take(path);
    await clock.advance(15_000);
    await vi.waitFor(() => {
      expect(ledger.health()).toMatchObject({ ok: false, failure: { code: 'DATABASE_REPLACED' } });
    });
    await expect(ledger.openRun(makeRun('run_2'))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    // What is spent is still counted by whoever listens.
    await ledger.closeAttempt(settle(makeAttempt('att_1', run)), null);
    expect(seen.map((row) => (row.kind === 'alert' ? row.alert.kind : row.kind))).toEqual([
      'run_opened',
      'attempt_opened',
      'ledger_replaced',
      'attempt_closed',
    ]);
  });

  it('are taken again when they are put back', async () => {
    const clock = createSimulatedClock();
    const path = ledgerPath();
    const ledger = await openLedger({ path, synchronous: 'normal', clock });
    onTestFinished(() => ledger.close());
    renameSync(path, `${path}.moved`);
    await clock.advance(15_000);
    await vi.waitFor(() => expect(ledger.health().ok).toBe(false));
    renameSync(`${path}.moved`, path);
    await clock.advance(15_000);
    await vi.waitFor(() => expect(ledger.health().ok).toBe(true));
    await ledger.openRun(makeRun('run_1'));
  });
});
