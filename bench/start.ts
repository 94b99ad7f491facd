// Cold start: from spawning the command to the first 200 of /health/ready.
//
//   node bench/start.ts [tiny|usual|full]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pinned, root, SERVER_CORE } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import { temporaryFolder } from './support/workflows.ts';

const size = askedSize();
const rounds = sized(size, { tiny: 1, usual: 7, full: 15 });

/** In milliseconds. `data` is kept: a database of its own each time would measure its creation too. */
async function start(command: readonly string[], data: string, cache: string): Promise<number> {
  const [program = '', ...args] = command;
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

const serve = pinned(SERVER_CORE, [process.execPath, join(root, 'src/cli/main.ts'), 'serve']);
const unpinned = [process.execPath, join(root, 'src/cli/main.ts'), 'serve'];
const npm = ['npm', 'start', '--silent'];

const cache = join(temporaryFolder(), 'cache');
const data = join(temporaryFolder(), 'data');
const first = await start(unpinned, data, cache);
const times = { unpinned: [] as number[], pinned: [] as number[], npm: [] as number[] };
for (let round = 0; round < rounds; round += 1) {
  times.unpinned.push(await start(unpinned, data, cache));
  if (size !== 'tiny') times.pinned.push(await start(serve, data, cache));
  if (size !== 'tiny') times.npm.push(await start(npm, data, cache));
}

give('start', size, [
  { what: 'the very first start, nothing compiled yet', value: first, unit: 'ms' },
  held('start to ready', median(times.unpinned), 'ms', { atMost: 700 }),
  ...(size === 'tiny'
    ? []
    : [
        { what: 'the same on one core', value: median(times.pinned), unit: 'ms' },
        {
          what: 'npm start to ready',
          value: median(times.npm),
          unit: 'ms',
          note: 'npm itself is most of the difference',
        },
      ]),
]);
