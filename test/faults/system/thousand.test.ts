// A thousand clients at once against one dollar: over GraphQL with a server process of its own, and in this process; with failing and slow
// upstreams, clients that go away and workflows that change meanwhile.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../../src/app.ts';
import { seededRandom, type Random } from '../../../src/common/random.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import { costOfCall, markOf, startCountingUpstream } from '../../support/counting-upstream.ts';
import { OPEN_CALLER } from '../../support/engine-fixture.ts';
import type { Behaviour } from '../../support/fault-server.ts';
import { scriptedProviders } from '../../support/scripted-provider.ts';
import {
  RUN_SINGLE,
  TOTALS,
  ask,
  expectVerified,
  expectWithin,
  nano,
  projectYaml,
  rowsOf,
  serveFor,
  temporary,
  withReader,
  workflowFolder,
} from './support.ts';
import type { Answer, WorkflowOptions } from './support.ts';

const CLIENTS = 1_000;
const LIMIT = 1_000_000_000n;
/** Of output at most: the answers have 20 to 60. */
const ANSWER_TOKENS = 60;

/** Dollars that go fast: so many times the usual price. */
const DEAR_TIMES = 40n;
const DEAR = `price: { input: $${DEAR_TIMES}, output: $${4n * DEAR_TIMES} }`;

function dearYaml(others: string): string {
  const options: WorkflowOptions = {
    budgets: ['company: { limit: $1, per: day, then: reject }', others],
  };
  return projectYaml(options).replace('price: { input: $1, output: $4 }', DEAR);
}

/** What other limits a team may change meanwhile; the dollar stays a dollar. */
const OTHERS = [
  'caller: { each: caller, limit: $5, per: day, then: downgrade }',
  'caller: { each: caller, limit: $6, per: month, then: reject }',
  'task: { limit: 100000 calls, per: hour, then: reject }',
];

/** One 429: after it calls go on at half the pace of before, as they should. */
const fails = (random: Random, number: number): Behaviour => {
  const dice = random();
  if (number === 40) return { refuse: 'rate_limited', headers: { 'retry-after-ms': '50' } };
  if (dice < 0.1) return { refuse: 'server_error' };
  if (dice < 0.18) return { tokens: ANSWER_TOKENS, cutAtToken: 5 };
  if (dice < 0.25) return { tokens: ANSWER_TOKENS, firstTokenAfterMs: 150 };
  return { tokens: 20 + Math.floor(random() * 40), firstTokenAfterMs: random() * 30 };
};

