// Accounts: what budgets find again after a restart, and what a budget that is new finds of the past.
import { describe, expect, it } from 'vitest';
import type { Posting } from '../../src/engine/budget/port.ts';
import type { PlanBudget } from '../../src/language/plan/types.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const HOUR_MS = 3_600_000;

function budget(fields: Partial<PlanBudget>): PlanBudget {
  return {
    id: 'new',
    name: 'new',
    scope: { kind: 'all' },
    each: null,
    when: null,
    limit: { unit: 'usd', nanoUsd: 1n },
    per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
    warnAt: [],
    then: 'reject',
    ...fields,
  };
}

interface Spend {
  readonly caller?: string;
  readonly team?: string | null;
  readonly session?: string;
  readonly task?: string;
  readonly provider?: string;
  readonly tags?: { readonly [key: string]: string };
  readonly atMs?: number;
  readonly costNanoUsd: bigint;
}

let made = 0;
function spend(ledger: Ledger, { costNanoUsd, ...fields }: Spend): Promise<unknown> {
  made += 1;
  const run = makeRun(`run_${made}`, {
    task: fields.task ?? 'summarize',
    caller: {
      name: fields.caller ?? 'ana',
      team: fields.team ?? null,
      tier: null,
      ...(fields.session === undefined ? {} : { session: fields.session }),
    },
    tags: fields.tags ?? {},
    startedAtMs: fields.atMs ?? START_MS,
  });
  const attempt = makeAttempt(`att_${made}`, run, { provider: fields.provider ?? 'openai' });
  return Promise.all([
    ledger.openRun(run),
    ledger.openAttempt(attempt),
    ledger.closeAttempt(settle(attempt, { costNanoUsd }), null),
    ledger.finishRun(finish(run, { costNanoUsd })),
  ]);
}

function sums(ledger: Ledger, of: PlanBudget, sinceMs = START_MS): { [account: string]: bigint } {
  const found: { [account: string]: bigint } = {};
  for (const { account, spending } of ledger.accounts.history(of, sinceMs))
    found[account] = (found[account] ?? 0n) + spending.costNanoUsd;
  return found;
}

describe('history', () => {
  it('finds what was spent in each scope, by account', async () => {
    const ledger = await openTestLedger(ledgerPath());
    await spend(ledger, { costNanoUsd: 1n, caller: 'ana', team: 'red', tags: { env: 'prod' } });
    await spend(ledger, { costNanoUsd: 10n, caller: 'ben', team: 'red', task: 'review' });
    await spend(ledger, { costNanoUsd: 100n, caller: 'cid', provider: 'anthropic', tags: { env: 'dev' } });
    expect(sums(ledger, budget({}))).toEqual({ '': 111n });
    expect(sums(ledger, budget({ each: { kind: 'caller' } }))).toEqual({ ana: 1n, ben: 10n, cid: 100n });
    expect(sums(ledger, budget({ each: { kind: 'team' } }))).toEqual({ red: 11n, '': 100n });
    expect(sums(ledger, budget({ each: { kind: 'tag', tag: 'env' } }))).toEqual({
      prod: 1n,
      '': 10n,
      dev: 100n,
    });
    expect(sums(ledger, budget({ scope: { kind: 'task', task: 'review' } }))).toEqual({ '': 10n });
    expect(sums(ledger, budget({ scope: { kind: 'provider', provider: 'openai' } }))).toEqual({ '': 11n });
    expect(sums(ledger, budget({ scope: { kind: 'model', model: 'anthropic/gpt-5.6-luna' } }))).toEqual({
      '': 100n,
    });
  });

  it('finds what each session of a caller spent, and what was spent without one, minutes and hours back', async () => {
    const ledger = await openTestLedger(ledgerPath());
    for (const atMs of [START_MS - 40 * HOUR_MS, START_MS]) {
      await spend(ledger, { costNanoUsd: 1n, caller: 'ana', atMs });
      await spend(ledger, { costNanoUsd: 10n, caller: 'ana', session: 's1', atMs });
      await spend(ledger, { costNanoUsd: 100n, caller: 'ana', session: 's2', atMs });
      await spend(ledger, { costNanoUsd: 1_000n, caller: 'ben', session: 's1', atMs });
    }
    const of = budget({ each: { kind: 'session' } });
    expect(sums(ledger, of)).toEqual({ 'ana/': 1n, 'ana/s1': 10n, 'ana/s2': 100n, 'ben/s1': 1_000n });
    expect(sums(ledger, of, START_MS - 41 * HOUR_MS)).toEqual({
      'ana/': 2n,
      'ana/s1': 20n,
      'ana/s2': 200n,
      'ben/s1': 2_000n,
    });
    expect(sums(ledger, budget({ ...of, scope: { kind: 'provider', provider: 'anthropic' } }))).toEqual({});
  });

  it('leaves out what is older, reads hours where minutes are far back, and tells tokens and calls', async () => {
    const ledger = await openTestLedger(ledgerPath());
    await spend(ledger, { costNanoUsd: 1n, atMs: START_MS - 40 * HOUR_MS });
    await spend(ledger, { costNanoUsd: 2n, atMs: START_MS - 39 * HOUR_MS });
    await spend(ledger, { costNanoUsd: 4n, atMs: START_MS });
    expect(sums(ledger, budget({}), START_MS - 39 * HOUR_MS)).toEqual({ '': 6n });
    expect(sums(ledger, budget({}), START_MS - 41 * HOUR_MS)).toEqual({ '': 7n });
    const [past] = ledger.accounts.history(budget({}), START_MS);
    expect(past).toEqual({
      account: '',
      atMs: START_MS,
      spending: { costNanoUsd: 4n, tokens: 1_020, calls: 1 },
    });
  });

  it('counts each attempt that was handed over once, whether or not it is committed yet', async () => {
    const ledger = await openTestLedger(ledgerPath());
    const spending: Promise<unknown>[] = [];
    for (let index = 0; index < 40; index += 1) {
      spending.push(spend(ledger, { costNanoUsd: 1n, session: 's' }));
      await new Promise((resolve) => void setImmediate(resolve));
      expect(sums(ledger, budget({}))).toEqual({ '': BigInt(index + 1) });
      expect(sums(ledger, budget({ each: { kind: 'session' } }))).toEqual({ 'ana/s': BigInt(index + 1) });
    }
    await Promise.all(spending);
    expect(sums(ledger, budget({}))).toEqual({ '': 40n });
  });
});

