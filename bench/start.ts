// Cold starts of the built package: what commands take, and a server from spawning the command to the first 200 of /health/ready, with its memory when idle;
// and what an install of it takes on the disk.
//
//   node bench/start.ts [tiny|usual|full]
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { startHeadgate } from './peers/headgate.ts';
import { builtTree } from './support/built.ts';
import { root, SERVER_CORE } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { temporaryFolder } from './support/workflows.ts';

/** Targets are for a machine on which an empty program of Node takes so long: elsewhere they are as much longer or shorter. */
const NODE_MS = 50;

const size = askedSize();
const rounds = sized(size, { tiny: 1, usual: 9, full: 15 });
const isTiny = size === 'tiny';
const main = builtTree();
const cache = join(temporaryFolder(), 'cache');

function command(args: readonly string[]): number {
  const startedMs = performance.now();
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(status)}:\n${stderr}`);
  return performance.now() - startedMs;
}

/** In milliseconds. `data` is kept: a database of its own each time would measure its creation too. */
async function ready(line: readonly string[], data: string): Promise<number> {
  const [program = '', ...args] = line;
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, HEADGATE_DATA: data, HEADGATE_PORT: '0', NODE_COMPILE_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`the server did not start:\n${output}`)));
  });
  const health = await fetch(`${url}/health/ready`);
  const readyMs = performance.now() - startedMs;
  if (health.status !== 200) throw new Error(`the server is not ready: ${await health.text()}`);
  child.kill('SIGTERM');
  await ended;
  return readyMs;
}

const serve = [process.execPath, main, 'serve', '--workflows', join(root, 'workflows')];
const data = join(temporaryFolder(), 'data');
const first = await ready(serve, data);
const times = { node: [], version: [], check: [], serve: [], npm: [] } as {
  readonly [name in 'node' | 'version' | 'check' | 'serve' | 'npm']: number[];
};
for (let round = 0; round < rounds; round += 1) {
  times.node.push(command(['-e', '0']));
  times.version.push(command([main, '--version']));
  times.check.push(command([main, 'check', join(root, 'workflows')]));
  times.serve.push(await ready(serve, data));
  if (!isTiny) times.npm.push(await ready(['npm', 'start', '--silent'], data));
}
const bare = median(times.node);
const within = (what: string, values: readonly number[], targetMs: number): Line =>
  held(what, median(values), 'ms', { atMost: Math.round((targetMs * bare) / NODE_MS) });

// Idle, after what a start leaves behind was collected.
const idle = await startHeadgate('http://127.0.0.1:9', 'now', { core: isTiny ? null : SERVER_CORE });
await sleep(sized(size, { tiny: 100, usual: 10_000, full: 60_000 }));
const idleMb = idle.residentMb();
await idle.stop();

/** What the package needs and an install brings, Node's own package among it where this machine has it; in MB. */
function installed(): { readonly packages: number; readonly mb: number; readonly ownMb: number } {
  const { stdout } = spawnSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
  });
  const packages = stdout.split('\n').filter((folder) => folder !== '' && folder !== root.replace(/\/$/, ''));
  const bytes = packages.reduce((sum, folder) => sum + bytesOf(folder), 0);
  return { packages: packages.length, mb: bytes / 2 ** 20, ownMb: bytesOf(join(main, '..', '..')) / 2 ** 20 };
}

/** Without the packages that a package brings inside it: they are listed themselves. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + bytesOf(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}

const install = installed();
give('start', size, [
  {
    what: 'node -e 0',
    value: bare,
    unit: 'ms',
    note: `the targets are those of a machine where it takes ${NODE_MS}, scaled`,
  },
  within('--version', times.version, 220),
  within('check of the shipped workflows', times.check, 350),
  within('serve to ready', times.serve, 900),
  { what: 'the very first serve, nothing compiled yet', value: first, unit: 'ms' },
  ...(isTiny
    ? []
    : [
        {
          what: 'npm start to ready, from a checkout',
          value: median(times.npm),
          unit: 'ms',
          note: 'from the sources; npm itself is some of it',
        },
      ]),
  held('resident memory, idle', idleMb, 'MB', { atMost: 160 }),
  {
    what: 'an install, on the disk',
    value: install.mb + install.ownMb,
    unit: 'MB',
    note: `${install.packages} packages beside ${install.ownMb.toFixed(1)} MB of its own JavaScript`,
  },
]);
