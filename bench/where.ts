// Where a call at the door spends the time of the thread that answers: V8's samples of the built server under load, by room.
//
//   node bench/where.ts [tiny|usual|full]
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHeadgate } from './peers/headgate.ts';
import { chat, CHAT_END } from './support/calls.ts';
import { load } from './support/http-load.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import { askedSize, give, sized } from './support/report.ts';
import { temporaryFolder } from './support/workflows.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const size = askedSize();
const seconds = sized(size, { tiny: 0.1, usual: 10, full: 30 });
const folder = join(temporaryFolder(), 'profile');
mkdirSync(folder);

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const server = await startHeadgate(upstream.url, 'now', {
  nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'],
});
const asked = {
  port: server.port,
  inFlight: sized(size, { tiny: 4, usual: 32, full: 32 }),
  request: chat(),
  expect: CHAT_END,
};
await load({ ...asked, seconds: 2 * seconds });
await load({ ...asked, seconds });
await server.stop(30_000);
await upstream.stop();

// The main thread's is written first, and named by thread 0.
const file = readdirSync(folder).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(name));
if (file === undefined) throw new Error('the server wrote no profile');
const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;

/** By the lines of a file of the bundle: the module that each is from. */
const modules = new Map<string, readonly string[]>();

function modulesOf(url: string): readonly string[] {
  let known = modules.get(url);
  if (known === undefined) {
    let module = '';
    known = readFileSync(new URL(url), 'utf8')
      .split('\n')
      .map(
        (line) => (module = /^(?:\/\/#region|\/\/) ((?:src|node_modules)\/\S+)/.exec(line)?.[1] ?? module),
      );
    modules.set(url, known);
  }
  return known;
}

function placeOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string | null {
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'collecting garbage';
  if (url.startsWith('node:internal/deps/undici') || url.includes('/node_modules/undici/')) return 'undici';
  if (!url.startsWith('file:')) return 'Node and the system';
  const module = url.includes('/node_modules/') ? url : (modulesOf(url)[lineNumber] ?? '');
  const room = /^src\/(engine\/[^/]+|[^/]+)/.exec(module)?.[1];
  return room ?? 'packages';
}

const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
const shares = new Map<string, number>();
let total = 0;
// The last third: what comes before is the start and V8's compiling.
const from = Math.floor((profile.samples.length * 2) / 3);
for (const [index, sample] of profile.samples.entries()) {
  const place = places.get(sample) ?? null;
  if (index < from || place === null) continue;
  const micros = profile.timeDeltas[index] ?? 0;
  total += micros;
  shares.set(place, (shares.get(place) ?? 0) + micros);
}
give(
  'where',
  size,
  [...shares]
    .sort(([, a], [, b]) => b - a)
    .map(([what, micros]) => ({ what, value: (100 * micros) / total, unit: '%' })),
);
