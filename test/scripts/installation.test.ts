// Tries how the scripts tell whether node_modules is what the lockfile asks for, and how two of them keep out of each other's way.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { platformPackage } from '../../bin/launch.mjs';
import { completeLock } from '../../scripts/complete-lock.mjs';
import { ensureInstalled, holds } from '../../scripts/lib/installation.mjs';
import { withLock } from '../../scripts/lib/lock.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-install-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const nodePackage = `node_modules/${platformPackage()}`;
const runtime = { version: '1.0.0', integrity: 'sha512-a' };
const tool = { version: '2.0.0', integrity: 'sha512-b', dev: true };
const foreign = { version: '3.0.0', optional: true };
const lock = {
  packages: {
    '': { name: 'x' },
    'node_modules/lib': runtime,
    'node_modules/tool': tool,
    'node_modules/lib-for-another-platform': foreign,
    [nodePackage]: { ...runtime, optional: true },
  },
};
const lockText = JSON.stringify(lock);
const runtimePackages = { 'node_modules/lib': runtime, [nodePackage]: runtime };

function installed(packages: Record<string, object>): void {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
  writeFileSync(join(root, 'package-lock.json'), lockText);
}

describe('what is installed', () => {
  test('is nothing where npm left no record', () => {
    expect(holds(root, lockText, 'runtime')).toBe(false);
  });

  test('is enough to run without the tools, and not enough to test', () => {
    installed(runtimePackages);
    expect(holds(root, lockText, 'runtime')).toBe(true);
    expect(holds(root, lockText, 'full')).toBe(false);
  });

  test('is complete without the packages of other platforms', () => {
    installed({ ...runtimePackages, 'node_modules/tool': tool });
    expect(holds(root, lockText, 'full')).toBe(true);
  });

  test('is not enough without the Node of this platform', () => {
    installed({ 'node_modules/lib': runtime });
    expect(holds(root, lockText, 'runtime')).toBe(false);
  });

  test('is not enough with another version, or the same version with another content', () => {
    installed({ ...runtimePackages, 'node_modules/lib': { ...runtime, version: '1.0.1' } });
    expect(holds(root, lockText, 'runtime')).toBe(false);
    installed({ ...runtimePackages, 'node_modules/lib': { ...runtime, integrity: 'sha512-c' } });
    expect(holds(root, lockText, 'runtime')).toBe(false);
  });

  test('is taken over without npm where someone ran npm by hand, and remembered', async () => {
    installed(runtimePackages);
    await ensureInstalled(root, 'runtime');
    const stamp = readFileSync(join(root, 'node_modules', '.headgate-installed.json'), 'utf8');
    expect(JSON.parse(stamp)).toMatchObject({ level: 'runtime' });
  });
});

describe('the lock between two installations', () => {
  test('lets one in after the other', async () => {
    const file = join(root, 'lock');
    const seen: string[] = [];
    const enter = (name: string) =>
      withLock(file, async () => {
        seen.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${name} out`);
      });
    await Promise.all([enter('a'), enter('b')]);
    expect(new Set([seen[0], seen[2]])).toEqual(new Set(['a in', 'b in']));
    expect(seen.map((entry) => entry.slice(2))).toEqual(['in', 'out', 'in', 'out']);
  });

  test('is opened again when what it guards fails', async () => {
    const file = join(root, 'lock');
    await expect(withLock(file, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
    await expect(withLock(file, () => 'in')).resolves.toBe('in');
  });

  test('is broken when its owner is dead, or hangs for a quarter of an hour', async () => {
    const file = join(root, 'lock');
    // The largest process id there can be, which no system gives out.
    writeFileSync(file, '4194305 1');
    await expect(withLock(file, () => 'in')).resolves.toBe('in');

    writeFileSync(file, `${process.pid} 1`);
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(file, longAgo, longAgo);
    await expect(withLock(file, () => 'in')).resolves.toBe('in');
  });
});

describe('completing the lockfile', () => {
  test('adds an entry for each optional package that is missing, with its platform', () => {
    const linter = {
      version: '1.0.0',
      dev: true,
      optionalDependencies: { '@x/binding-linux-x64-musl': '1.0.0', '@x/binding-darwin-arm64': '1.0.0' },
    };
    const { lock: completed, unknown } = completeLock({ packages: { '': {}, 'node_modules/x': linter } });
    expect(unknown).toEqual([]);
    expect(completed.packages).toMatchObject({
      'node_modules/@x/binding-linux-x64-musl': {
        version: '1.0.0',
        os: ['linux'],
        cpu: ['x64'],
        libc: ['musl'],
      },
      'node_modules/@x/binding-darwin-arm64': {
        version: '1.0.0',
        os: ['darwin'],
        cpu: ['arm64'],
        optional: true,
      },
    });
  });

  test('says which optional package it cannot place', () => {
    const entry = { version: '1.0.0', optionalDependencies: { mystery: '1.0.0' } };
    expect(completeLock({ packages: { 'node_modules/x': entry } }).unknown).toEqual(['mystery']);
  });
});
