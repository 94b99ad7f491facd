// The owner's story through the whole engine: a month at $400 with the shipped budgets and guards, a restart, and then the loop.
// The month is played at a tenth of its calls, each ten times as dear; HEADGATE_STORY=full plays all of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../../src/app.ts';
import type { App } from '../../../src/app.ts';
import type { JsonObject } from '../../../src/common/json.ts';
import { seededRandom } from '../../../src/common/random.ts';
import type { RunResult } from '../../../src/engine/execution/port.ts';
import { OPEN_CALLER } from '../../support/engine-fixture.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { scriptedProviders } from '../../support/scripted-provider.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import type { SimulatedClock } from '../../support/simulated-clock.ts';
import { DAY_MS, HOUR_MS, month } from '../../engine/budget/guards/traffic.ts';
import { temporary } from './support.ts';

const SCALE = process.env['HEADGATE_STORY'] === 'full' ? 1 : 10;
const START = Date.UTC(2026, 3, 1);
/** Of the model in this story: $10 per million tokens of output, nothing for the input. */
const NANO_PER_TOKEN = 10_000n;
const MOST_TOKENS = 60_000;
const CALL = 4_000_000n;

/** The shipped project file, with a price that makes every cost a number of tokens, and a month that may cost what it does. */
function workflows(): string {
  const folder = temporary('headgate-story-');
  const shipped = readFileSync(join(repositoryRoot, 'workflows/headgate.yaml'), 'utf8');
  writeFileSync(
    join(folder, 'headgate.yaml'),
    shipped
      .replace(
        'openai/gpt-5.6-luna: { quality: 2 }',
        'openai/gpt-5.6-luna: { quality: 2, price: { input: $0, output: $10 } }',
      )
      .replace('limit: $400, per: month', 'limit: $500, per: month'),
  );
  for (const task of ['code-review', 'summarize', 'email-parse', 'report'])
    writeFileSync(
      join(folder, `${task}.yaml`),
      `task: ${task}
input: { text: string }
steps:
  only:
    route: [{ from: [openai/gpt-5.6-luna] }]
    prompt: \${{ input.text }}
    maxOutputTokens: ${MOST_TOKENS}
`,
    );
  return folder;
}

interface Company {
  readonly app: App;
  readonly clock: SimulatedClock;
  readonly providers: ReturnType<typeof scriptedProviders>;
  readonly ask: (task: string, caller: string, text: string) => Promise<RunResult>;
}

async function open(folder: string, data: string, clock: SimulatedClock): Promise<Company> {
  // The prompt says what its answer costs.
  const providers = scriptedProviders(clock, ({ request }) => ({
    usage: { inputTokens: 20, outputTokens: Number(/^(\d+)/.exec(request.prompt)?.[1]) },
  }));
  const app = await openApp({
    workflows: folder,
    dataDirectory: data,
    env: { OPENAI_API_KEY: 'sk-test' },
    synchronous: 'normal',
    clock,
    random: seededRandom(4),
    wrapProviders: () => providers,
  });
  return {
    app,
    clock,
    providers,
    ask: (task, caller, text) =>
      app.engine.run({
        task,
        input: { text } satisfies JsonObject,
        caller: { ...OPEN_CALLER, name: caller },
      }),
  };
}

const tokensFor = (costNanoUsd: bigint): number =>
  Math.min(MOST_TOKENS, Number(costNanoUsd / NANO_PER_TOKEN));

function spent({ app }: Company): bigint {
  return app.budgets.views({ budgetId: 'company' })[0]?.spent ?? 0n;
}

async function alerts({ app }: Company): Promise<readonly string[]> {
  const { rows } = await app.ledger.alerts({ limit: 50 });
  return rows.filter(({ kind }) => !kind.startsWith('revision')).map(({ kind, scope }) => `${kind} ${scope}`);
}

