// The way of one run: our functions and files that a warm runTask goes through, and the stack when its request reaches the socket.
//
//   node bench/run-way.ts [--list]
//
// The stack is V8's own, at the moment when the request is given to the HTTP client: up to there a run without a cache or a key is one call.
// Functions and files are counted by V8's precise coverage of one run, from the request to its answer, in this thread.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openApp } from '../src/app.ts';
import { serveApp } from '../src/serve.ts';
import { ENV, inputText, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const WARM_RUNS = 20;
const SOURCE = `${pathToFileURL(join(import.meta.dirname, '../src')).href}/`;
const list = process.argv.includes('--list');

const answer = JSON.stringify({
  id: 'chatcmpl-way',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'bench-model',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Nine days.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 64, completion_tokens: 3, total_tokens: 67 },
});
const upstream = createServer((request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
});
await new Promise<void>((resolve) => {
  upstream.listen(0, '127.0.0.1', resolve);
});
const { port } = upstream.address() as AddressInfo;

const app = await openApp({
  workflows: writeWorkflows(`http://127.0.0.1:${port}`, 'now'),
  dataDirectory: temporaryFolder(),
  env: ENV,
  synchronous: 'normal',
});
const server = await serveApp(app, { port: 0, watch: false });

async function run(index: number): Promise<void> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query:
        'mutation ($text: String!) { runTask(task: { answer: { text: $text } }) { __typename ... on Run { id status cost } } }',
      variables: { text: inputText(index) },
    }),
  });
  const text = await response.text();
  if (!text.includes('"SUCCEEDED"') && !text.includes('"succeeded"')) throw new Error(text);
}

for (let index = 0; index < WARM_RUNS; index += 1) await run(index);

interface Frame {
  /** Relative to src/. */
  readonly file: string;
  readonly name: string;
}

/** Frames of ours, innermost first, without the one that asks. */
function framesOf(error: Error): readonly Frame[] {
  return (error.stack ?? '').split('\n').flatMap((line) => {
    const found = /^ {4}at (?:async )?(?:(?<name>.*) \()?(?<url>file:.*?):\d+:\d+\)?$/.exec(line)?.groups;
    if (found?.['url']?.startsWith(SOURCE) !== true) return [];
    return [{ file: found['url'].slice(SOURCE.length), name: found['name'] ?? '(anonymous)' }];
  });
}

/** From the resolver's call to the HTTP client, outermost first. */
async function way(): Promise<readonly Frame[]> {
  const limit = Error.stackTraceLimit;
  let stack: readonly Frame[] = [];
  const onRequest = (): void => {
    const frames = framesOf(new Error('the HTTP client has a request'));
    if (frames.length > 0) stack = frames;
  };
  Error.stackTraceLimit = 1_000;
  subscribe('undici:request:create', onRequest);
  await run(WARM_RUNS);
  unsubscribe('undici:request:create', onRequest);
  Error.stackTraceLimit = limit;
  const resolver = stack.findIndex(({ file }) => file.startsWith('server/'));
  if (resolver === -1) throw new Error('the stack does not reach the resolver');
  return stack.slice(0, resolver + 1).toReversed();
}

async function covered(): Promise<ReadonlyMap<string, readonly string[]>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await run(WARM_RUNS + 1);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const files = new Map<string, string[]>();
  for (const { url, functions } of result) {
    if (!url.startsWith(SOURCE)) continue;
    const called = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0);
    if (called.length > 0)
      files.set(
        url.slice(SOURCE.length),
        called.map(({ functionName }) => functionName || '(anonymous)'),
      );
  }
  return files;
}

const frames = await way();
const files = await covered();
console.log(
  `${frames.length} frames in ${new Set(frames.map(({ file }) => file)).size} files, from the resolver to the socket:`,
);
for (const { file, name } of frames) console.log(`  ${name}  ${file}`);
console.log(
  `${[...files.values()].flat().length} functions in ${files.size} files, from the request to its answer${list ? ':' : ''}`,
);
if (list) for (const [file, functions] of files) console.log(`  ${file}: ${functions.join(', ')}`);
await server.close(0);
await app.close(0);
upstream.close();
upstream.closeAllConnections();
