// The ledger, read beside a running server or without one.
import { systemClock } from '../common/clock.ts';
import type { ReadOnlyLedger } from '../ledger/open.ts';
import type { Stats } from '../ledger/stats/stats.ts';
import { existingLedger } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';

export async function withLocalStats<Result>(
  location: LedgerLocation,
  body: (stats: Stats, ledger: ReadOnlyLedger) => Promise<Result>,
): Promise<Result> {
  const [{ openLedgerReader }, { createStats }] = await Promise.all([
    import('../ledger/open.ts'),
    import('../ledger/stats/stats.ts'),
  ]);
  const path = await existingLedger(location);
  const ledger = openLedgerReader(path);
  const stats = createStats({ ledger: { ...ledger, onWritten: () => () => undefined }, clock: systemClock });
  try {
    return await body(stats, ledger);
  } finally {
    stats.close();
    await ledger.close();
  }
}
