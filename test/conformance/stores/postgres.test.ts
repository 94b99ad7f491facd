// The store suite against PostgreSQL.
import { describe } from 'vitest';
import type { Ledger } from '../../../src/ledger/open.ts';
import { openTestLedger } from '../../support/ledger-folder.ts';
import { emptyDatabase, hasPostgres } from '../../support/postgres.ts';
import { describeStore } from './store-suite.ts';

describe.skipIf(!hasPostgres)('with a PostgreSQL', () => {
  const addresses = new WeakMap<Ledger, string>();
  const open = async (address: string): Promise<Ledger> => {
    const ledger = await openTestLedger(address);
    addresses.set(ledger, address);
    return ledger;
  };
  describeStore('PostgreSQL', {
    open: async () => open(await emptyDatabase()),
    async reopen(ledger) {
      await ledger.close();
      return open(addresses.get(ledger) ?? '');
    },
  });
});
