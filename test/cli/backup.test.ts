// A backup taken under load, restored elsewhere and verified; budgets go on from it, the gap is told and can be entered.
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { serveApp } from '../../src/serve.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';
import { headgate, temporaryFolder } from './support.ts';

const workflows = temporaryFolder({
  'headgate.yaml': `headgate: 1
providers:
  paid: { adapter: openai, baseUrl: "http://127.0.0.1:9/v1" }
models:
  paid/gpt-5: { context: 8k, price: { input: $1, output: $10 } }
routes:
  main: [{ from: [paid/gpt-5] }]
budgets:
  company: { limit: $50, per: month, warnAt: [80%] }
  growth: { limit: $500, per: month, each: team }
`,
  'ask.yaml': `task: ask
input: { text: string }
steps:
  answer: { route: main, prompt: "\${{ input.text }}", maxOutputTokens: 100 }
`,
});

const open = (dataDirectory: string): Promise<App> =>
  openApp({
    workflows,
    dataDirectory,
    env: {},
    synchronous: 'normal',
    wrapProviders: () =>
      scriptedProviders(systemClock, () => ({
        text: 'It is.',
        usage: { inputTokens: 1000, outputTokens: 10 },
      })),
  });
const ask = (app: App, text: string) =>
  app.engine.run({ task: 'ask', input: { text }, caller: LOCAL_CALLER });
const spent = (app: App, budgetId: string) => app.budgets.views({ budgetId })[0]?.spent;
const kinds = async (app: App) => (await app.ledger.alerts({ limit: 20 })).rows.map(({ kind }) => kind);

