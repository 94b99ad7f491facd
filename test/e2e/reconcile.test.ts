// A call whose process died: held at its worst case after the restart, until it is decided, by a person or by its lease.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/execution/local-caller.ts';
import type { Provider } from '../../src/providers/port.ts';
import { temporaryFolder } from '../cli/support.ts';

const workflows = temporaryFolder({
  'headgate.yaml': `headgate: 1
providers:
  paid: { adapter: openai, baseUrl: "http://127.0.0.1:9/v1" }
models:
  paid/model: { context: 8k, price: { input: $1, output: $10 } }
routes:
  main: [{ from: [paid/model] }]
budgets:
  company: { limit: $1, per: month }
`,
  'ask.yaml': `task: ask
input: { text: string }
steps:
  answer: { route: main, prompt: "\${{ input.text }}", maxOutputTokens: 1000 }
`,
});

/** Answers nothing until the run is stopped: as a provider does when the process is killed meanwhile. */
const silent: Provider = {
  name: 'paid',
  unavailable: () => undefined,
  call: () => new Promise(() => undefined),
  close: () => Promise.resolve(),
};

function open(dataDirectory: string, clock = systemClock): Promise<App> {
  return openApp({
    workflows,
    dataDirectory,
    env: {},
    clock,
    wrapProviders: (registry) => ({ ...registry, get: () => silent, retain: () => Promise.resolve() }),
  });
}

const account = (app: App) => {
  const [view] = app.budgets.views({ budgetId: 'company' });
  return { spent: view?.spent, held: view?.held };
};

/** Leaves one attempt open in the ledger, as a killed process does: the ledger is closed under the run. */
async function diedDuringCall(): Promise<string> {
  const dataDirectory = join(temporaryFolder(), 'data');
  const app = await open(dataDirectory);
  const opened = new Promise<void>((resolve) => {
    app.ledger.onCommit((rows) => {
      if (rows.some(({ kind }) => kind === 'attempt_opened')) resolve();
    });
  });
  void app.engine.run({ task: 'ask', input: { text: 'hello' }, caller: LOCAL_CALLER }).catch(() => undefined);
  await opened;
  await app.ledger.close();
  return dataDirectory;
}

describe('an attempt of unknown outcome', () => {
  it('INV-3: is held at its worst case after the restart, and confirmed by a person for what it cost', async () => {
    const app = await open(await diedDuringCall());
    const [attempt] = await app.ledger.unreconciled();
    expect(account(app)).toEqual({ spent: 0n, held: attempt?.heldNanoUsd });
    await app.ledger.reconcile(attempt?.id ?? '', { kind: 'confirm', costNanoUsd: 3_000_000n });
    expect(account(app)).toEqual({ spent: 3_000_000n, held: 0n });
    expect(await app.ledger.verify()).toMatchObject({ ok: true });
    await app.close();
  });

  it('INV-2: gives back everything when a person releases it', async () => {
    const app = await open(await diedDuringCall());
    const [attempt] = await app.ledger.unreconciled();
    await app.ledger.reconcile(attempt?.id ?? '', { kind: 'release' });
    expect(account(app)).toEqual({ spent: 0n, held: 0n });
    await app.close();
  });

  it('INV-3: is confirmed at its worst case when its lease is over', async () => {
    const app = await open(await diedDuringCall());
    const [attempt] = await app.ledger.unreconciled();
    await app.ledger.prune(systemClock.nowMs() + 2 * 86_400_000);
    expect(account(app)).toEqual({ spent: attempt?.heldNanoUsd, held: 0n });
    await app.close();
  });
});
