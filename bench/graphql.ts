// runTask over GraphQL with 32 in flight, beside Portkey's gateway, bare yoga with undici, and a raw proxy: the same load on the same upstream.
//
//   node bench/graphql.ts [tiny|usual|full]
import { load, post } from './support/http-load.ts';
import type { LoadResult } from './support/http-load.ts';
import { portkeyHeaders, startPortkey } from './peers/portkey.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, SERVER_CORE, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { inputText } from './support/workflows.ts';

const size = askedSize();
const roundSeconds = sized(size, { tiny: 0.2, usual: 4, full: 10 });
/** V8 compiles for so long what is hot, on the same core. */
const warmUpSeconds = sized(size, { tiny: 0.2, usual: 10, full: 20 });
const rounds = sized(size, { tiny: 1, usual: 5, full: 7 });

interface Measured {
  readonly result: LoadResult;
  readonly cpuMicros: number;
}

interface Contender {
  readonly name: string;
  readonly server: Started;
  readonly request: (index: number) => string;
  readonly expect: string;
}

const RUN =
  'mutation ($text: String!) { runTask(task: { answer: { text: $text } }) { __typename ... on Run { id status cost outputJson attempts { model inputTokens outputTokens } } } }';
const ASK =
  'mutation ($text: String!) { runTask(text: $text) { __typename status answer inputTokens outputTokens } }';

const graphqlBody = (query: string) => {
  const start = `{"query":${JSON.stringify(query)},"variables":{"text":`;
  return (index: number) => post('/graphql', `${start}${JSON.stringify(inputText(index))}}}`);
};

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

async function contenders(pace: string): Promise<Contender[]> {
  const to = `${upstream.url}/${pace}/v1`;
  const portkey = await startPortkey(SERVER_CORE);
  return [
    {
      name: 'headgate',
      server: await startHeadgate(upstream.url, pace),
      request: graphqlBody(RUN),
      expect: '"status":"SUCCEEDED"',
    },
    ...(portkey === undefined
      ? []
      : [
          {
            name: 'portkey',
            server: portkey,
            request: (index: number) => post('/v1/chat/completions', chatBody(index), portkeyHeaders(to)),
            expect: '"finish_reason":"stop"',
          },
        ]),
    {
      name: 'bare yoga',
      server: await startNode(['bench/peers/yoga.ts', to], { core: SERVER_CORE }),
      request: graphqlBody(ASK),
      expect: '"status":"SUCCEEDED"',
    },
    {
      name: 'raw proxy',
      server: await startNode(['bench/peers/proxy.ts', upstream.url], { core: SERVER_CORE }),
      request: (index) =>
        post(`/${pace}/v1/chat/completions`, chatBody(index), 'Authorization: Bearer sk-bench\r\n'),
      expect: '"finish_reason":"stop"',
    },
  ];
}

async function measure(contender: Contender, inFlight: number, seconds: number): Promise<Measured> {
  const { server, request, expect } = contender;
  const before = server.cpuMicros();
  const result = await load({ port: server.port, inFlight, seconds, request, expect });
  return { result, cpuMicros: (server.cpuMicros() - before) / result.answers };
}

/** In each round all take turns; the first warms up. */
async function compare(pace: string, inFlight: number, times: number): Promise<Map<string, Measured[]>> {
  const all = await contenders(pace);
  const measured = new Map(all.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round <= times; round += 1) {
    for (const contender of all) {
      const one = await measure(contender, inFlight, round === 0 ? warmUpSeconds : roundSeconds);
      if (round > 0) measured.get(contender.name)?.push(one);
    }
  }
  for (const { server } of all) await server.stop();
  return measured;
}

const now = await compare('now', 32, rounds);
const slow = await compare('slow', 256, sized(size, { tiny: 1, usual: 1, full: 3 }));
await upstream.stop();

const of = (measured: Map<string, Measured[]>, name: string, what: (one: Measured) => number): number =>
  median((measured.get(name) ?? []).map(what));
const perSecond = ({ result }: Measured): number => result.perSecond;
const p50 = ({ result }: Measured): number => result.p50Ms;
const p99 = ({ result }: Measured): number => result.p99Ms;

const lines: Line[] = [];
for (const name of now.keys()) {
  lines.push({
    what: `${name}: 32 in flight, upstream at once`,
    value: of(now, name, perSecond),
    unit: '/s',
    note: `p50 ${of(now, name, p50).toFixed(1)} ms, p99 ${of(now, name, p99).toFixed(1)} ms, CPU ${of(now, name, ({ cpuMicros }) => cpuMicros).toFixed(0)} µs`,
  });
}
const ratio = (name: string): number => of(now, 'headgate', perSecond) / of(now, name, perSecond);
if (now.has('portkey')) {
  lines.push(
    held('throughput beside portkey', ratio('portkey'), '×', { atLeast: 2.5 }),
    held('p99 beside portkey', of(now, 'headgate', p99) / of(now, 'portkey', p99), '×', { atMost: 1 }),
  );
} else
  lines.push({
    what: 'portkey',
    value: Number.NaN,
    unit: '×',
    note: 'not measured: npm could not install it',
  });
lines.push(held('throughput beside bare yoga', ratio('bare yoga'), '×', { atLeast: 0.6 }), {
  what: 'throughput beside raw proxy',
  value: ratio('raw proxy'),
  unit: '×',
});
for (const name of slow.keys()) {
  lines.push({
    what: `${name}: 256 in flight, upstream at 300 ms ± 100: p50`,
    value: of(slow, name, p50),
    unit: 'ms',
    note: `p99 ${of(slow, name, p99).toFixed(1)} ms, CPU ${of(slow, name, ({ cpuMicros }) => cpuMicros).toFixed(0)} µs`,
  });
}
give('graphql', size, lines);
