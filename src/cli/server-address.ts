// Where the server of a data folder is: it writes its address beside the database, and takes it away when it stops.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';

const FILE = 'server.url';

/** The function returned takes it away again. */
export function writeServerAddress(dataDirectory: string, url: string): () => void {
  const path = join(dataDirectory, FILE);
  // Where the ledger is elsewhere, nobody has made the folder yet.
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${url}\n`, { mode: 0o600 });
  return () => rmSync(path, { force: true });
}

/** undefined: none was written. After a crash it may be the address of a server that is gone. */
export function readServerAddress(dataDirectory: string): string | undefined {
  try {
    return readFileSync(join(dataDirectory, FILE), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The server that is named, else the one that has the folder open. Throws SERVER_UNREACHABLE where none is known. */
export function serverOf(data: string, named: string | undefined): string {
  const address = named ?? readServerAddress(data);
  if (address === undefined)
    throw new HeadgateError(
      'SERVER_UNREACHABLE',
      `no server has ${data} open`,
      'Start one with "headgate serve", or name another with --server URL.',
    );
  return address;
}
