// The longest time in which /health/live gave no answer while hostile and large texts are read, in ms, one line a text: through parse steps, as bodies and documents of GraphQL,
// and at the doors. Serves the product for it. Fails above the limit, and where a request is not answered.
//
//   node scripts/node.mjs scripts/longest-gap.ts [LIMIT-MS]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const limitMs = Number(process.argv[2] ?? 250);
const FORMATS = ['email', 'diff', 'csv', 'json'] as const;
type Format = (typeof FORMATS)[number];

const columns = (count: number): string => Array.from({ length: count }, (_, index) => `c${index}`).join(',');
const mail = (headers: string, body = 'b'): string => `From: a@example.com\n${headers}\n\n${body}`;
const keys = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`;

const TEXTS: readonly (readonly [format: Format, what: string, text: string])[] = [
  ['csv', '2,500 columns and short rows', `${columns(2_500)}\n${'a\n'.repeat(2_500)}`],
  ['csv', '100,000 columns', `${columns(100_000)}\n1\n`],
  ['csv', '10,000 rows', `id,name,note\n${'1,"some, name",note\n'.repeat(10_000)}`],
  ['csv', 'quotes, 1 MB', `a,b\n${'"'.repeat(1_000_000)}`],
  ['email', '100,000 fields', mail(Array.from({ length: 100_000 }, (_, at) => `X-${at}: a`).join('\n'))],
  ['email', 'brackets in a date', mail(`Date: ${'('.repeat(60_000)}`)],
  ['email', 'brackets for an address', mail(`To: ${'<'.repeat(300_000)}`)],
  ['email', 'encoded words', mail(`Subject: ${'=?utf-8?Q?=C3'.repeat(50_000)}`)],
  ['email', 'nested HTML', mail('Content-Type: text/html', '<div>'.repeat(400_000))],
  ['email', 'boundaries', mail('Content-Type: multipart/mixed; boundary=a', '--a\n'.repeat(200_000))],
  ['email', '3 MB of words', mail('Subject: long', 'some words of a letter\n'.repeat(140_000))],
  ['diff', 'a header line of 300 kB', `diff --git a${' a/'.repeat(100_000)}\n`],
  ['diff', '50,000 headers', 'diff --git a/x b/x\n'.repeat(50_000)],
  ['diff', 'colours', `\u001b[1mdiff --git a/x b/x\n${'\u001b['.repeat(500_000)}`],
  ['json', '600,000 objects', `[${'{},'.repeat(600_000)}{}]`],
  ['json', '20,000 levels', '['.repeat(20_000) + ']'.repeat(20_000)],
  ['json', '190,000 values', `[${'1,'.repeat(190_000)}1]`],
  ['json', 'a number of 3 million digits', `[${'9'.repeat(3_000_000)}]`],
];

/** Bodies as they are, by path. */
/** Tasks whose expressions and schemas look at what is sent in every way that could be more than linear. */
const TASKS: Record<string, string> = {
  unique: 'input: { list: { type: array, uniqueItems: true } }\noutput: "${{ input.list.size() }}"',
  pattern: `input: { text: { type: string, pattern: "(a|b)*a(a|b){300}c" } }\noutput: "\${{ input.text.size() }}"`,
  matches: `input: { text: string }\noutput: "\${{ input.text.matches('([a-z]{1,30}){1,30}[0-9]+$') }}"`,
  search: 'input: { text: string, part: string }\noutput: "${{ input.text.lastIndexOf(input.part) }}"',
  distinct: 'input: { list: [any] }\noutput: "${{ input.list.distinct().size() }}"',
  within: 'input: { list: [any] }\noutput: "${{ input.list.filter(x, x in input.list).size() }}"',
  chunks: 'input: { text: string }\nsteps: { c: { chunk: 10, overlap: 9, from: "${{ input.text }}" } }',
  redacted:
    'retain: { content: redacted }\ninput: { text: string }\nsteps: { c: { prompt: "${{ input.text }}" } }',
};
const objects = Array.from({ length: 12_000 }, (_, index) => ({ a: index }));
const RUNS: readonly (readonly [task: string, what: string, input: object])[] = [
  ['unique', '12,000 objects', { list: objects }],
  ['pattern', '100 kB', { text: 'ab'.repeat(50_000) }],
  ['matches', '100 kB', { text: 'abc'.repeat(33_000) }],
  [
    'search',
    'a part that nearly fits everywhere',
    { text: 'a'.repeat(66_000), part: `${'a'.repeat(33_000)}b` },
  ],
  ['distinct', '12,000 objects', { list: objects }],
  ['within', '12,000 objects', { list: objects }],
  ['chunks', 'one letter', { text: 'a'.repeat(100_000) }],
  ['chunks', 'spaces', { text: ' '.repeat(100_000) }],
  ['redacted', 'digits', { text: '1-'.repeat(50_000) }],
  ['redacted', 'addresses', { text: `${'a.b'.repeat(33_000)}@` }],
];

const BODIES: readonly (readonly [path: string, what: string, body: string])[] = [
  ['/graphql', '300,000 keys', `{"query":"{ viewer { name } }","variables":{"x":${keys(300_000)}}}`],
  [
    '/graphql',
    '5,000 levels',
    `{"query":"{ viewer { name } }","variables":{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
  ],
  [
    '/graphql',
    'a number of 3 million digits',
    `{"query":"{ viewer { name } }","variables":{"x":${'9'.repeat(3_000_000)}}}`,
  ],
  [
    '/graphql',
    '3.6 MB of quotation marks',
    `{"query":"{ viewer { name } }","variables":{"x":"${'\\"'.repeat(1_800_000)}"}}`,
  ],
  [
    '/graphql',
    '49 aliased schemas',
    JSON.stringify({
      query: `{ ${Array.from({ length: 49 }, (_, at) => `a${at}: __schema { types { name fields { name type { name } } } }`).join(' ')} }`,
    }),
  ],
  [
    '/graphql',
    '300 fragments of one field',
    JSON.stringify({
      query: `{ ${Array.from({ length: 300 }, (_, at) => `...f${at}`).join(' ')} } ${Array.from({ length: 300 }, (_, at) => `fragment f${at} on Query { viewer { name } }`).join(' ')}`,
    }),
  ],
  ['/graphql', 'a document of 1 MB', JSON.stringify({ query: `{ ${'a '.repeat(500_000)} }` })],
  ...['/v1/chat/completions', '/v1/messages', '/v1/responses'].flatMap((path) => {
    const asked = (content: string, more = ''): string =>
      `{"model":"gap","max_tokens":10,"input":${content},"messages":[{"role":"user","content":${content}}]${more}}`;
    return [
      [path, '300,000 keys', asked('"a"', `,"metadata":${keys(300_000)}`)],
      [path, '20,000 levels', asked('"a"', `,"metadata":${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
      [path, '600,000 objects', asked('"a"', `,"tools":[${'{},'.repeat(600_000)}{}]`)],
      [path, '3.6 MB of one letter', asked(`"${'a'.repeat(3_600_000)}"`)],
      [path, '3.6 MB of quotation marks', asked(`"${'\\"'.repeat(1_800_000)}"`)],
      [path, 'a number of 3 million digits', asked('"a"', `,"seed":${'9'.repeat(3_000_000)}`)],
    ] as const;
  }),
];

const upstream = createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    const message = { role: 'assistant', content: 'b' };
    response.end(
      JSON.stringify({
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1 },
      }),
    );
  });
}).listen(0, '127.0.0.1');
await once(upstream, 'listening');
const folder = mkdtempSync(join(tmpdir(), 'headgate-gap-'));
const workflows = join(folder, 'workflows');
mkdirSync(workflows);
writeFileSync(
  join(workflows, 'headgate.yaml'),
  `headgate: 1
providers:
  lab: { adapter: openai, api: chat, baseUrl: "http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1", price: free }
models: { lab/m: { context: 8M, maxOutputTokens: 2k } }
routes: { default: { from: [lab/m] } }
expose: { gap: { from: [lab/m], maxOutputTokens: 100 } }
`,
);
for (const format of FORMATS)
  writeFileSync(
    join(workflows, `p-${format}.yaml`),
    `task: p-${format}\ninput: { raw: string }\nsteps:\n  out: { parse: ${format}, from: "\${{ input.raw }}" }\n`,
  );

