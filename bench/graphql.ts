// The served product: POST /graphql with runTask, beside Portkey's gateway, bare yoga and a raw proxy, with the upstream at 0 ms and at 300 ms ± 100.
//
//   node bench/graphql.ts [tiny|usual|full]
import { portkeyHeaders, startPortkey } from './peers/portkey.ts';
import { startHeadgate } from './peers/headgate.ts';
import { chat, CHAT_END, graphqlCall, RUN_END, runTask } from './support/calls.ts';
import { besidePortkey, contest, several, standingText, toldBy } from './support/contest.ts';
import type { Contender } from './support/contest.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import { askedSize, give, held, sized } from './support/report.ts';
import type { Line } from './support/report.ts';

const size = askedSize();
const BUSY = sized(size, { tiny: 2, usual: 32, full: 32 });
const WAITING = sized(size, { tiny: 4, usual: 256, full: 256 });
const ASK =
  'mutation ($text: String!) { runTask(text: $text) { __typename status answer inputTokens outputTokens } }';

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });

async function contendersAt(pace: string, processes: number): Promise<readonly Contender[]> {
  const to = `${upstream.url}/${pace}/v1`;
  const all: Contender[] = [
    {
      name: 'headgate',
      servers: await several(processes, () => startHeadgate(upstream.url, pace)),
      request: runTask,
      expect: RUN_END,
    },
    {
      name: 'portkey',
      servers: await several(processes, () => startPortkey(SERVER_CORE)),
      request: chat('/v1/chat/completions', portkeyHeaders(to)),
      expect: CHAT_END,
    },
    {
      name: 'bare yoga',
      servers: await several(processes, () => startNode(['bench/peers/yoga.ts', to], { core: SERVER_CORE })),
      request: graphqlCall(ASK),
      expect: RUN_END,
    },
    {
      name: 'raw proxy',
      servers: await several(processes, () =>
        startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
      ),
      request: chat(`/${pace}/v1/chat/completions`, 'Authorization: Bearer sk-bench\r\n'),
      expect: CHAT_END,
    },
  ];
  return all.filter(({ servers }) => servers.length > 0);
}

/** In each round all take turns; the first warms up: V8 compiles for so long what is hot, on the same core. */
const compare = (contenders: readonly Contender[], inFlight: number, rounds: number) =>
  contest(contenders, {
    inFlight,
    rounds,
    warmUpSeconds: sized(size, { tiny: 0.02, usual: 10, full: 20 }),
    roundSeconds: sized(size, { tiny: 0.02, usual: 4, full: 10 }),
  });

async function stop(contenders: readonly Contender[]): Promise<void> {
  for (const { servers } of contenders) for (const server of servers) await server.stop();
}

const busy = await contendersAt('now', sized(size, { tiny: 1, usual: 2, full: 3 }));
const now = await compare(busy, BUSY, sized(size, { tiny: 1, usual: 5, full: 7 }));
if (size !== 'tiny') await stop(busy);
// At the tiny size those that are there will do.
const waiting = size === 'tiny' ? busy : await contendersAt('slow', 1);
const slow = await compare(waiting, WAITING, sized(size, { tiny: 1, usual: 1, full: 3 }));
await stop(waiting);
await upstream.stop();

const lines: Line[] = [...now].map(([name, standing]) => ({
  what: `${name}: ${BUSY} in flight, upstream at once`,
  value: standing.perSecond,
  unit: '/s',
  note: standingText(standing),
}));
const ours = now.get('headgate');
const [portkey, yoga, proxy] = [now.get('portkey'), now.get('bare yoga'), now.get('raw proxy')];
if (ours === undefined || yoga === undefined || proxy === undefined) throw new Error('no contest');
lines.push(...besidePortkey(ours, portkey, 'a run', 2.2));
const besideYoga = yoga.cpuMicros / ours.cpuMicros;
lines.push(
  held("bare yoga's CPU beside a run's", besideYoga, '×', { atLeast: 0.6 }, toldBy(besideYoga, ours, yoga)),
  { what: "the raw proxy's CPU beside a run's", value: proxy.cpuMicros / ours.cpuMicros, unit: '×' },
  ...[...slow].map(([name, standing]) => ({
    what: `${name}: ${WAITING} in flight, upstream at 300 ms ± 100: p50`,
    value: standing.p50Ms,
    unit: 'ms',
    note: standingText(standing),
  })),
);
give('graphql', size, lines);
