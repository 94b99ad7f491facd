// Packs the package, lays it out as npm installs it, and uses it as someone who has never seen the repository.
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { closedEnvironment, serve } from '../support/served.ts';

const manifest = JSON.parse(readRepositoryFile('package.json')) as { version: string };
const taskNames = graphql(`
  query TaskNames {
    taskTypes {
      name
    }
  }
`);
let folder: string;
let packed: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-package-'));
  const pack = ['pack', '--silent', '--pack-destination', folder];
  execFileSync('npm', pack, { cwd: repositoryRoot, stdio: 'pipe' });
  const tarball = join(folder, `headgate-${manifest.version}.tgz`);
  packed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  installOffline(tarball);
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Does what `npm install TARBALL` does, without a registry: unpacks it to node_modules/headgate and links what it says it
 * needs to run from this repository's node_modules. What the package uses without naming it is not there.
 */
function installOffline(tarball: string): void {
  const target = join(folder, 'node_modules', 'headgate');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  const { packages } = JSON.parse(readRepositoryFile('package-lock.json')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, entry] of Object.entries(packages)) {
    const isNeeded = /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && entry.dev !== true;
    if (!isNeeded || !existsSync(join(repositoryRoot, path))) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(repositoryRoot, path), join(folder, path), 'junction');
  }
  mkdirSync(join(folder, 'node_modules', '.bin'));
  symlinkSync('../headgate/bin/headgate.mjs', join(folder, 'node_modules', '.bin', 'headgate'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "someone", "private": true }\n');
}

/** The search path of a terminal: npm puts this repository's own tools before it, and with them a newer Node. */
const terminalPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .join(delimiter);

function headgate(...args: string[]): string {
  return execFileSync('npx', ['--no-install', 'headgate', ...args], {
    cwd: folder,
    env: { ...closedEnvironment(), PATH: terminalPath },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

describe('the package', () => {
  test('is a bundle of some hundred files, with the licences of what is in it', () => {
    const scripts = packed.filter((path) => /^package\/dist\/(?!page\/).*\.js$/.test(path));
    expect(scripts.length).toBeLessThan(250);
    expect(packed).toContain('package/dist/third-party-licenses.txt');
  });

  test('holds what it needs to run, and neither sources nor a Node', () => {
    for (const file of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'bin/headgate.mjs',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
    ]) {
      expect(packed).toContain(`package/${file}`);
    }
    for (const part of ['migrations', 'workflows', 'schema', 'docs/reference', 'docs/operating']) {
      expect(packed.some((path) => path.startsWith(`package/${part}/`))).toBe(true);
    }
    const foreign = /^package\/(src|test|scripts|node_modules)\/|(?<!\.d)\.ts$|\/node(\.exe)?$|\.db$/;
    expect(packed.filter((path) => foreign.test(path))).toEqual([]);
  });

  test('says its version', () => {
    expect(headgate('--version').trim()).toContain(manifest.version);
  });

  test('checks a folder of workflows', () => {
    writeWorkflows();
    expect(() => headgate('check', 'workflows')).not.toThrow();
  });

  test('serves a folder of workflows, answers over GraphQL, and ends with 0 when asked to', async () => {
    writeWorkflows();
    const data = join(folder, 'data');
    const server = await serve({
      command: [join(folder, 'node_modules', '.bin', 'headgate'), 'serve'],
      flags: ['--workflows', join(folder, 'workflows'), '--data', data, '--port', '0'],
      env: { PATH: terminalPath },
      dataDirectory: data,
    });
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: taskNames.toString() }),
    });
    const answer: unknown = await response.json();
    expect(await server.stop()).toBe(0);
    expect(answer).toEqual({ data: { taskTypes: [{ name: 'shorten' }] } });
    expect(readdirSync(data)).toContain('headgate.db');
  }, 60_000);
});

describe('the library on a Node that is too old', () => {
  const [major = '99'] = execFileSync('node', ['-p', 'process.versions.node'], {
    env: { ...process.env, PATH: terminalPath },
    encoding: 'utf8',
  }).split('.');

  test.skipIf(Number(major) >= 24)('says which one is needed, and not what its loader makes of it', () => {
    const program =
      "import { createEngine, HeadgateError } from 'headgate'; try { createEngine(); } catch (error) { console.log(error instanceof HeadgateError, error.code, error.remedy !== ''); }";
    const out = execFileSync('node', ['--input-type=module', '-e', program], {
      cwd: folder,
      env: { ...closedEnvironment(), PATH: terminalPath },
      encoding: 'utf8',
    });
    expect(out.trim()).toBe('true NODE_TOO_OLD true');
  });
});

describe('npx headgate serve', () => {
  test('is stopped by SIGTERM, which the shell of npx does not pass on', async () => {
    writeWorkflows();
    const data = join(folder, 'data-npx');
    const child = spawn('npx', ['--no-install', 'headgate', 'serve', '--data', data, '--port', '0'], {
      cwd: folder,
      env: { ...closedEnvironment(), PATH: terminalPath },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await expect.poll(() => shown, { timeout: 60_000 }).toContain('/graphql');
    const pid = Number(readFileSync(join(data, 'headgate.db.pid'), 'utf8'));
    child.kill('SIGTERM');
    // Its lock is let go of, and with it the file that names the process.
    await expect.poll(() => existsSync(join(data, 'headgate.db.pid')), { timeout: 20_000 }).toBe(false);
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  }, 120_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function writeWorkflows(): void {
  mkdirSync(join(folder, 'workflows'), { recursive: true });
  writeFileSync(
    join(folder, 'workflows', 'headgate.yaml'),
    'headgate: 1\nproviders:\n  builtin:\n    adapter: builtin\n',
  );
  const task = [
    'task: shorten',
    'input:',
    '  text: string',
    'steps:',
    '  short:',
    '    route:',
    '      - pick: first',
    '        from: [builtin/extract]',
    '    prompt: ${{ input.text }}',
    '',
  ];
  writeFileSync(join(folder, 'workflows', 'shorten.yaml'), task.join('\n'));
}
