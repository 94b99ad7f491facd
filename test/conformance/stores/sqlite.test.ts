// The store suite against SQLite, with the writer in its thread and in this one.
import type { Ledger } from '../../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { describeStore } from './store-suite.ts';

for (const writer of ['worker', 'inline'] as const) {
  const paths = new WeakMap<Ledger, string>();
  const open = async (path: string): Promise<Ledger> => {
    const ledger = await openTestLedger(path, { writer });
    paths.set(ledger, path);
    return ledger;
  };
  describeStore(`SQLite, ${writer} writer`, {
    open: () => open(ledgerPath()),
    async reopen(ledger) {
      await ledger.close();
      return open(paths.get(ledger) ?? '');
    },
  });
}
