// Secrets: a variable, or the file that it names.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createSecretReader } from '../../../src/engine/providers/read-secret.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-secret-'));
const path = join(folder, 'key');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a secret', () => {
  it('is the variable, and the file only where there is none', () => {
    writeFileSync(path, '  from the file\n');
    const clock = createSimulatedClock();
    expect(createSecretReader({ KEY: 'own', KEY_FILE: path }, clock)('KEY')).toBe('own');
    expect(createSecretReader({ KEY: '', KEY_FILE: path }, clock)('KEY')).toBe('from the file');
    expect(createSecretReader({ KEY_FILE: path }, clock)('KEY')).toBe('from the file');
  });

  it('that is replaced in its file is used within a second', async () => {
    writeFileSync(path, 'old');
    const clock = createSimulatedClock();
    const read = createSecretReader({ KEY_FILE: path }, clock);
    expect(read('KEY')).toBe('old');
    writeFileSync(path, 'new');
    await clock.advance(1_000);
    expect(read('KEY')).toBe('new');
  });

  it('whose file is missing or empty is not set', () => {
    writeFileSync(path, ' \n');
    const clock = createSimulatedClock();
    expect(createSecretReader({ KEY_FILE: path }, clock)('KEY')).toBeUndefined();
    expect(createSecretReader({ KEY_FILE: join(folder, 'none') }, clock)('KEY')).toBeUndefined();
    expect(createSecretReader({}, clock)('KEY')).toBeUndefined();
  });
});
