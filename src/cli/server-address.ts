// Where the server of a data folder is: it writes its address beside the database, and takes it away when it stops.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
