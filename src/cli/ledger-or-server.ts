// Commands that change the ledger: in the database itself, or, where a server has it open, at that server.
import { HeadgateError } from '../errors/headgate-error.ts';
import type { LedgerLocation } from './ledger-path.ts';
import { readServerAddress } from './server-address.ts';

export interface LedgerPlace extends LedgerLocation {
  /** Named: the server is asked, whatever the folder holds. */
  readonly server?: string;
}

export async function inLedgerOrAtServer<Result>(
  { data, server }: LedgerPlace,
  inLedger: () => Promise<Result>,
  atServer: (address: string) => Promise<Result>,
): Promise<Result> {
  if (server !== undefined) return atServer(server);
  try {
    return await inLedger();
  } catch (error) {
    const isServed = error instanceof HeadgateError && error.code === 'DATABASE_IN_USE';
    const address = isServed ? readServerAddress(data) : undefined;
    if (address === undefined) throw error;
    return atServer(address);
  }
}
