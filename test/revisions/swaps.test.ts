// Two hundred swaps under load: every run on exactly one revision, and no request failed.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openApp } from '../../src/app.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import type { RunSnapshot } from '../../src/engine/execution/port.ts';
import { committed, handSource } from './support.ts';

const SWAPS = 200;
/** Requests that are under way at any time. */
const LOAD = 12;

let upstream: Server;
let baseUrl = '';
const folder = mkdtempSync(join(tmpdir(), 'headgate-swaps-'));

/** Answers with the number that the request's header has, a moment later: so a swap falls into most calls. */
beforeAll(async () => {
  upstream = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      setTimeout(() => {
        const message = { role: 'assistant', content: String(request.headers['x-revision']) };
        response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 0,
            model: 'm1',
            choices: [{ index: 0, message, finish_reason: 'stop' }],
            usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
          }),
        );
      }, 3);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  upstream.closeAllConnections();
  await new Promise<void>((resolve) => upstream.close(() => resolve()));
  rmSync(folder, { recursive: true, force: true });
});

/** The number stands in a provider's header, in a prompt, and in the output: a run that mixes two revisions shows it. */
const workflows = (number: number) => [
  {
    path: 'workflows/headgate.yaml',
    text: `headgate: 1
providers:
  local:
    adapter: openai
    baseUrl: ${baseUrl}
    headers: { x-revision: "${number}" }
    price: { input: $1, output: $1 }
models: { local/m1: { context: 32k } }
routes: { default: [{ from: [local/m1] }] }
budgets: { all: { limit: $${100 + (number % 3)}, per: day } }
`,
  },
  {
    path: 'workflows/count.yaml',
    text: `task: count
input: { text: string }
steps:
  first: { prompt: 'One \${{ input.text }}', maxOutputTokens: 8 }
  second: { prompt: 'Two \${{ steps.first.text }}', maxOutputTokens: 8 }
output: { first: '\${{ steps.first.text }}', second: '\${{ steps.second.text }}', plan: '${number}' }
`,
  },
];

it('INV-7: swaps 200 times under load without a failed request or a run on two revisions', async () => {
  const source = handSource(committed(workflows(0), 'r0'));
  const app = await openApp({ workflows: source, dataDirectory: folder, env: {}, synchronous: 'normal' });
  const numbers = new Map([[app.revisions.active().plan.hash, '0']]);
  const snapshots: RunSnapshot[] = [];
  const load = { swapping: true };
  let answered = Promise.withResolvers<void>();
  const caller = async (name: number): Promise<void> => {
    for (let count = 0; load.swapping; count += 1) {
      const result = await app.engine.run({
        task: 'count',
        input: { text: `${name}-${count}` },
        caller: LOCAL_CALLER,
      });
      expect(result.kind).toBe('run');
      if (result.kind === 'run') snapshots.push(result.snapshot);
      answered.resolve();
      answered = Promise.withResolvers();
    }
  };
  const callers = Array.from({ length: LOAD }, (_, name) => caller(name));
  for (let number = 1; number <= SWAPS; number += 1) {
    source.content = committed(workflows(number), `r${number}`);
    expect(await app.revisions.reload()).toMatchObject({ kind: 'activated' });
    numbers.set(app.revisions.active().plan.hash, String(number));
    // Swaps one after the other leave the runs little of the thread: some end under each tenth revision.
    if (number % 10 === 0) await answered.promise;
  }
  load.swapping = false;
  await Promise.all(callers);

  expect(numbers.size).toBe(SWAPS + 1);
  expect(snapshots.length).toBeGreaterThan(LOAD);
  for (const { run, steps, attempts } of snapshots) {
    const number = numbers.get(run.revision);
    expect(run).toMatchObject({
      status: 'succeeded',
      output: { first: number, second: number, plan: number },
    });
    expect(attempts.map(({ revision }) => revision)).toEqual(attempts.map(() => run.revision));
    expect(steps).toHaveLength(2);
  }
  expect(new Set(snapshots.map(({ run }) => run.revision)).size).toBeGreaterThan(10);

  // What was spent is in one account, whatever revision spent it; nothing is held any more.
  const spent = snapshots.reduce((sum, { run }) => sum + run.costNanoUsd, 0n);
  const [budget] = app.budgets.views();
  expect(budget).toMatchObject({ spent, held: 0n });
  // One row is in force, and the rows' times follow each other without a gap.
  const { rows } = await app.ledger.revisions({ limit: SWAPS + 1 });
  expect(rows.filter(({ activeToMs }) => activeToMs === null)).toHaveLength(1);
  for (const [index, row] of rows.entries())
    if (index > 0) expect(row.activeToMs).toBe(rows[index - 1]?.activeFromMs);
  await app.close();
});