async function tally(
  at: Company,
  everyMs: number,
  tries: number,
  text: (time: number) => string,
): Promise<{ readonly [kind: string]: number }> {
  const kinds: { [kind: string]: number } = {};
  for (let time = 0; time < tries; time += 1) {
    await at.clock.advance(everyMs);
    const result = await at.ask('summarize', 'ben', text(time));
    const kind = result.kind === 'run' && result.snapshot.run.cached ? 'reused' : result.kind;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

describe("the owner's story, through the whole engine", () => {
  it(
    'a month of $400 without a stop or an alarm; after a restart, the loop is stopped, whether it repeats itself, counts or varies',
    { timeout: SCALE === 1 ? 600_000 : 120_000 },
    async () => {
      const folder = workflows();
      const data = temporary('headgate-story-data-');
      const clock = createSimulatedClock(START);
      const normal = await open(folder, data, clock);

      let runs = 0;
      let cost = 0n;
      for (const call of month({ startMs: START, days: 30, usdPerMonth: 400 / SCALE, seed: 2026 })) {
        await clock.advance(Math.max(0, call.atMs - clock.nowMs()));
        const tokens = tokensFor(call.costNanoUsd * BigInt(SCALE));
        const result = await normal.ask(call.task, call.caller, `${tokens} ${call.caller} at ${call.atMs}`);
        if (result.kind !== 'run' || result.snapshot.run.status !== 'succeeded')
          throw new Error(
            `${call.caller} was stopped at ${new Date(clock.nowMs()).toISOString()}: ${JSON.stringify(result, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
          );
        runs += 1;
        cost += BigInt(tokens) * NANO_PER_TOKEN;
      }
      expect(runs).toBeGreaterThan(90_000 / SCALE);
      expect(spent(normal)).toBe(cost);
      expect(cost > 380_000_000_000n && cost < 450_000_000_000n).toBe(true);
      // At 50 % and at 80 % of the month's budget, as asked for; nothing else.
      expect(await alerts(normal)).toEqual(['budget_warn budget:company', 'budget_warn budget:company']);
      expect(normal.app.guards.switches()).toEqual([]);
      expect(await normal.app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
      await normal.app.close(0);

      // The first of May, at nine, in a new process: it remembers the month.
      clock.setWallMs(START + 30 * DAY_MS + 9 * HOUR_MS);
      const looping = await open(folder, data, clock);
      expect(spent(looping)).toBe(0n);
      const repeated = await tally(looping, 500, 1_000, () => `${tokensFor(CALL)} Summarise this.`);
      expect(repeated).toEqual({ run: 20, reused: 980 });
      expect(spent(looping)).toBe(20n * CALL);
      expect(await alerts(looping)).toContain('loop caller:ben');

      // One that counts its attempts is nearly the same each time.
      const counting = await tally(
        looping,
        250,
        200,
        (time) => `${tokensFor(CALL)} Attempt ${time}: summarise this.`,
      );
      expect(counting).toEqual({ run: 40, loop_detected: 160 });

      const before = looping.providers.calls.length;
      const random = seededRandom(7);
      const words = (): string =>
        Array.from({ length: 12 }, () => random().toString(36).slice(2, 8)).join(' ');
      const varied = await tally(looping, 250, 1_400, () => `${tokensFor(CALL)} ${words()}`);
      const calls = looping.providers.calls.length - before;
      console.info(`the varying loop: ${calls} calls, ${spent(looping)} nano-dollars`);
      expect(calls).toBeLessThanOrEqual(1_251);
      // Each dollar is counted once, so that it is not stopped at half of what the guard allows either.
      expect(spent(looping) > 4_950_000_000n).toBe(true);
      expect(varied).toEqual({ run: calls, spending_paused: 1_400 - calls });
      expect(spent(looping) <= 5_010_000_000n).toBe(true);
      expect(looping.app.guards.switches()).toMatchObject([{ scope: 'caller:ben', by: 'guard:surge' }]);
      // One loop stops one caller.
      expect((await looping.ask('report', 'ana', `${tokensFor(CALL)} the report`)).kind).toBe('run');
      await looping.app.close(0);

      // The switch is still off in the next process, until somebody resumes it on purpose.
      const next = await open(folder, data, clock);
      expect((await next.ask('summarize', 'ben', '1 again')).kind).toBe('spending_paused');
      next.app.guards.resume('caller:ben', 'ana');
      expect((await next.ask('summarize', 'ben', '1 again')).kind).toBe('run');
      expect(await next.app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
      await next.app.close(0);
    },
  );
});
