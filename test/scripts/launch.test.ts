// Tries the launcher in child processes: what it runs, what it passes on, and how it ends.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNode, oldestMajor } from '../../bin/launch.mjs';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-launch-'));
  const launcher = pathToFileURL(join(repositoryRoot, 'bin', 'launch.mjs')).href;
  writeFileSync(
    join(folder, 'launch.mjs'),
    `import { runInPlace } from '${launcher}'; runInPlace(process.execPath, process.argv.slice(2));`,
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `program` through the launcher; `onReady` is called with the launcher's process id when the program says "ready". */
async function launch(program: string, args: string[] = [], onReady?: (pid: number) => void): Promise<Ended> {
  const file = join(folder, `${crypto.randomUUID()}.mjs`);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [join(folder, 'launch.mjs'), file, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const wasReady = out.includes('ready');
    out += text;
    if (!wasReady && out.includes('ready') && child.pid !== undefined) onReady?.(child.pid);
  });
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, out })));
}

describe('the launcher', () => {
  test('passes the arguments on as they are, and what is written', async () => {
    const ended = await launch('console.log(JSON.stringify(process.argv.slice(2)))', [
      'a b',
      `it's`,
      '--flag',
      '',
    ]);
    expect(JSON.parse(ended.out)).toEqual(['a b', `it's`, '--flag', '']);
    expect(ended.code).toBe(0);
  });

  test('ends with the exit code of what it ran', async () => {
    expect((await launch('process.exitCode = 7')).code).toBe(7);
  });

  test('ends by the signal that ended what it ran', async () => {
    expect((await launch(`process.kill(process.pid, 'SIGKILL')`)).signal).toBe('SIGKILL');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'passes %s on once and waits for the end',
    async (signal) => {
      const program = `
      const alive = setInterval(() => {}, 1000);
      process.on('${signal}', () => {
        console.log('got it');
        setImmediate(() => { clearInterval(alive); process.exitCode = 3; });
      });
      console.log('ready');`;
      const ended = await launch(program, [], (pid) => process.kill(pid, signal));
      expect(ended.out.split('got it')).toHaveLength(2);
      expect(ended.code).toBe(3);
    },
  );

  test('runs with the Node it was called by when that is new enough', () => {
    expect(findNode(import.meta.url)).toBe(process.execPath);
  });

  test('asks for the Node that package.json asks for', () => {
    const manifest = JSON.parse(readRepositoryFile('package.json')) as { engines: { node: string } };
    expect(manifest.engines.node).toBe(`>=${oldestMajor}`);
  });
});
