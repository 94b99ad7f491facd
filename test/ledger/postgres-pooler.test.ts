// A pooler between a node and its database: refused where it shares sessions, and let be where each client has its own.
import { describe, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { openTestLedger } from '../support/ledger-folder.ts';
import { START_MS } from '../support/ledger-records.ts';
import { startPooler } from '../support/pooler.ts';
import { emptyDatabase, hasPostgres } from '../support/postgres.ts';

describe.skipIf(!hasPostgres)('behind a pooler', () => {
  it('is refused, and changes nothing, where clients share sessions', async () => {
    const pooled = await startPooler(await emptyDatabase(), 'transaction');
    await expect(openTestLedger(pooled)).rejects.toMatchObject({
      code: 'DATABASE_POOLED',
      message: expect.stringContaining('shares its sessions') as string,
      remedy: expect.stringContaining('pool_mode = session') as string,
    });
    const reader = openLedgerReader(pooled);
    await expect(reader.run('run_1')).rejects.toMatchObject({ code: 'DATABASE_POOLED' });
    await reader.close();
  });

  it('works where each client has a session of its own', async () => {
    const address = await emptyDatabase();
    const first = await openTestLedger(await startPooler(address, 'session'));
    const second = await openTestLedger(address);
    const heard = new Promise<string>((resolve) => first.cluster?.onChanged(resolve));
    await second.setSwitch({ scope: 'all', reason: 'loop', by: 'ana', sinceMs: START_MS });
    expect(await heard).toBe('switches');
    expect(await first.switches()).toMatchObject([{ scope: 'all' }]);
  });
});
