// Where a call at the door, a piece of a stream there, and one of a GraphQL subscription spend the time of the thread that answers: V8's samples of the built server under load, by room,
// and as flame graphs for the page.
//
//   node bench/where.ts [tiny|usual|full]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHeadgate } from './peers/headgate.ts';
import { chat, CHAT_END, streamTask, streamedChat } from './support/calls.ts';
import { flameGraph, timesOf } from './support/flame.ts';
import type { Profile, ProfileNode } from './support/flame.ts';
import { load } from './support/http-load.ts';
import type { Load } from './support/http-load.ts';
import { LOAD_CORE, root, startNode } from './support/processes.ts';
import { askedSize, give, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { temporaryFolder } from './support/workflows.ts';

const size = askedSize();
const seconds = sized(size, { tiny: 0.1, usual: 10, full: 30 });
const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });

/** Of a server that is loaded: warm, and then for a while more. */
async function profileOf(
  pace: string,
  call: Pick<Load, 'inFlight' | 'request' | 'expect'>,
): Promise<Profile> {
  const folder = temporaryFolder();
  const server = await startHeadgate(upstream.url, pace, {
    nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'],
  });
  await load({ ...call, port: server.port, seconds: 2 * seconds });
  await load({ ...call, port: server.port, seconds });
  await server.stop(30_000);
  // The main thread's is written first, and named by thread 0.
  const file = readdirSync(folder).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(name));
  if (file === undefined) throw new Error('the server wrote no profile');
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
}

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

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string | null {
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'collecting garbage';
  if (url.startsWith('node:internal/deps/undici') || url.includes('/node_modules/undici/')) return 'undici';
  if (!url.startsWith('file:')) return 'Node and the system';
  const module = url.includes('/node_modules/') ? url : (modulesOf(url)[lineNumber] ?? '');
  const room = /^src\/(engine\/[^/]+|[^/]+)/.exec(module)?.[1];
  return room ?? 'packages';
}

/** By room, dearest first, and drawn into `docs/images/`. */
function shares(profile: Profile, what: string, picture: string): readonly Line[] {
  // The last third: what comes before is the start and V8's compiling.
  const times = timesOf(profile, Math.floor((profile.samples.length * 2) / 3));
  const byPlace = new Map<string, number>();
  let total = 0;
  for (const node of profile.nodes) {
    const place = placeOf(node);
    const micros = times.get(node.id) ?? 0;
    if (place === null || micros === 0) continue;
    total += micros;
    byPlace.set(place, (byPlace.get(place) ?? 0) + micros);
  }
  if (size !== 'tiny')
    writeFileSync(join(root, 'docs', 'images', picture), flameGraph(profile, times, placeOf));
  return [...byPlace]
    .sort(([, a], [, b]) => b - a)
    .map(([place, micros]) => ({ what: `${what}: ${place}`, value: (100 * micros) / total, unit: '%' }));
}

const call = await profileOf('now', {
  inFlight: sized(size, { tiny: 4, usual: 32, full: 32 }),
  request: chat(),
  expect: CHAT_END,
});
const pace = size === 'tiny' ? 'brief' : 'paced';
const inFlight = sized(size, { tiny: 4, usual: 400, full: 400 });
const streams = await profileOf(pace, { inFlight, request: streamedChat, expect: '[DONE]' });
const events = await profileOf(pace, { inFlight, request: streamTask, expect: 'SUCCEEDED' });
await upstream.stop();
give('where', size, [
  ...shares(call, 'call', 'call.svg'),
  ...shares(streams, 'stream', 'stream.svg'),
  ...shares(events, 'streamTask', 'stream-task.svg'),
]);
