// Prompts of a megabyte through the door, and what a small call beside them waits longer.
//
//   node bench/large.ts [tiny|usual|full]
import { startHeadgate } from './peers/headgate.ts';
import { chat, CHAT_END, longChat } from './support/calls.ts';
import { load } from './support/http-load.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import { askedSize, give, held, sized } from './support/report.ts';

const MEGABYTE = 1_000_000;
const IN_FLIGHT = 4;
const size = askedSize();
const seconds = sized(size, { tiny: 0.05, usual: 10, full: 30 });

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
// Not on one core: that long texts are counted by another thread is the point.
const server = await startHeadgate(upstream.url, 'now', { core: null });
const { port } = server;
const small = { port, inFlight: 1, request: chat(), expect: CHAT_END };
const large = { port, inFlight: IN_FLIGHT, request: longChat(MEGABYTE), expect: CHAT_END };
await load({ ...small, inFlight: 32, seconds });
await load({ ...large, seconds: seconds / 2 });
const alone = await load({ ...small, seconds });
const before = server.cpuByThread();
const [megabytes, beside] = await Promise.all([load({ ...large, seconds }), load({ ...small, seconds })]);
const after = server.cpuByThread();
const residentMb = server.residentMb();
await server.stop();
await upstream.stop();

const cpuMs = (thread: 'main' | 'workers'): string =>
  `${((after[thread] - before[thread]) / megabytes.answers / 1000).toFixed(1)} ms`;
give('large', size, [
  held(
    'prompts of 1 MB, 4 in flight',
    megabytes.perSecond,
    'MB/s',
    { atLeast: 50 },
    `CPU a megabyte: main ${cpuMs('main')}, workers ${cpuMs('workers')}; resident ${residentMb.toFixed(0)} MB`,
  ),
  held(
    'a small call beside them waits longer, p99',
    beside.p99Ms - alone.p99Ms,
    'ms',
    { atMost: 50 },
    `p50 ${beside.p50Ms.toFixed(1)} ms, alone ${alone.p50Ms.toFixed(1)} ms`,
  ),
]);
