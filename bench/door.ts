// /v1/chat/completions with 32 in flight, beside Portkey's gateway and a raw proxy: the same bodies on the same upstream.
//
//   node bench/door.ts [tiny|usual|full]
import { portkeyHeaders, startPortkey } from './peers/portkey.ts';
import { startHeadgate } from './peers/headgate.ts';
import { chat, CHAT_END } from './support/calls.ts';
import { besidePortkey, contest, several, standingText } from './support/contest.ts';
import type { Contender } from './support/contest.ts';
import { load } from './support/http-load.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import { askedSize, give, held, sized } from './support/report.ts';
import type { Line } from './support/report.ts';

const size = askedSize();
const IN_FLIGHT = sized(size, { tiny: 2, usual: 32, full: 32 });
const processes = sized(size, { tiny: 1, usual: 2, full: 3 });

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const to = `${upstream.url}/now/v1`;

const all: Contender[] = [
  {
    name: 'headgate',
    servers: await several(processes, () => startHeadgate(upstream.url, 'now')),
    request: chat(),
    expect: CHAT_END,
  },
  {
    name: 'portkey',
    servers: await several(processes, () => startPortkey(SERVER_CORE)),
    request: chat('/v1/chat/completions', portkeyHeaders(to)),
    expect: CHAT_END,
  },
  {
    name: 'raw proxy',
    servers: await several(processes, () =>
      startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
    ),
    request: chat('/now/v1/chat/completions', 'Authorization: Bearer sk-bench\r\n'),
    expect: CHAT_END,
  },
];
const contenders = all.filter(({ servers }) => servers.length > 0);
const standings = await contest(contenders, {
  inFlight: IN_FLIGHT,
  rounds: sized(size, { tiny: 1, usual: 5, full: 7 }),
  // V8 compiles for so long what is hot, on the same core.
  warmUpSeconds: sized(size, { tiny: 0.02, usual: 10, full: 20 }),
  roundSeconds: sized(size, { tiny: 0.02, usual: 4, full: 10 }),
});
const [ourServer] = all[0]?.servers ?? [];
if (ourServer === undefined) throw new Error('no server');
await load({
  port: ourServer.port,
  inFlight: IN_FLIGHT,
  seconds: sized(size, { tiny: 0.02, usual: 20, full: 60 }),
  perSecond: 1000,
  request: chat(),
  expect: CHAT_END,
});
const pacedMb = ourServer.residentMb();
for (const { servers } of contenders) for (const server of servers) await server.stop();
await upstream.stop();

const lines: Line[] = [...standings].map(([name, standing]) => ({
  what: `${name}: chat completions, ${IN_FLIGHT} in flight`,
  value: standing.perSecond,
  unit: '/s',
  note: standingText(standing),
}));
const ours = standings.get('headgate');
const portkey = standings.get('portkey');
const proxy = standings.get('raw proxy');
if (ours === undefined || proxy === undefined) throw new Error('no contest');
lines.push(...besidePortkey(ours, portkey, 'the door', 2.5));
lines.push(held('resident memory at 1,000 runs/s, after that load', pacedMb, 'MB', { atMost: 260 }), {
  what: "the door's CPU a call beside the raw proxy's",
  value: ours.cpuMicros / proxy.cpuMicros,
  unit: '×',
});
give('door', size, lines);
