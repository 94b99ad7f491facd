// How long runs of the shipped workflows take where the local model accepts and never answers, in ms, one line a run. Fails where a silent candidate is not left within 10 s,
// or where its circuit is not open after two such attempts, so that later runs take 3 s or more.
//
//   node scripts/node.mjs scripts/silent-model.ts
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LEFT_WITHIN_MS = 10_000;
const OPEN_WITHIN_MS = 3_000;
const MAIL =
  'From: Ada <ada@example.com>\nTo: ben@example.com\nSubject: Thursday\n\nCan you send me the plan by Thursday?';
const ANSWER = {
  intent: 'request',
  summary: 'Ada asks for the plan by Thursday.',
  actions: [{ what: 'send the plan' }],
};

async function listening(
  handler: RequestListener,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const silent = await listening(() => undefined);
const hosted = await listening((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    const content = [{ type: 'output_text', text: JSON.stringify(ANSWER), annotations: [] }];
    response.end(
      JSON.stringify({
        id: 'r',
        object: 'response',
        model: 'gpt-5.6-luna',
        status: 'completed',
        output: [{ type: 'message', role: 'assistant', content }],
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: JSON.stringify(ANSWER) },
            finish_reason: 'stop',
          },
        ],
        usage: {
          input_tokens: 120,
          output_tokens: 30,
          prompt_tokens: 120,
          completion_tokens: 30,
          total_tokens: 150,
        },
      }),
    );
  });
});

const data = mkdtempSync(join(tmpdir(), 'headgate-silent-'));
const child = spawn(
  process.execPath,
  [join(import.meta.dirname, '../src/cli/main.ts'), 'serve', '--port', '0'],
  {
    env: {
      ...process.env,
      HEADGATE_DATA: data,
      OLLAMA_BASE_URL: silent.url,
      OPENAI_BASE_URL: hosted.url,
      OPENAI_API_KEY: 'none',
      ANTHROPIC_API_KEY: undefined,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const url = await new Promise<string>((resolve) => {
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
    if (found) resolve(found[0]);
  });
});

const QUERY =
  'mutation ($raw: String!) { runTask(task: { emailParse: { raw: $raw } }, options: { noCache: true }) { __typename ... on Run { status attempts { provider { name } errorClass latencyMs } } ... on Refusal { message } } }';
let isWrong = false;
try {
  for (let run = 1; run <= 6; run += 1) {
    const startMs = performance.now();
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { raw: `${MAIL} (${run})` } }),
    });
    const text = await response.text();
    const tookMs = Math.round(performance.now() - startMs);
    const most = run <= 2 ? LEFT_WITHIN_MS : OPEN_WITHIN_MS;
    const isRight = tookMs < most && text.includes('"status":"SUCCEEDED"');
    isWrong ||= !isRight;
    console.log(
      `${isRight ? 'ok  ' : 'FAIL'} run ${run}: ${tookMs} ms, at most ${most}  ${text.slice(0, 300)}`,
    );
  }
} finally {
  child.kill();
  await once(child, 'exit');
  for (const { server } of [silent, hosted]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(data, { recursive: true, force: true });
}
process.exitCode = isWrong ? 1 : 0;
