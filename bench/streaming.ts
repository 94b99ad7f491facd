// Streaming: the time that streamTask adds to the first token, and the pieces a second, with 500 streams at once, beside a raw proxy.
//
//   node bench/streaming.ts [tiny|usual|full]
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { post } from './support/http-load.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, held, median, percentile, sized } from './support/report.ts';
import { inputText } from './support/workflows.ts';

const size = askedSize();
const streams = sized(size, { tiny: 5, usual: 500, full: 500 });
const seconds = sized(size, { tiny: 1, usual: 12, full: 30 });
const rounds = sized(size, { tiny: 1, usual: 3, full: 5 });
/** A stream of the upstream's lasts as long; the first ones are spread over it, so that as many begin at any moment as end. */
const STREAM_MS = 4_300;
const FEW = 20;

const SUBSCRIBE =
  'subscription ($text: String!) { streamTask(task: { answer: { text: $text } }) { __typename ... on RunText { delta } ... on RunFinished { result { __typename ... on Run { status } } } } }';

interface Way {
  readonly name: string;
  readonly server: Started;
  readonly request: (index: number, pace: string) => string;
  /** Stands in each piece of text. */
  readonly piece: string;
  /** Stands at the end of a good stream. */
  readonly end: string;
}

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });

const chat = (index: number): string =>
  JSON.stringify({
    model: 'bench-model',
    max_tokens: 200,
    stream: true,
    messages: [{ role: 'user', content: inputText(index) }],
  });
const proxy: Way = {
  name: 'raw proxy',
  server: await startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
  request: (index, pace) => post(`/${pace}/v1/chat/completions`, chat(index)),
  piece: 'and the ice ',
  end: '[DONE]',
};

async function headgate(pace: string): Promise<Way> {
  return {
    name: 'headgate',
    server: await startHeadgate(upstream.url, pace),
    request: (index) =>
      post(
        '/graphql',
        JSON.stringify({ query: SUBSCRIBE, variables: { text: inputText(index) } }),
        'Accept: text/event-stream\r\n',
      ).replace('Accept: application/json\r\n', ''),
    piece: 'and the ice ',
    end: 'SUCCEEDED',
  };
}

interface Seen {
  readonly firstMs: number[];
  pieces: number;
  ended: number;
}

/** One stream on a connection of its own. */
function follow(way: Way, request: string, seen: Seen): Promise<void> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let first = true;
    let tail = '';
    const socket: Socket = connect(way.server.port, '127.0.0.1', () => socket.write(request));
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      const pieces = text.split(way.piece).length - 1;
      if (pieces > 0 && first) {
        first = false;
        seen.firstMs.push(performance.now() - startedMs);
      }
      seen.pieces += pieces;
      tail = tail.slice(-400) + text;
      if (tail.includes(way.end)) {
        seen.ended += 1;
        socket.destroy();
        resolve();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${way.name}: the stream ended early: ${tail.slice(-300)}`)));
  });
}

let next = Math.floor(performance.now() * 1000);

/** Keeps `count` streams open for a time; `spreadMs`: how long the first ones take to begin. */
async function measure(
  way: Way,
  pace: string,
  count: number,
  spreadMs: number,
): Promise<{
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly cpuMicros: number;
}> {
  const seen: Seen = { firstMs: [], pieces: 0, ended: 0 };
  const startedMs = performance.now();
  const before = way.server.cpuMicros();
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, (spreadMs * index) / count));
      do await follow(way, way.request((next += 1), pace), seen);
      while (performance.now() - startedMs < seconds * 1000);
    }),
  );
  return {
    p50Ms: median(seen.firstMs),
    p99Ms: percentile(seen.firstMs, 99),
    perSecond: seen.pieces / ((performance.now() - startedMs) / 1000),
    cpuMicros: (way.server.cpuMicros() - before) / seen.pieces,
  };
}

const spread = size === 'tiny' ? 100 : STREAM_MS;
const ours = await headgate('paced');
// A few streams show what one costs; many, what they cost each other.
const few = { ours: [] as number[], raw: [] as number[] };
const many = {
  ours: [] as Awaited<ReturnType<typeof measure>>[],
  raw: [] as Awaited<ReturnType<typeof measure>>[],
};
if (size !== 'tiny') await measure(ours, 'paced', FEW, spread);
for (let round = 0; round < rounds; round += 1) {
  if (size !== 'tiny') {
    few.raw.push((await measure(proxy, 'paced', FEW, spread)).p50Ms);
    few.ours.push((await measure(ours, 'paced', FEW, spread)).p50Ms);
  }
  many.raw.push(await measure(proxy, 'paced', streams, spread));
  many.ours.push(await measure(ours, 'paced', streams, spread));
}
await ours.server.stop();

const flood = await headgate('flat');
await measure(flood, 'flat', Math.min(32, streams), 0);
const fullSpeed = {
  raw: await measure(proxy, 'flat', Math.min(32, streams), 0),
  ours: await measure(flood, 'flat', Math.min(32, streams), 0),
};
await flood.server.stop();
await proxy.server.stop();
await upstream.stop();

const of = (which: 'ours' | 'raw', what: 'p50Ms' | 'p99Ms' | 'perSecond' | 'cpuMicros'): number =>
  median(many[which].map((one) => one[what]));
give('streaming', size, [
  {
    what: `raw proxy, ${streams} streams: first token p50`,
    value: of('raw', 'p50Ms'),
    unit: 'ms',
    note: `p99 ${of('raw', 'p99Ms').toFixed(1)} ms`,
  },
  {
    what: `headgate, ${streams} streams: first token p50`,
    value: of('ours', 'p50Ms'),
    unit: 'ms',
    note: `p99 ${of('ours', 'p99Ms').toFixed(1)} ms`,
  },
  held(
    `added at p50, ${streams} streams`,
    of('ours', 'p50Ms') - of('raw', 'p50Ms'),
    'ms',
    { atMost: 1 },
    'the upstream is at 300 ms',
  ),
  ...(size === 'tiny'
    ? []
    : [{ what: `added at p50, ${FEW} streams`, value: median(few.ours) - median(few.raw), unit: 'ms' }]),
  {
    what: `pieces a second, ${streams} streams`,
    value: of('ours', 'perSecond'),
    unit: '/s',
    note: `raw proxy ${of('raw', 'perSecond').toFixed(0)}; the upstream sends 10 a second a stream`,
  },
  {
    what: 'CPU a piece',
    value: of('ours', 'cpuMicros'),
    unit: 'µs',
    note: `raw proxy ${of('raw', 'cpuMicros').toFixed(0)} µs`,
  },
  {
    what: 'pieces a second at full speed, 32 streams',
    value: fullSpeed.ours.perSecond,
    unit: '/s',
    note: `raw proxy ${fullSpeed.raw.perSecond.toFixed(0)}`,
  },
]);
