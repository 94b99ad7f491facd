// Streaming: what streamTask and the door add to the first token of 500 streams at once, what a piece costs beside a raw proxy's, and what 5,000 open streams take.
//
//   node bench/streaming.ts [tiny|usual|full]
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatBody, streamTask, streamedChat } from './support/calls.ts';
import { post } from './support/http-load.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, held, median, percentile, sized } from './support/report.ts';
import { inputText } from './support/workflows.ts';

const size = askedSize();
const streams = sized(size, { tiny: 5, usual: 500, full: 500 });
const seconds = sized(size, { tiny: 0.02, usual: 12, full: 30 });
const rounds = sized(size, { tiny: 1, usual: 2, full: 5 });
/** A stream of the upstream's lasts as long; the first ones are spread over it, so that as many begin at any moment as end. */
const STREAM_MS = 4_300;
const spread = size === 'tiny' ? 100 : STREAM_MS;
const FEW = 20;
const OPEN = sized(size, { tiny: 10, usual: 5_000, full: 5_000 });

/** So long 5,000 of them take to begin; each of the upstream's lasts three times as long. */
const HELD = size === 'tiny' ? 'brief' : 'held';
const PACED = size === 'tiny' ? 'brief' : 'paced';
const LASTING = size === 'tiny' ? 'brief' : 'lasting';
const FLAT = size === 'tiny' ? 'brief' : 'flat';
const OPENING_MS = sized(size, { tiny: 200, usual: 15_000, full: 15_000 });

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

const streamed = (index: number): string => chatBody(inputText(index), { stream: true });

const proxy: Way = {
  name: 'raw proxy',
  server: await startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
  request: (index, pace) => post(`/${pace}/v1/chat/completions`, streamed(index)),
  piece: 'and the ice ',
  end: '[DONE]',
};

interface Headgate {
  readonly server: Started;
  /** Both ways in, on the one server. */
  readonly graphql: Way;
  readonly door: Way;
}

async function headgate(pace: string): Promise<Headgate> {
  const server = await startHeadgate(upstream.url, pace);
  return {
    server,
    graphql: {
      name: 'streamTask',
      server,
      request: (index) => streamTask(index),
      piece: 'and the ice ',
      end: 'SUCCEEDED',
    },
    door: {
      name: 'the door',
      server,
      request: (index) => streamedChat(index),
      piece: 'and the ice ',
      end: '[DONE]',
    },
  };
}

interface Seen {
  readonly firstMs: number[];
  pieces: number;
  ended: number;
}

