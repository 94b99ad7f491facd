// Vitest's global setup: the PostgreSQL that the first test to ask for one starts is ended with the run.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres } from '../../src/cli/cluster/postgres.ts';

export default function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-postgres-'));
  process.env['HEADGATE_TEST_POSTGRES'] = folder;
  return () => removePostgres(folder);
}