describe('headgate ledger backup, restore and adjust', () => {
  it('INV-1: a backup under load adds up, goes on elsewhere, says which time is lost, and takes what was spent then', async () => {
    const [data, elsewhere, folder] = [temporaryFolder(), temporaryFolder(), temporaryFolder()].map((each) =>
      join(each, 'data'),
    );
    const app = await open(data as string);
    for (let number = 0; number < 5; number += 1) await ask(app, `before ${number}`);
    const stopped = new AbortController();
    const load = (async () => {
      for (let number = 0; number < 300 && !stopped.signal.aborted; number += 1)
        await ask(app, `beside ${number}`);
    })();
    const file = `${folder}.backup`;
    const taken = await headgate(['ledger', 'backup', file, '--data', data as string, '--json']);
    stopped.abort();
    await load;
    expect(taken.code).toBe(0);
    const { runs, attempts, newest } = JSON.parse(taken.out) as {
      runs: number;
      attempts: number;
      newest: string;
    };
    expect(runs).toBeGreaterThanOrEqual(5);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await app.close(0);

    const restored = await headgate(['ledger', 'restore', file, '--data', elsewhere as string]);
    expect(restored.code).toBe(0);
    expect(restored.out).toContain(`since ${newest}`);
    const verified = await headgate(['ledger', 'verify', '--data', elsewhere as string]);
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('every sum agrees')]);
    const next = await open(elsewhere as string);
    // Each call was $0.0011; what was under way in the instant of the backup is held.
    const [view] = next.budgets.views({ budgetId: 'company' });
    expect(view?.spent).toBe(BigInt(await closedIn(next)) * 1_100_000n);
    expect(attempts).toBeGreaterThanOrEqual(await closedIn(next));
    expect(await kinds(next)).toContain('ledger_restored');

    // The bill says that more was spent: it counts in each budget, and the share that it passes is told.
    const server = await serveApp(next, { host: '127.0.0.1', port: 0, mode: 'development', watch: false });
    const before = view?.spent ?? 0n;
    const args = [
      '--cost',
      '$45',
      '--provider',
      'paid',
      '--model',
      'gpt-5',
      '--reason',
      'the bill',
      '--team',
      'growth',
    ];
    const entered = await headgate(['ledger', 'adjust', ...args, '--server', server.url, '--json']);
    expect([entered.code, entered.err]).toEqual([0, '']);
    const { id, cost } = JSON.parse(entered.out) as { id: string; cost: string };
    expect(cost).toBe('45');
    expect(spent(next, 'company')).toBe(before + 45_000_000_000n);
    expect(next.budgets.views({ budgetId: 'growth', account: 'growth' })[0]?.spent).toBe(45_000_000_000n);
    expect(await kinds(next)).toContain('budget_warn');
    const lowered = await headgate([
      'ledger',
      'reconcile',
      '--confirm',
      id,
      '--cost',
      '0.1',
      '--server',
      server.url,
    ]);
    expect([lowered.code, lowered.err]).toEqual([0, '']);
    expect(spent(next, 'company')).toBe(before + 100_000_000n);
    const report = await next.ledger.verify();
    expect(report.discrepancies).toEqual([]);
    await server.close(0);
    await next.close(0);
  });

  it('adjusts without a server, beyond a limit too, and the next start counts it', async () => {
    const data = join(temporaryFolder(), 'data');
    await (await open(data)).close(0);
    const args = [
      '--cost',
      '60',
      '--provider',
      'paid',
      '--reason',
      'the bill',
      '--workflows',
      workflows,
      '--data',
      data,
    ];
    const { code, out, err } = await headgate(['ledger', 'adjust', ...args]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^att_\w+: \$60 at paid is entered/);
    const next = await open(data);
    expect(spent(next, 'company')).toBe(60_000_000_000n);
    expect(await ask(next, 'more')).toMatchObject({ kind: 'budget_exceeded' });
    expect((await next.ledger.verify()).discrepancies).toEqual([]);
    await next.close(0);
  });

  it('INV-13: keeps what was there, and writes over nothing', async () => {
    const [first, second] = [join(temporaryFolder(), 'data'), join(temporaryFolder(), 'data')];
    for (const [data, calls] of [
      [first, 1],
      [second, 2],
    ] as const) {
      const app = await open(data);
      for (let number = 0; number < calls; number += 1) await ask(app, `call ${number}`);
      await app.close(0);
    }
    const file = join(temporaryFolder(), 'backup.db');
    expect((await headgate(['ledger', 'backup', file, '--data', first])).code).toBe(0);
    const again = await headgate(['ledger', 'backup', file, '--data', first]);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('already')]);
    const { out } = await headgate(['ledger', 'restore', file, '--data', second, '--json']);
    const { runs, keptAs } = JSON.parse(out) as { runs: number; keptAs: string[] };
    expect(runs).toBe(1);
    const kept = keptAs.find((path) => path.includes('.before-')) ?? '';
    expect(existsSync(kept)).toBe(true);
    const back = await headgate([
      'ledger',
      'restore',
      kept,
      '--data',
      join(temporaryFolder(), 'data'),
      '--json',
    ]);
    expect(JSON.parse(back.out)).toMatchObject({ runs: 2, keptAs: [] });
  });

  it('INV-13: refuses a backup that is damaged or of something else, and one while a server has the ledger; then nothing is changed', async () => {
    const data = join(temporaryFolder(), 'data');
    const app = await open(data);
    await ask(app, 'one');
    const file = join(temporaryFolder(), 'backup.db');
    expect((await headgate(['ledger', 'backup', file, '--data', data])).code).toBe(0);
    const busy = await headgate(['ledger', 'restore', file, '--data', data]);
    expect([busy.code, busy.err]).toEqual([1, expect.stringContaining('Another headgate process')]);
    await app.close(0);
    const files = readdirSync(data);
    truncateSync(file, 8192);
    const cut = await headgate(['ledger', 'restore', file, '--data', data]);
    expect([cut.code, cut.err]).toEqual([1, expect.stringContaining('damaged')]);
    writeFileSync(file, 'not a database');
    const foreign = await headgate(['ledger', 'restore', file, '--data', data]);
    expect([foreign.code, foreign.err]).toEqual([1, expect.stringContaining('not a database of headgate')]);
    const none = await headgate(['ledger', 'restore', `${file}.none`, '--data', data]);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('there is no backup')]);
    expect(readdirSync(data)).toEqual(files);
  });
});

async function closedIn(app: App): Promise<number> {
  const { rows } = await app.ledger.runs({}, { limit: 100_000 });
  const attempts = await app.ledger.attemptsOf(rows.map(({ id }) => id));
  return [...attempts.values()].flat().filter(({ status }) => status === 'succeeded').length;
}