describe('a thousand at once against a dollar', () => {
  it(
    'INV-2: over GraphQL, never over at any look, and at least 95 % used; refusals say what to do; all sums agree',
    { timeout: 120_000 },
    async () => {
      const random = seededRandom(11);
      const upstream = await startCountingUpstream({ random });
      upstream.otherwise(({ number }) => fails(random, number));
      const workflows = workflowFolder();
      writeFileSync(join(workflows, 'headgate.yaml'), dearYaml(OTHERS[0] ?? ''));
      const dataDirectory = temporary('headgate-thousand-');
      const served = await serveFor(upstream, { dataDirectory, flags: ['--workflows', workflows] });
      const keys = await makeKeys(served.url, 4);
      const key = keys[0] ?? '';
      const ended = { over: false };
      const stopped = new Set<string>();
      const refusals: Answer['data'][] = [];
      const failures = new Map<string, number>();
      const count = (what: string): void => void failures.set(what, (failures.get(what) ?? 0) + 1);

      const client = async (number: number): Promise<void> => {
        for (let attempt = 0; !ended.over; attempt += 1) {
          const mark = `c${number}-${attempt}`;
          const gone = random() < 0.05 ? AbortSignal.timeout(Math.floor(random() * 80)) : undefined;
          const answer = await ask(
            served.url,
            RUN_SINGLE,
            { mark },
            { key: keys[number % keys.length] ?? '', ...(gone ? { signal: gone } : {}) },
          ).catch(() => undefined);
          if (answer === undefined) {
            stopped.add(mark);
            count('client gone');
            continue;
          }
          const result = answer.data?.runTask;
          count(result?.message?.slice(0, 150) ?? result?.__typename ?? JSON.stringify(answer.errors[0]));
          if (result?.__typename !== 'BudgetExceeded') continue;
          refusals.push(result);
          // Each refusal is a look at the account as it was.
          expect(nano(result.spent) + nano(result.held)).toBeLessThanOrEqual(LIMIT);
          // Held for calls that may cost less in the end: worth another try. Spent: it is over.
          if (nano(result.spent) + nano(result.needed) > LIMIT) {
            expect(result.remedy).toMatch(/^Wait until the budget resets/);
            ended.over = true;
            return;
          }
          expect(result.retryAfterMs).toBe(1_000);
          expect(result.remedy).toMatch(/^Try again in a moment, since calls under way hold \$/);
          await sleep(result.retryAfterMs * (0.5 + random()));
        }
      };
      const looks = (async () => {
        let times = 0;
        for (; !ended.over; times += 1) {
          const { data } = await ask(served.url, '{ budgets { name limit spent held } }', {}, { key });
          expectWithin(data.budgets);
          await sleep(10);
        }
        return times;
      })();
      const reloads = (async () => {
        for (let times = 0; !ended.over; times += 1) {
          writeFileSync(join(workflows, 'headgate.yaml'), dearYaml(OTHERS[times % OTHERS.length] ?? ''));
          if (times % 2 === 1)
            await ask(served.url, 'mutation { reloadWorkflows { __typename } }', {}, { key });
          await sleep(150);
        }
      })();
      await Promise.all([...Array.from({ length: CLIENTS }, (_, number) => client(number)), reloads]);
      expect(await looks).toBeGreaterThan(0);

      // Of what went away meanwhile the last is settled.
      const totals = await settledTotals(served.url, key);
      const used = expectWithin(totals.budgets);
      const company = totals.budgets.find(({ name }: { name: string }) => name === 'company');
      expect(company).toMatchObject({ held: '0' });
      expect(Number(used)).toBeGreaterThanOrEqual(Number(LIMIT) * 0.95);
      expect(totals.costStats.total.cost).toBe(company.spent);
      expect(refusals.length).toBeGreaterThan(100);
      for (const refusal of refusals.slice(0, 5)) {
        expect(refusal).toMatchObject({ code: 'BUDGET_EXCEEDED', budget: 'company', limit: '1' });
        expect(refusal.message).toMatch(
          /Budget "company" has \$[\d.]+ left of \$1; this call may need \$[\d.]+/,
        );
        expect(Date.parse(refusal.resetsAt)).toBeGreaterThan(Date.now());
      }
      expect(await served.stop()).toBe(0);

      await expectVerified(dataDirectory);
      const rows = await withReader(dataDirectory, rowsOf);
      const attempts = [...rows.attempts.values()].flat();
      expect(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n)).toBe(used);
      expect(rows.runs.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n)).toBe(used);
      expect(attempts.filter(({ status }) => status === 'open')).toEqual([]);
      // To the nano-dollar what the upstream put on its bill, wherever the answer came through.
      const paid = new Map<string, bigint>();
      for (const run of rows.runs) {
        const { mark } = run.input as { readonly mark: string };
        paid.set(`${mark}:only`, (paid.get(`${mark}:only`) ?? 0n) + run.costNanoUsd);
      }
      const cut = new Set(
        upstream.calls.filter(({ ended }) => ended !== 'complete' && ended !== 'refused').map(markOf),
      );
      for (const call of upstream.calls) {
        const mark = markOf(call);
        if (call.billed === null || cut.has(mark) || stopped.has(mark.split(':')[0] ?? '')) continue;
        expect({ mark, paid: paid.get(mark) }).toEqual({ mark, paid: costOfCall(call) * DEAR_TIMES });
      }
      console.info(
        `${CLIENTS} clients: ${upstream.calls.length} calls, ${used} of ${LIMIT} nano-dollars; ${JSON.stringify([...failures])}`,
      );
      await upstream.close();
    },
  );

  it('INV-2: in this process, without a wire between', { timeout: 60_000 }, async () => {
    await loadTokenizer();
    const random = seededRandom(12);
    const workflows = workflowFolder();
    writeFileSync(join(workflows, 'headgate.yaml'), dearYaml(OTHERS[0] ?? ''));
    const dataDirectory = temporary('headgate-thousand-');
    const providers = scriptedProviders(systemClock, () => {
      const dice = random();
      const afterMs = random() * 20;
      if (dice < 0.1) return { fail: 'server_error', afterMs };
      if (dice < 0.15) return { fail: 'cut_stream', billed: 'yes', afterMs };
      return { afterMs, usage: { inputTokens: 20, outputTokens: 20 + Math.floor(random() * 40) } };
    });
    const app = await openApp({
      workflows,
      dataDirectory,
      env: { UP_URL: 'http://127.0.0.1:9/v1', OTHER_URL: 'http://127.0.0.1:9', UP_KEY: 'sk-test' },
      random,
      wrapProviders: () => providers,
    });
    const ended = { over: false };
    let looks = 0;
    const look = (): void => {
      const [company] = app.budgets.views({ budgetId: 'company' });
      if (company === undefined) return;
      looks += 1;
      expect(company.spent + company.held <= LIMIT).toBe(true);
    };
    const client = async (number: number): Promise<void> => {
      for (let attempt = 0; !ended.over; attempt += 1) {
        const gone = new AbortController();
        const cancel =
          random() < 0.1 ? systemClock.after(random() * 30, () => gone.abort(new Error('gone'))) : undefined;
        const result = await app.engine.run({
          task: 'single',
          input: { mark: `p${number}-${attempt}` },
          caller: { ...OPEN_CALLER, name: `caller-${number % 20}` },
          signal: gone.signal,
        });
        cancel?.();
        look();
        if (result.kind === 'run') continue;
        if (result.kind !== 'budget_exceeded') throw new Error(JSON.stringify(result));
        if (result.refusal.spent + result.refusal.needed > LIMIT) {
          ended.over = true;
          return;
        }
        await sleep(5 + random() * 50);
      }
    };
    const reloads = (async () => {
      for (let times = 0; !ended.over; times += 1) {
        writeFileSync(join(workflows, 'headgate.yaml'), dearYaml(OTHERS[times % OTHERS.length] ?? ''));
        expect((await app.revisions.reload()).kind).not.toBe('refused');
        look();
        await sleep(20);
      }
    })();
    await Promise.all([...Array.from({ length: CLIENTS }, (_, number) => client(number)), reloads]);
    look();
    const [company] = app.budgets.views({ budgetId: 'company' });
    expect(company).toMatchObject({ held: 0n });
    expect(Number(company?.spent)).toBeGreaterThanOrEqual(Number(LIMIT) * 0.95);
    expect(looks).toBeGreaterThan(CLIENTS);
    const { total } = await app.stats.costStats({ window: 'ALL' });
    expect(total.costNanoUsd).toBe(company?.spent);
    expect(await app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
    await app.close(1_000);
  });
});

/** The first makes the server closed to all who have none. */
async function makeKeys(url: string, count: number): Promise<readonly string[]> {
  const secrets: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const { data, errors } = await ask(
      url,
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { caller: `team-${number}`, scopes: ['admin'] } },
      secrets[0] === undefined ? {} : { key: secrets[0] },
    );
    expect(errors).toEqual([]);
    secrets.push(data.createApiKey.secret);
  }
  return secrets;
}

async function settledTotals(url: string, key: string): Promise<Answer['data']> {
  for (let looks = 0; looks < 200; looks += 1) {
    const { data } = await ask(url, TOTALS, {}, { key });
    if (data.budgets.every(({ held }: { held: string }) => held === '0')) return data;
    await sleep(50);
  }
  throw new Error('something is still held after ten seconds');
}
