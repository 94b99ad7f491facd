// /v1/chat/completions with 32 in flight, beside Portkey's gateway and a raw proxy: the same bodies on the same upstream.
//
//   node bench/door.ts [tiny|usual|full]
import { load, post } from './support/http-load.ts';
import type { LoadResult } from './support/http-load.ts';
import { portkeyHeaders, startPortkey } from './peers/portkey.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, median, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { inputText } from './support/workflows.ts';

const IN_FLIGHT = 32;
const size = askedSize();
const roundSeconds = sized(size, { tiny: 0.2, usual: 4, full: 10 });
/** V8 compiles for so long what is hot, on the same core. */
const warmUpSeconds = sized(size, { tiny: 0.2, usual: 10, full: 20 });
const rounds = sized(size, { tiny: 1, usual: 5, full: 7 });

interface Contender {
  readonly name: string;
  readonly server: Started;
  readonly request: (index: number) => string;
}

interface Measured {
  readonly result: LoadResult;
  readonly cpuMicros: number;
}

function chatBody(index: number): string {
  return JSON.stringify({
    model: 'bench-model',
    max_tokens: 200,
    messages: [
      { role: 'system', content: 'You answer questions. Use only what the text says.' },
      { role: 'user', content: `Answer in two sentences.\n<text>\n${inputText(index)}\n</text>` },
    ],
  });
}

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const to = `${upstream.url}/now/v1`;
const portkey = await startPortkey(SERVER_CORE);
const contenders: Contender[] = [
  {
    name: 'headgate',
    server: await startHeadgate(upstream.url, 'now'),
    request: (index) => post('/v1/chat/completions', chatBody(index)),
  },
  ...(portkey === undefined
    ? []
    : [
        {
          name: 'portkey',
          server: portkey,
          request: (index: number) => post('/v1/chat/completions', chatBody(index), portkeyHeaders(to)),
        },
      ]),
  {
    name: 'raw proxy',
    server: await startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
    request: (index) =>
      post('/now/v1/chat/completions', chatBody(index), 'Authorization: Bearer sk-bench\r\n'),
  },
];

async function measure({ server, request }: Contender, seconds: number): Promise<Measured> {
  const before = server.cpuMicros();
  const expect = '"finish_reason":"stop"';
  const result = await load({ port: server.port, inFlight: IN_FLIGHT, seconds, request, expect });
  return { result, cpuMicros: (server.cpuMicros() - before) / result.answers };
}

// In each round all take turns; the first warms up.
const measured = new Map(contenders.map(({ name }) => [name, [] as Measured[]]));
for (let round = 0; round <= rounds; round += 1) {
  for (const contender of contenders) {
    const one = await measure(contender, round === 0 ? warmUpSeconds : roundSeconds);
    if (round > 0) measured.get(contender.name)?.push(one);
  }
}
for (const { server } of contenders) await server.stop();
await upstream.stop();

const of = (name: string, what: (one: Measured) => number): number =>
  median((measured.get(name) ?? []).map(what));
const perSecond = (name: string): number => of(name, ({ result }) => result.perSecond);

const lines: Line[] = [...measured.keys()].map((name) => ({
  what: `${name}: chat completions, ${IN_FLIGHT} in flight`,
  value: perSecond(name),
  unit: '/s',
  note: `p50 ${of(name, ({ result }) => result.p50Ms).toFixed(1)} ms, p99 ${of(name, ({ result }) => result.p99Ms).toFixed(1)} ms, CPU ${of(name, ({ cpuMicros }) => cpuMicros).toFixed(0)} µs`,
}));
lines.push(
  portkey === undefined
    ? { what: 'portkey', value: Number.NaN, unit: '×', note: 'not measured: npm could not install it' }
    : { what: 'door beside portkey', value: perSecond('headgate') / perSecond('portkey'), unit: '×' },
  { what: 'door beside raw proxy', value: perSecond('headgate') / perSecond('raw proxy'), unit: '×' },
);
give('door', size, lines);
