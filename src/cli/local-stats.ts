// The ledger of a data folder, read beside a running server or without one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../common/clock.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { ReadOnlyLedger } from '../ledger/open.ts';
import type { Stats } from '../ledger/stats/stats.ts';

export async function withLocalStats<Result>(
  dataDirectory: string,
  body: (stats: Stats, ledger: ReadOnlyLedger) => Promise<Result>,
): Promise<Result> {
  const [{ DATABASE_FILE }, { openLedgerReader }, { createStats }] = await Promise.all([
    import('../app.ts'),
    import('../ledger/open.ts'),
    import('../ledger/stats/stats.ts'),
  ]);
  const path = join(dataDirectory, DATABASE_FILE);
  if (!existsSync(path))
    throw new HeadgateError(
      'DATABASE_NOT_FOUND',
      `there is no database ${path}`,
      'Name its folder with --data DIR, or a server with --server URL.',
    );
  const ledger = openLedgerReader(path);
  const stats = createStats({ ledger: { ...ledger, onWritten: () => () => undefined }, clock: systemClock });
  try {
    return await body(stats, ledger);
  } finally {
    stats.close();
    await ledger.close();
  }
}
