// The data folder is its owner's alone: what people send and what they are answered is in it, and hashes of keys.
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

const IGNORE_FILE = '.gitignore';
const IGNORE_ALL = '# Written by headgate: its database belongs in no repository.\n*\n';

/**
 * Makes the folder of a database and its empty files, before anything opens them: SQLite gives a log the mode of its database. A folder that holds
 * other things too keeps its mode and gets no `.gitignore`: it is somebody else's. Throws what the file system throws.
 */
export function makePrivateFiles(databasePath: string): void {
  const folder = dirname(databasePath);
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const name = basename(databasePath);
  const files = readdirSync(folder);
  if (files.every((file) => file.startsWith(name) || file === IGNORE_FILE)) {
    tighten(folder, FOLDER_MODE);
    if (!files.includes(IGNORE_FILE))
      writeFileSync(join(folder, IGNORE_FILE), IGNORE_ALL, { mode: FILE_MODE });
  }
  for (const path of [databasePath, `${databasePath}.lock`]) closeSync(openSync(path, 'a', FILE_MODE));
  for (const file of [name, `${name}.lock`, ...files.filter((each) => each.startsWith(name))])
    tighten(join(folder, file), FILE_MODE);
}

/** Of files that an earlier version made. Who may write them without owning them cannot, and need not. */
function tighten(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {
    // Not ours, or gone meanwhile.
  }
}