for (const [name, text] of Object.entries(TASKS)) {
  const steps = text.includes('steps:') ? '' : '\nsteps: { nothing: { parse: json, from: "1" } }';
  writeFileSync(join(workflows, `${name}.yaml`), `task: ${name}\n${text}${steps}\n`);
}

const child = spawn(
  process.execPath,
  [join(import.meta.dirname, '../src/cli/main.ts'), 'serve', '--port', '0', '--workflows', workflows],
  {
    env: { ...process.env, HEADGATE_DATA: join(folder, 'data'), HEADGATE_LOG: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const url = await new Promise<string>((resolve, reject) => {
  let printed = '';
  child.once('exit', () => reject(new Error(`the server ended: ${printed}`)));
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
    if (found) resolve(found[0]);
  });
});

async function gapDuring(work: Promise<unknown>): Promise<number> {
  const state = { isDone: false };
  void work.finally(() => (state.isDone = true));
  let longestMs = 0;
  while (!state.isDone) {
    const startMs = performance.now();
    await fetch(`${url}/health/live`).then((answer) => answer.text());
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  return longestMs;
}

async function post(path: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const answer = await fetch(url + path, { method: 'POST', headers, body });
  return `${answer.status} ${await answer.text()}`;
}

function parse(format: Format, raw: string): Promise<string> {
  const field = `p${format.charAt(0).toUpperCase()}${format.slice(1)}`;
  const query = `mutation R($raw: String!) { runTask(task: { ${field}: { raw: $raw } }, options: { noCache: true, deadlineMs: 5000 }) { __typename ... on Run { status error { message } } } }`;
  return post('/graphql', JSON.stringify({ query, variables: { raw } }));
}

function run(name: string, input: object): Promise<string> {
  const query =
    'mutation R($name: String!, $input: JSON!) { runTaskJson(name: $name, input: $input, options: { noCache: true }) { __typename ... on Run { status error { message } } } }';
  return post('/graphql', JSON.stringify({ query, variables: { name, input } }));
}

let isWrong = false;
async function measure(what: string, send: () => Promise<string>): Promise<void> {
  const asked = send().catch((error: unknown) => `no answer: ${String(error)}`);
  const gapMs = Math.round(await gapDuring(asked));
  const answer = await asked;
  isWrong ||= gapMs > limitMs || answer.startsWith('no answer');
  console.log(`${String(gapMs).padStart(6)} ms  ${what}  ${answer.slice(0, 120).replaceAll('\n', ' ')}`);
}

try {
  // What is loaded on need is loaded.
  for (const format of FORMATS) await parse(format, '[1]');
  await post('/v1/chat/completions', '{"model":"gap","messages":[{"role":"user","content":"a"}]}');
  for (const [format, what, text] of TEXTS) await measure(`${format}: ${what}`, () => parse(format, text));
  for (const [task, what, input] of RUNS) await measure(`${task}: ${what}`, () => run(task, input));
  for (const [path, what, body] of BODIES) await measure(`${path}: ${what}`, () => post(path, body));
} finally {
  child.removeAllListeners('exit');
  child.kill();
  await once(child, 'exit');
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isWrong ? 1 : 0;
