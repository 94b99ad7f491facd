// Pinning while no server runs: the ledger is told, and the next start serves what it says.
import type { LedgerAdmin, RevisionReader, RevisionRecord } from '../ledger/port.ts';
import { findRevision, storedPlan } from './find.ts';

type PinLedger = RevisionReader &
  Pick<LedgerAdmin, 'recordRevision'> & {
    planText(hash: string): Promise<string | undefined>;
  };

/** Gives the revision that the next start will serve. Throws UNKNOWN_REVISION, AMBIGUOUS_REVISION or REVISION_UNREADABLE. */
export async function pinInLedger(ledger: PinLedger, name: string): Promise<RevisionRecord> {
  const found = await findRevision(ledger, name);
  await storedPlan((hash) => ledger.planText(hash), found.hash);
  const pinned = { ...found, pinned: true };
  await unpinAll(ledger);
  await ledger.recordRevision(pinned, null);
  return pinned;
}

/** Gives what was pinned; undefined: nothing was. */
export async function releaseInLedger(ledger: PinLedger): Promise<RevisionRecord | undefined> {
  const [first] = await unpinAll(ledger);
  return first;
}

async function unpinAll(ledger: PinLedger): Promise<readonly RevisionRecord[]> {
  const rows = (await ledger.revisionsInForce()).filter(({ pinned }) => pinned);
  await Promise.all(rows.map((row) => ledger.recordRevision({ ...row, pinned: false }, null)));
  return rows;
}
