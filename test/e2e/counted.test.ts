// What is counted of calls over a restart: a call that nobody billed is none, and what was learnt of a model is not learnt again.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';
import type { Script } from '../support/scripted-provider.ts';
import { temporaryFolder } from '../cli/support.ts';

function project(...budgets: readonly string[]): string {
  return `headgate: 1
providers:
  paid: { adapter: openai, baseUrl: "http://127.0.0.1:9/v1" }
models:
  paid/gpt-5: { context: 8k, price: { input: $1, output: $10 } }
policies:
  default: { retry: { attempts: 0 }, circuitBreaker: { threshold: 100%, minimumCalls: 1000 } }
routes:
  main: [{ from: [paid/gpt-5] }]
budgets:
${budgets.map((line) => `  ${line}\n`).join('')}`;
}

const TASK = `task: ask
input: { text: string }
allowance: { attempts: 1 }
steps:
  answer: { route: main, prompt: "\${{ input.text }}", maxOutputTokens: 100 }
`;

async function open(workflows: string, dataDirectory: string, script: Script): Promise<App> {
  return openApp({
    workflows,
    dataDirectory,
    env: {},
    wrapProviders: () => scriptedProviders(systemClock, script),
  });
}

const ask = (app: App, text: string) =>
  app.engine.run({ task: 'ask', input: { text }, caller: LOCAL_CALLER });

const used = (app: App, budgetId: string) => {
  const [view] = app.budgets.views({ budgetId });
  return { spent: view?.spent, held: view?.held, calls: view?.calls };
};

it('INV-2: a call that surely was not billed is no call: three refused keys use up nothing of three calls a day, not after a restart, and not in a budget that is new', async () => {
  const workflows = temporaryFolder({
    'headgate.yaml': project('few: { limit: 3 calls, per: day }'),
    'ask.yaml': TASK,
  });
  const dataDirectory = join(temporaryFolder(), 'data');
  const refused: Script = () => ({ fail: 'authentication', billed: 'no' });
  const first = await open(workflows, dataDirectory, refused);
  for (let number = 0; number < 3; number += 1) await ask(first, `refused ${number}`);
  expect(used(first, 'few')).toEqual({ spent: 0n, held: 0n, calls: 0 });
  await first.close();

  // Its budgets start from the ledger; one with a new name from the roll-ups.
  writeFileSync(
    join(workflows, 'headgate.yaml'),
    project('few: { limit: 3 calls, per: day }', 'more: { limit: 3 calls, per: month }'),
  );
  const second = await open(workflows, dataDirectory, () => ({ text: 'It is.' }));
  expect(used(second, 'few')).toEqual({ spent: 0n, held: 0n, calls: 0 });
  expect(used(second, 'more')).toEqual({ spent: 0n, held: 0n, calls: 0 });
  for (let number = 0; number < 3; number += 1)
    expect(await ask(second, `answered ${number}`)).toMatchObject({ kind: 'run' });
  expect(await ask(second, 'one too many')).toMatchObject({ kind: 'budget_exceeded' });
  await second.close();

  writeFileSync(
    join(workflows, 'headgate.yaml'),
    project('few: { limit: 3 calls, per: day }', 'other: { limit: 9 calls, per: month }'),
  );
  const third = await open(workflows, dataDirectory, refused);
  expect(used(third, 'other')).toEqual({ spent: 3n, held: 0n, calls: 3 });
  expect(await third.ledger.verify()).toMatchObject({ ok: true });
  await third.close();
});

it('INV-2: what was learnt of how a model counts is known after a restart on the same database', async () => {
  const workflows = temporaryFolder({
    'headgate.yaml': project('cap: { limit: $1, per: day }'),
    'ask.yaml': TASK,
  });
  const dataDirectory = join(temporaryFolder(), 'data');
  const holds: bigint[] = [];
  const watched = (app: App): void => {
    app.ledger.onWritten((rows) => {
      for (const row of rows) if (row.kind === 'attempt_opened') holds.push(row.attempt.heldNanoUsd);
    });
  };
  const more: Script = () => ({ text: 'It is.', usage: { inputTokens: 90, outputTokens: 100 } });
  const app = await open(workflows, dataDirectory, more);
  watched(app);
  for (let number = 0; number < 20; number += 1) await ask(app, 'the same text');
  const before = holds.at(-1);
  await app.close();

  const again = await open(workflows, dataDirectory, more);
  watched(again);
  await ask(again, 'the same text');
  // 90 tokens of input at a dollar a million and 100 of output at ten are the bill: held before the first call of the new process.
  expect(holds.at(-1)).toBe(before);
  expect(holds.at(-1)).toBeGreaterThanOrEqual(90n * 1_000n + 100n * 10_000n);
  expect(holds[0]).not.toBe(before);
  await again.close();

  // Of a database that never saw the model nothing is known.
  rmSync(dataDirectory, { recursive: true });
  const fresh = await open(workflows, dataDirectory, more);
  watched(fresh);
  await ask(fresh, 'the same text');
  expect(holds.at(-1)).toBe(holds[0]);
  await fresh.close();
});
