// The provider's call in its variants: the SDK on its own fetch, the SDK on undici.request, our adapter, and undici.request alone.
//
//   node bench/sdk.ts [tiny|usual|full]
import OpenAI from 'openai';
import { request } from 'undici';
import { openApp } from '../src/app.ts';
import { createUndiciFetch } from './support/sdk-fetch.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import { askedSize, give, median, sized } from './support/report.ts';
import { ENV, inputText, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const IN_FLIGHT = 32;
const size = askedSize();
const calls = sized(size, { tiny: 16, usual: 5_000, full: 20_000 });
const rounds = sized(size, { tiny: 1, usual: 7, full: 11 });

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const baseURL = `${upstream.url}/now/v1`;
const pool = createUndiciFetch();
const own = new OpenAI({ apiKey: 'sk-bench', baseURL, maxRetries: 0 });
const onUndici = new OpenAI({ apiKey: 'sk-bench', baseURL, maxRetries: 0, fetch: pool.fetch });

// The adapter as the engine gets it, from a plan.
const app = await openApp({
  workflows: writeWorkflows(upstream.url, 'now'),
  dataDirectory: temporaryFolder(),
  env: ENV,
});
const { plan } = app.revisions.active();
const provider = app.providers.get(plan, 'north');

const body = (index: number) => ({
  model: 'bench-model',
  max_tokens: 200,
  messages: [
    { role: 'system' as const, content: 'You answer questions. Use only what the text says.' },
    { role: 'user' as const, content: `Answer in two sentences.\n<text>\n${inputText(index)}\n</text>` },
  ],
});

const kinds = {
  'SDK, its own fetch': (index: number) => own.chat.completions.create(body(index)),
  'SDK on undici.request': (index: number) => onUndici.chat.completions.create(body(index)),
  'our adapter': async (index: number) => {
    const outcome = await provider.call(
      {
        model: 'bench-model',
        system: 'You answer questions. Use only what the text says.',
        prompt: `Answer in two sentences.\n<text>\n${inputText(index)}\n</text>`,
        maxOutputTokens: 200,
        temperature: null,
        structured: null,
        stream: false,
      },
      { signal: new AbortController().signal, onText: null, onProgress: null },
    );
    if (!outcome.ok) throw new Error(outcome.error.message);
  },
  'undici.request alone': async (index: number) => {
    const answer = await request(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
      body: JSON.stringify(body(index)),
    });
    await answer.body.json();
  },
};
type Kind = keyof typeof kinds;

let next = 0;
async function cpuMicros(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  let left = count;
  const before = process.threadCpuUsage();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        left -= 1;
        await work((next += 1));
      }
    }),
  );
  const used = process.threadCpuUsage(before);
  return (used.user + used.system) / count;
}

const costs = new Map((Object.keys(kinds) as Kind[]).map((kind) => [kind, [] as number[]]));
for (let round = 0; round <= rounds; round += 1) {
  for (const [kind, measured] of costs) {
    const cost = await cpuMicros(calls, kinds[kind]);
    if (round > 0) measured.push(cost);
  }
}
await app.close();
await pool.close();
await upstream.stop();

const base = median(costs.get('SDK, its own fetch') ?? []);
give(
  'sdk',
  size,
  [...costs].map(([kind, measured]) => ({
    what: `${kind}: CPU a call`,
    value: median(measured),
    unit: 'µs',
    note: `${(median(measured) / base).toFixed(2)} × the SDK on its own fetch`,
  })),
);
