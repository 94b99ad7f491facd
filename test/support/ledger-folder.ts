// A ledger in a folder of its own, closed and removed when the test is over.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { journalPath } from '../../src/ledger/journal/journal.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger, LedgerOptions } from '../../src/ledger/open.ts';

/** The path of a database in a new folder; the folder goes when the test is over. */
export function ledgerPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'headgate.db');
}

/** `normal`: a test that does not pull a plug needs no fsync. */
export async function openTestLedger(path: string, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const ledger = await openLedger({ path, synchronous: 'normal', clock: systemClock, ...options });
  let open = true;
  const close = ledger.close.bind(ledger);
  onTestFinished(async () => {
    if (open) await close();
  });
  return {
    ...ledger,
    close() {
      open = false;
      return close();
    },
  };
}

/** What a process leaves behind that is killed now. */
export function leftBehind(path: string): string {
  const copy = ledgerPath();
  for (const suffix of ['', '-wal', '.journal']) {
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`);
  }
  return copy;
}

/** Turns a bit of its journal, of the byte that `byteOf` finds in its text. */
export function damageJournal(path: string, byteOf: (text: string) => number): void {
  const bytes = readFileSync(journalPath(path));
  const at = byteOf(bytes.toString('latin1'));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(journalPath(path), bytes);
}