describe('after a restart', () => {
  const posting: Posting = { budgetId: 'new', account: 'ana', windowStartMs: START_MS };

  it('an opening balance takes the place of what was posted, and later spending is added to it', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { writer: 'inline' });
    const run = makeRun('run_a');
    const [first, second] = [
      makeAttempt('att_a', run, { postings: [posting] }),
      makeAttempt('att_b', run, { postings: [posting] }),
    ];
    await ledger.openRun(run);
    await ledger.openAttempt(first);
    await ledger.openAttempt(second);
    await ledger.closeAttempt(settle(first, { costNanoUsd: 5n }), null);
    ledger.accounts.seeded?.('new', START_MS, [
      { posting, spending: { costNanoUsd: 1_000n, tokens: 7, calls: 2 } },
    ]);
    await ledger.closeAttempt(settle(second, { costNanoUsd: 30n }), null);
    await ledger.close();
    const again = await openTestLedger(path, { writer: 'inline' });
    expect([...again.accounts.settled(START_MS)]).toEqual([
      { posting, spending: { costNanoUsd: 1_030n, tokens: 1_027, calls: 3 } },
    ]);
    expect([...again.accounts.settled(START_MS + 1)]).toEqual([]);
  });

  it('a hold that a reload moved is found where it is now, and is settled there', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { writer: 'inline' });
    const run = makeRun('run_a', {
      caller: { name: 'ana', team: 'red', tier: 'trial' },
      tags: { env: 'prod' },
    });
    const moved: Posting = { ...posting, account: 'ben' };
    const attempts = ['att_a', 'att_b'].map((id) =>
      makeAttempt(id, run, { postings: [posting], heldTokens: 9 }),
    );
    await ledger.openRun(run);
    for (const attempt of attempts) await ledger.openAttempt(attempt);
    ledger.accounts.moved?.(attempts.map(({ id }) => ({ attemptId: id, postings: [moved] })));
    const [first] = attempts;
    if (first === undefined) throw new Error('there are two attempts');
    await ledger.closeAttempt(settle({ ...first, postings: [moved] }), null);
    expect(await ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
    await ledger.close();
    const again = await openTestLedger(path, { writer: 'inline' });
    expect([...again.accounts.open()]).toMatchObject([
      {
        attemptId: 'att_b',
        postings: [moved],
        heldAtMs: START_MS,
        worst: { tokens: 9, calls: 1 },
        request: {
          runId: 'run_a',
          model: 'openai/gpt-5.6-luna',
          caller: { team: 'red', tier: 'trial' },
          tags: { env: 'prod' },
        },
      },
    ]);
    const spent = [...again.accounts.settled(START_MS)].map((each) => [
      each.posting.account,
      each.spending.costNanoUsd,
    ]);
    expect(spent).toEqual([
      ['ana', 0n],
      ['ben', 3_000_000n],
    ]);
  });

  it("a run's own budget is summed over its attempts and those of its child runs, until the run is over", async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { writer: 'inline' });
    const own: Posting = { budgetId: 'per-run', account: 'run_a', windowStartMs: 0 };
    const run = makeRun('run_a', { durable: true });
    const child = makeRun('run_a.part', { durable: true, parentRunId: 'run_a' });
    const other = makeRun('run_ab');
    for (const each of [run, child, other]) await ledger.openRun(each);
    for (const [id, of] of [
      ['att_a', run],
      ['att_b', child],
    ] as const) {
      const attempt = makeAttempt(id, of, { postings: [own] });
      await ledger.openAttempt(attempt);
      await ledger.closeAttempt(settle(attempt), null);
    }
    await ledger.finishRun(finish(child));
    await ledger.close();
    const again = await openTestLedger(path, { writer: 'inline' });
    expect([...again.accounts.settled(START_MS)]).toEqual([
      { posting: own, spending: { costNanoUsd: 6_000_000n, tokens: 2_040, calls: 2 } },
    ]);
    await again.finishRun(finish(run));
    expect([...again.accounts.settled(START_MS)]).toEqual([]);
    // INV-1: whatever the record says, a run costs what its attempts cost.
    expect((await again.run('run_a'))?.costNanoUsd).toBe(3_000_000n);
  });
});
