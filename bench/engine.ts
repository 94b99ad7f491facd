// What a run costs beyond the provider: engine.run with everything on, beside the bare SDK call and cockatiel alone, in CPU time.
//
//   node bench/engine.ts [tiny|usual|full]
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import OpenAI from 'openai';
import { openApp } from '../src/app.ts';
import { LOCAL_CALLER } from '../src/engine/execution/local-caller.ts';
import { createUndiciFetch } from './support/sdk-fetch.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import { ENV, inputText, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const IN_FLIGHT = 32;
const size = askedSize();
const runs = sized(size, { tiny: 16, usual: 6_000, full: 20_000 });
const rounds = sized(size, { tiny: 1, usual: 7, full: 11 });

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const baseURL = `${upstream.url}/now/v1`;

const pool = createUndiciFetch();
const client = new OpenAI({ apiKey: 'sk-bench', baseURL, maxRetries: 0, fetch: pool.fetch });
const ask = (index: number, signal?: AbortSignal) =>
  client.chat.completions.create(
    {
      model: 'bench-model',
      max_tokens: 200,
      messages: [
        { role: 'system', content: 'You answer questions. Use only what the text says.' },
        {
          role: 'user',
          content: `Answer in two sentences. Look for facts.\n<text>\n${inputText(index)}\n</text>\n`,
        },
      ],
    },
    signal === undefined ? {} : { signal },
  );

const guarded = wrap(
  retry(handleAll, { maxAttempts: 2 }),
  circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
  bulkhead(1_000, 1_000),
  timeout(30_000, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false }),
);

async function openEngine(synchronous: 'full' | 'normal') {
  const app = await openApp({
    workflows: writeWorkflows(upstream.url, 'now'),
    dataDirectory: temporaryFolder(),
    env: ENV,
    synchronous,
  });
  const caller = { ...LOCAL_CALLER, team: 'harbour' };
  return {
    app,
    run: async (index: number) => {
      const result = await app.engine.run({ task: 'answer', input: { text: inputText(index) }, caller });
      if (result.kind !== 'run' || result.snapshot.run.status !== 'succeeded')
        throw new Error(`the run did not succeed: ${result.kind}`);
    },
  };
}

const { app, run } = await openEngine('full');

interface Cost {
  readonly processMicros: number;
  readonly threadMicros: number;
  readonly perSecond: number;
}

let next = 0;
async function measure(count: number, work: (index: number) => Promise<unknown>): Promise<Cost> {
  let left = count;
  const whole = process.cpuUsage();
  const thread = process.threadCpuUsage();
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        left -= 1;
        await work((next += 1));
      }
    }),
  );
  const tookMs = performance.now() - startedMs;
  const usedWhole = process.cpuUsage(whole);
  const usedThread = process.threadCpuUsage(thread);
  return {
    processMicros: (usedWhole.user + usedWhole.system) / count,
    threadMicros: (usedThread.user + usedThread.system) / count,
    perSecond: count / (tookMs / 1000),
  };
}

const kinds = {
  bare: (index: number) => ask(index),
  cockatiel: (index: number) => guarded.execute(({ signal }) => ask(index, signal)),
  engine: run,
};
type Kind = keyof typeof kinds;
const costs: { readonly [kind in Kind]: Cost[] } = { bare: [], cockatiel: [], engine: [] };
// The first round warms up and does not count; in each round the three take turns, so that what disturbs one disturbs all.
for (let round = 0; round <= rounds; round += 1) {
  for (const kind of Object.keys(kinds) as Kind[]) {
    const cost = await measure(runs, kinds[kind]);
    if (round > 0) costs[kind].push(cost);
  }
}
const of = (kind: Kind, which: keyof Cost): number => median(costs[kind].map((cost) => cost[which]));
const added = (which: 'processMicros' | 'threadMicros', kind: Kind): number =>
  median(costs[kind].map((cost, round) => cost[which] - (costs.bare[round]?.[which] ?? 0)));

await app.close();
await pool.close();
await upstream.stop();

give('engine', size, [
  { what: 'SDK call, bare: CPU', value: of('bare', 'processMicros'), unit: 'µs' },
  { what: 'SDK call with cockatiel alone: CPU', value: of('cockatiel', 'processMicros'), unit: 'µs' },
  { what: 'engine.run, everything on: CPU of all threads', value: of('engine', 'processMicros'), unit: 'µs' },
  { what: 'engine.run: CPU of its own thread', value: of('engine', 'threadMicros'), unit: 'µs' },
  held(
    'added by engine.run, all threads',
    added('processMicros', 'engine'),
    'µs',
    { atMost: 60 },
    'with the writing of the ledger',
  ),
  held('added by engine.run, its own thread', added('threadMicros', 'engine'), 'µs', { atMost: 60 }),
  { what: 'added by cockatiel', value: added('processMicros', 'cockatiel'), unit: 'µs' },
  {
    what: 'engine.run beside the bare call',
    value: of('engine', 'processMicros') / of('bare', 'processMicros'),
    unit: '×',
  },
  { what: 'runs a second', value: of('engine', 'perSecond'), unit: '/s' },
]);
