// Takes a ledger from a file into PostgreSQL, or back: every row of it, added up on both sides, or nothing; what it was taken from is put aside.
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Clock } from '../common/clock.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { isDatabaseAddress } from './database-address.ts';
import { journalPath } from './journal/journal.ts';
import { openLedger, openLedgerReader } from './open.ts';
import { takeOwnerLock } from './sqlite/lock.ts';
import type { VerifyReport } from './verify/report.ts';

export interface Moved {
  readonly report: VerifyReport;
  /** Where what was moved lies now, as it was. */
  readonly keptAs: string;
}

/**
 * `from` and `to`: a file and an address, or the other way round. No server may run on either. Throws DATABASE_* as `openLedger` does, and MOVE_REFUSED
 * where anything would be lost; then both are as they were.
 */
export async function moveLedger(from: string, to: string, clock: Clock): Promise<Moved> {
  if (isDatabaseAddress(from) === isDatabaseAddress(to))
    throw refused('It is moved from a file into PostgreSQL, or from PostgreSQL into a file.');
  const stamp = new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-');
  const { intoFile, intoPostgres, settled } = await import('./postgres/move.ts');
  if (isDatabaseAddress(to)) {
    // As a start would: what a killed process left is taken up, and its attempts are unreconciled.
    await (await openLedger({ path: from, synchronous: 'full', clock })).close();
    const before = await soundReport(from);
    const lock = takeOwnerLock(from);
    try {
      const report = await intoPostgres(from, to, before);
      const keptAs = `${from}.moved-${stamp}`;
      for (const part of [from, `${from}-wal`, `${from}-shm`, journalPath(from)])
        if (existsSync(part)) renameSync(part, part.replace(from, keptAs));
      return { report, keptAs };
    } finally {
      lock.release();
    }
  }
  if (existsSync(to)) throw refused(`There is a ledger ${to} already.`);
  await settled(from, clock);
  const before = await soundReport(from);
  const part = `${to}.part`;
  const parts = [part, `${part}-wal`, `${part}-shm`, `${part}.lock`, journalPath(part)];
  try {
    await (await openLedger({ path: part, synchronous: 'full', clock })).close();
    const keptAs = await intoFile(from, part, stamp, async () => {
      const report = await soundReport(part);
      compare(before, report);
      renameSync(part, to);
    });
    return { report: before, keptAs };
  } finally {
    for (const left of parts) rmSync(left, { force: true });
  }
}

async function soundReport(path: string): Promise<VerifyReport> {
  const ledger = openLedgerReader(path);
  try {
    const report = await ledger.verify();
    const [first] = report.discrepancies;
    if (first !== undefined)
      throw refused(
        `The ledger does not add up: ${first.kind} ${first.where}: expected ${first.expected}, found ${first.actual}.`,
      );
    return report;
  } finally {
    await ledger.close();
  }
}

/** Throws MOVE_REFUSED. */
export function compare(before: VerifyReport, after: VerifyReport): void {
  for (const kind of ['runs', 'attempts', 'budgetWindows', 'rollups', 'found'] as const)
    if (before[kind] !== after[kind])
      throw refused(`Of ${before[kind]} ${kind}, ${after[kind]} have arrived.`);
}

export function refused(why: string): HeadgateError {
  return new HeadgateError(
    'MOVE_REFUSED',
    `The ledger was not moved. ${why}`,
    'Nothing was changed; both are as they were.',
  );
}
