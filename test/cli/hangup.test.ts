// SIGHUP while a server starts: neither it nor its launcher ends, and the workflows are served.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { builtLauncher, builtMain } from '../support/built.ts';
import { repositoryRoot } from '../support/repository.ts';
import { closedEnvironment } from '../support/served.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  /** It serves. */
  readonly ready: Promise<void>;
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>;
}

function start(program: string, stdio: 'ipc' | 'ignore'): Started {
  const data = mkdtempSync(join(tmpdir(), 'headgate-hangup-'));
  folders.push(data);
  const child = spawn(process.execPath, [program, 'serve', '--port', '0', '--data', data], {
    cwd: repositoryRoot,
    env: closedEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe', stdio],
  });
  let output = '';
  const ended = new Promise<readonly [number | null, string | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (output.includes('Headgate serves')) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    void ended.then((end) => reject(new Error(`ended with ${end.join()} before it served:\n${output}`)));
  });
  return { child, ready, ended };
}

describe('a hangup while a server starts', { timeout: 120_000 }, () => {
  it('does not end the server', async () => {
    const { child, ready, ended } = start(builtMain(), 'ipc');
    // Told as the very first thing, long before it serves.
    await new Promise((resolve) => child.once('message', resolve));
    child.kill('SIGHUP');
    child.kill('SIGHUP');
    await ready;
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it.runIf(existsSync('/proc/self/task'))('does not end its launcher, nor the server behind it', async () => {
    const { child, ready, ended } = start(builtLauncher(), 'ignore');
    const children = `/proc/${child.pid ?? 0}/task/${child.pid ?? 0}/children`;
    // As soon as there is a process behind the launcher, which has then not begun to run.
    while (existsSync(children) && readFileSync(children, 'utf8').trim() === '') await turn();
    child.kill('SIGHUP');
    await ready;
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