/** One stream on a connection of its own, to its end or until somebody leaves. */
function follow(way: Way, request: string, seen: Seen, leave?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let first = true;
    let tail = '';
    const socket: Socket = connect(way.server.port, '127.0.0.1', () => socket.write(request));
    socket.setNoDelay(true);
    leave?.addEventListener('abort', () => {
      resolve();
      socket.destroy();
    });
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
      await sleep((spreadMs * index) / count);
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

/** What a piece takes while nothing begins or ends: CPU in microseconds, of `streams` that are all under way. */
async function pieceMicros(way: Way): Promise<number> {
  const seen: Seen = { firstMs: [], pieces: 0, ended: 0 };
  const leave = new AbortController();
  const following = Array.from({ length: streams }, async (_, index) => {
    await sleep((spread * index) / streams);
    await follow(way, way.request((next += 1), LASTING), seen, leave.signal);
  });
  while (seen.firstMs.length < streams) await sleep(10);
  const [pieces, before] = [seen.pieces, way.server.cpuMicros()];
  await sleep(sized(size, { tiny: 100, usual: 10_000, full: 15_000 }));
  const micros = (way.server.cpuMicros() - before) / (seen.pieces - pieces);
  if (seen.ended > 0) throw new Error('streams ended while their pieces were measured');
  leave.abort();
  await Promise.all(following);
  return micros;
}

type Measured = Awaited<ReturnType<typeof measure>>;
type Name = 'raw' | 'graphql' | 'door';

const paced = await headgate(PACED);
const ways: { readonly [name in Name]: Way } = { raw: proxy, graphql: paced.graphql, door: paced.door };
const names = Object.keys(ways) as readonly Name[];
// A few streams show what one costs; many, what they cost each other.
const few: { readonly [name in Name]: Measured[] } = { raw: [], graphql: [], door: [] };
const many: { readonly [name in Name]: Measured[] } = { raw: [], graphql: [], door: [] };
// V8 compiles what is hot before anything is measured.
if (size !== 'tiny') for (const name of names) await measure(ways[name], PACED, streams / 2, spread);
for (let round = 0; round < rounds; round += 1) {
  for (const name of names)
    if (size !== 'tiny') few[name].push(await measure(ways[name], PACED, FEW, spread));
  for (const name of names) many[name].push(await measure(ways[name], PACED, streams, spread));
}
// At the tiny size one server does for all.
if (size !== 'tiny') await paced.server.stop();

const lasting = LASTING === PACED ? paced : await headgate(LASTING);
const lastingWays: { readonly [name in Name]: Way } = {
  raw: proxy,
  graphql: lasting.graphql,
  door: lasting.door,
};
const piece: { readonly [name in Name]: number[] } = { raw: [], graphql: [], door: [] };
// The first of each warms it up.
for (let round = 0; round <= rounds; round += 1)
  for (const name of names) {
    const micros = await pieceMicros(lastingWays[name]);
    if (round > 0 || size === 'tiny') piece[name].push(micros);
  }
if (size !== 'tiny') await lasting.server.stop();

const flood = FLAT === PACED ? paced : await headgate(FLAT);
const atOnce = Math.min(32, streams);
for (const way of [flood.graphql, flood.door]) await measure(way, FLAT, atOnce, 0);
const fullSpeed = {
  raw: await measure(proxy, FLAT, atOnce, 0),
  graphql: await measure(flood.graphql, FLAT, atOnce, 0),
  door: await measure(flood.door, FLAT, atOnce, 0),
};
if (flood !== paced) await flood.server.stop();
await proxy.server.stop();

/** Half of them through each way in; resident memory while all are open, in MB. */
async function manyOpen({ server, graphql, door }: Headgate): Promise<number> {
  const seen: Seen = { firstMs: [], pieces: 0, ended: 0 };
  const following = Array.from({ length: OPEN }, async (_, index) => {
    await sleep((OPENING_MS * index) / OPEN);
    await follow(
      index % 2 === 0 ? graphql : door,
      (index % 2 === 0 ? graphql : door).request((next += 1), HELD),
      seen,
    );
  });
  let mostMb = 0;
  const sampling = setInterval(() => {
    if (seen.firstMs.length === OPEN && seen.ended === 0) mostMb = Math.max(mostMb, server.residentMb());
  }, 100);
  await Promise.all(following);
  clearInterval(sampling);
  if (mostMb === 0) throw new Error(`${OPEN} streams were never open at once`);
  return mostMb;
}
// What a server that has done nothing yet takes.
const fresh = HELD === PACED ? paced : await headgate(HELD);
const openMb = await manyOpen(fresh);
await fresh.server.stop();
await upstream.stop();

const of = (all: readonly Measured[], what: keyof Measured): number => median(all.map((one) => one[what]));
const WORDS = { raw: 'raw proxy', graphql: 'streamTask', door: 'the door' } as const;
give('streaming', size, [
  ...names.map((name) => ({
    what: `${WORDS[name]}, ${streams} streams: first token p50`,
    value: of(many[name], 'p50Ms'),
    unit: 'ms',
    note: `p99 ${of(many[name], 'p99Ms').toFixed(1)} ms, ${of(many[name], 'perSecond').toFixed(0)} pieces a second; the upstream is at 300 ms`,
  })),
  ...(['graphql', 'door'] as const).flatMap((name) => [
    held(
      `${WORDS[name]} adds at p50, ${streams} streams`,
      of(many[name], 'p50Ms') - of(many.raw, 'p50Ms'),
      'ms',
      { atMost: 50 },
    ),
    held(
      `${WORDS[name]} adds at p99, ${streams} streams`,
      of(many[name], 'p99Ms') - of(many.raw, 'p99Ms'),
      'ms',
      { atMost: 500 },
    ),
    ...(size === 'tiny'
      ? []
      : [
          held(
            `${WORDS[name]} adds at p50, ${FEW} streams`,
            of(few[name], 'p50Ms') - of(few.raw, 'p50Ms'),
            'ms',
            { atMost: 1 },
          ),
        ]),
    held(
      `${WORDS[name]}: CPU a piece beside the raw proxy's`,
      median(piece[name]) / median(piece.raw),
      '×',
      { atMost: 2 },
      `${median(piece[name]).toFixed(0)} µs, raw proxy ${median(piece.raw).toFixed(0)} µs, of ${streams} streams while none begins or ends; with their beginnings and ends, one for 40 pieces, ${of(many[name], 'cpuMicros').toFixed(0)} and ${of(many.raw, 'cpuMicros').toFixed(0)}`,
    ),
    {
      what: `${WORDS[name]}: pieces a second at full speed, 32 streams`,
      value: fullSpeed[name].perSecond,
      unit: '/s',
      note: `raw proxy ${fullSpeed.raw.perSecond.toFixed(0)}`,
    },
  ]),
  held(
    `resident memory with ${OPEN} streams open`,
    openMb,
    'MB',
    { atMost: 600 },
    'half of them through the door',
  ),
]);
