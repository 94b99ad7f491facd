// The reading thread beside the process that asks it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PACKAGE_MIGRATIONS } from '../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';

const PROGRAM = `
import(process.argv[1]).then(async ({ createReader }) => {
  const reader = createReader({ path: process.argv[2], migrationsFolder: process.argv[3] });
  const switches = reader.ask('switches');
  await reader.close();
  console.log(JSON.stringify(await switches));
})`;

it('is waited for when it is ended while it reads: the process does not end before it', async () => {
  const path = ledgerPath();
  await (await openTestLedger(path)).close();
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    PROGRAM,
    new URL('../../src/ledger/sqlite/reader.ts', import.meta.url).href,
    path,
    PACKAGE_MIGRATIONS,
  ]);
  expect(JSON.parse(stdout)).toEqual([]);
});
