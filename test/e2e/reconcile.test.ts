// A call whose process died: held at its worst case after the restart, until it is decided, by a person or by its lease.
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { serveApp } from '../../src/serve.ts';
import { systemClock } from '../../src/common/clock.ts';
import { parseUsd } from '../../src/common/money.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import type { Provider } from '../../src/engine/providers/port.ts';
import { temporaryFolder } from '../cli/support.ts';
import { codeOf, post } from '../server/real.ts';

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
    app.ledger.onWritten((rows) => {
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

  it('INV-3: is told of in the log when the server starts, and decided beside it', async () => {
    const app = await open(await diedDuringCall());
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    const server = await serveApp(app, { port: 0, watch: false, log });
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        level: 40,
        alert: 'unreconciled',
        msg: expect.stringContaining('One attempt was under way when the last process ended') as string,
      }),
      expect.objectContaining({ level: 40, interrupted: 1 }),
    ]);
    const ask = (query: string) => post(`${server.url}/graphql`, { query });
    const { data } = await ask('{ unreconciled { id held } }');
    const [{ id, held }] = data.unreconciled;
    expect(account(app).held).toBe(parseUsd(held));
    const costly = await ask(
      `mutation { reconcileAttempt(id: "${id}", verdict: RELEASE, cost: "0.1") { id } }`,
    );
    expect(codeOf(costly)).toBe('BAD_USER_INPUT');
    const decided = await ask(
      `mutation { reconcileAttempt(id: "${id}", verdict: CONFIRM, cost: "0.003") { id status cost } }`,
    );
    expect(decided.data.reconcileAttempt).toEqual({ id, status: 'FAILED', cost: '0.003' });
    expect(account(app)).toEqual({ spent: 3_000_000n, held: 0n });
    const again = await ask(`mutation { reconcileAttempt(id: "${id}", verdict: CONFIRM) { id } }`);
    expect(codeOf(again)).toBe('ATTEMPT_NOT_UNRECONCILED');
    await server.close();
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
