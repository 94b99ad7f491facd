// What survives a swap: circuits, counters and holds are kept by name, and a new name begins afresh.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openApp } from '../../src/app.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { committed, handSource } from './support.ts';

const workflows = (
  baseUrl: string,
  names: { readonly provider: string; readonly budget: string },
  prompt: string,
) => [
  {
    path: 'workflows/headgate.yaml',
    text: `headgate: 1
providers:
  ${names.provider}: { adapter: openai, baseUrl: ${baseUrl}, policy: strict, price: { input: $1, output: $1 } }
models: { ${names.provider}/m1: { context: 32k } }
policies:
  strict: { retry: { attempts: 0 }, circuitBreaker: { failures: 2, halfOpenAfter: 1h } }
routes: { default: [{ from: [${names.provider}/m1] }] }
budgets: { ${names.budget}: { limit: $10, per: month } }
`,
  },
  {
    path: 'workflows/ask.yaml',
    text: `task: ask\ninput: { text: string }\nsteps:\n  answer: { prompt: '${prompt} \${{ input.text }}' }\n`,
  },
];

it('INV-7: an open circuit, what was spent and what is held survive a swap; a renamed provider begins afresh and says so', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'headgate-carry-'));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      if (body.includes('fail')) return void response.writeHead(500).end('{"error":{"message":"no"}}');
      waiting.push(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 0,
            model: 'm1',
            choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 },
          }),
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

  const old = { provider: 'gpu', budget: 'team' };
  const source = handSource(committed(workflows(baseUrl, old, 'One'), 'first'));
  const app = await openApp({ workflows: source, dataDirectory, env: {}, synchronous: 'normal' });
  onTestFinished(() => app.close());
  const ask = (text: string) => app.engine.run({ task: 'ask', input: { text }, caller: LOCAL_CALLER });
  const circuitOf = (key: string): string => {
    const model = app.revisions.active().plan.models[key];
    return model === undefined ? 'none' : app.policies.get(key, model.policy).circuit().state;
  };
  const swap = async (names: typeof old, prompt: string): Promise<void> => {
    source.content = committed(workflows(baseUrl, names, prompt), prompt);
    expect(await app.revisions.reload()).toMatchObject({ kind: 'activated' });
  };

  // A call is under way during the swap: its hold stays where it is, and is settled there.
  const answer = ask('slow');
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { held } = app.budgets.views()[0] ?? {};
  expect(held).toBeGreaterThan(0n);
  await swap(old, 'Two');
  expect(app.budgets.views()).toMatchObject([{ held, spent: 0n }]);
  waiting.shift()?.();
  const finished = await answer;
  const spent = finished.kind === 'run' ? finished.snapshot.run.costNanoUsd : 0n;
  expect(spent).toBeGreaterThan(0n);
  expect(app.budgets.views()).toMatchObject([{ held: 0n, spent }]);

  await ask('fail 1');
  await ask('fail 2');
  expect(circuitOf('gpu/m1')).toBe('open');
  await swap(old, 'Three');
  expect(circuitOf('gpu/m1')).toBe('open');
  expect((await ask('refused')).kind).toBe('no_provider_available');
  expect(app.budgets.views()).toMatchObject([{ budget: { id: 'team' }, spent }]);

  await swap({ provider: 'card', budget: 'crew' }, 'Four');
  expect(circuitOf('card/m1')).toBe('closed');
  // A budget under another name counts what was spent before under its terms.
  expect(app.budgets.views()).toMatchObject([{ budget: { id: 'crew' }, spent }]);
  const alerts = async (): Promise<readonly string[]> =>
    (await app.ledger.alerts({ limit: 20 })).rows
      .filter(({ kind }) => kind === 'revision_renamed')
      .map(({ scope }) => scope);
  while ((await alerts()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await alerts()).toEqual(['provider:card']);
});
