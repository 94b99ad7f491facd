// A kill -9 between an alert and its delivery: the next process delivers it, with the id that the first had given it.
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { serve, type Served } from '../support/served.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-alert-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Heard {
  readonly id: string;
  readonly kinds: readonly string[];
}

it('INV-3: an alert whose delivery a kill -9 cut off is delivered by the next process, as the same message', async () => {
  const heard: Heard[] = [];
  let isDeaf = true;
  const hanging: ServerResponse[] = [];
  const sink = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: { kind: string }[] };
      heard.push({ id: String(request.headers['webhook-id']), kinds: alerts.map(({ kind }) => kind) });
      // It has the message, and has not said so.
      if (isDeaf) hanging.push(response);
      else response.end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => sink.once('listening', resolve));
  const { port } = sink.address() as AddressInfo;
  writeFileSync(
    join(folder, 'headgate.yaml'),
    'headgate: 1\nproviders:\n  builtin: { adapter: builtin }\nalerts:\n  ops: { webhook: "${{ secrets.HOOK_URL }}", kinds: [pause] }\n',
  );
  writeFileSync(
    join(folder, 'shorten.yaml'),
    'task: shorten\ninput: { text: string }\nsteps:\n  short: { route: [{ from: [builtin/extract] }], prompt: "${{ input.text }}" }\n',
  );
  const start = (): Promise<Served> =>
    serve({
      flags: ['--workflows', folder, '--no-watch'],
      env: { HOOK_URL: `http://127.0.0.1:${port}/` },
      dataDirectory: join(folder, 'data'),
    });
  const first = await start();
  const query = 'mutation { pauseSpending(scope: { all: true }, reason: "the bill") { scope } }';
  await fetch(`${first.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(1);
  await first.kill();
  isDeaf = false;
  const second = await start();
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(2);
  expect(heard[0]?.kinds).toEqual(['paused']);
  expect(heard[1]).toEqual(heard[0]);
  expect(await second.stop()).toBe(0);
  // It is delivered: a third process has nothing to say.
  const third = await start();
  expect(await third.stop()).toBe(0);
  expect(heard).toHaveLength(2);
  for (const response of hanging) response.destroy();
  sink.close();
}, 60_000);
