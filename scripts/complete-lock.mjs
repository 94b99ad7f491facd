// Adds to package-lock.json the optional platform packages that the registry in use did not have when it was written.
//
// npm leaves such a package out of the lock, and then refuses the lock in `npm ci` ("Missing … from lock file"). A stub
// with the version and the platform satisfies it: on another platform it is never fetched, and on its own platform npm
// fetches it where the registry has it and goes on without it where not. Run it after each `npm install`.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMain } from './lib/is-main.mjs';

const lockFile = new URL('../package-lock.json', import.meta.url);

/** The `os`, `cpu` and `libc` fields of a platform package, read off its name. */
function platformOf(name) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const os = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'].find((word) =>
    words.includes(word),
  );
  const cpu = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'].find((word) =>
    words.includes(word),
  );
  if (os === undefined || cpu === undefined) return undefined;
  const libc =
    os === 'linux' ? (words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc') : undefined;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}

/** Returns the lock with a stub for each optional package it names but lacks, and the names of those it cannot place. */
export function completeLock(lock) {
  const packages = { ...lock.packages };
  const unknown = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (`${path}/node_modules/${name}` in packages || `node_modules/${name}` in packages) continue;
      const platform = platformOf(name);
      if (platform === undefined) unknown.push(name);
      else
        packages[`node_modules/${name}`] = {
          version,
          ...platform,
          optional: true,
          ...(entry.dev ? { dev: true } : {}),
        };
    }
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  return { lock: { ...lock, packages: sorted }, unknown };
}

if (isMain(import.meta.url)) {
  const before = readFileSync(lockFile, 'utf8');
  const { lock, unknown } = completeLock(JSON.parse(before));
  if (unknown.length > 0) {
    console.error(
      `package-lock.json lacks optional packages whose platform the name does not tell: ${unknown.join(', ')}`,
    );
    process.exitCode = 1;
  }
  const after = `${JSON.stringify(lock, null, 2)}\n`;
  if (after !== before) writeFileSync(lockFile, after);
}
