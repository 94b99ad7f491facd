// docs/clients.md: its program in Python is run where there is a Python.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile } from '../support/repository.ts';
import { closedEnvironment, serve } from '../support/served.ts';

const run = promisify(execFile);

it.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'the program of docs/clients.md in Python runs a task',
  async () => {
    const program = fencesOf(readRepositoryFile('docs/clients.md')).find(
      ({ language }) => language === 'python',
    );
    const served = await serve();
    const { stdout } = await run('python3', ['-c', program?.text ?? ''], {
      env: { ...closedEnvironment(), HEADGATE_URL: served.url },
    });
    expect(stdout).toContain("'__typename': 'Run'");
    expect(stdout).toContain("'status': 'SUCCEEDED'");
    expect(await served.stop()).toBe(0);
  },
  60_000,
);
