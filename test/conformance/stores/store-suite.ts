// What every store of the ledger must do, whatever database is under it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanBudget } from '../../../src/language/plan/types.ts';
import type { WrittenRow } from '../../../src/ledger/port.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import { START_MS, finish, makeAttempt, makeRun, makeStep, settle } from '../../support/ledger-records.ts';
import { TRAFFIC_END_MS, scanned, spanReads, sumsByGroup, writeTraffic } from '../../support/span-traffic.ts';
import type { SpanAnswer, SpanRead } from '../../../src/ledger/rollup/span.ts';
import { AMOUNT_NAMES, COUNT_NAMES } from '../../../src/ledger/rollup/sums.ts';

const SUM_NAMES = [...AMOUNT_NAMES, ...COUNT_NAMES];

/** `open` gives an empty ledger the first time, and the same one again when called with what `close` left. */
export interface StoreUnderTest {
  open(): Promise<Ledger>;
  reopen(ledger: Ledger): Promise<Ledger>;
}

/** Budgets' accounts as a plan asks for them whose windows reach back to the beginning. */
async function accountsOf(ledger: Ledger): Promise<Ledger['accounts']> {
  const per = { kind: 'rolling', ms: Date.now() };
  await ledger.accounts.prepare?.([{ scope: { kind: 'all' }, each: null, per } as unknown as PlanBudget]);
  return ledger.accounts;
}

export function describeStore(name: string, store: StoreUnderTest): void {
  describe(`${name}: runs, attempts and steps`, () => {
    it('gives back a run, its attempts and its steps as they were written', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1', {
        tags: { env: 'prod' },
        idempotencyKey: 'k',
        continuation: { deadlineMs: 5 },
      });
      const attempt = makeAttempt('att_1', run, { heldTokens: 1_400 });
      const closed = settle(attempt, { costNanoUsd: 9_007_199_254_740_993n });
      const receipt = makeStep('run_1', 'summary');
      const done = finish(run, {
        costNanoUsd: 9_007_199_254_740_993n,
        savedNanoUsd: 12n,
        continuation: null,
      });
      await ledger.openRun(run);
      expect(await ledger.run('run_1')).toEqual(run);
      await ledger.openAttempt(attempt);
      expect((await ledger.attemptsOf(['run_1'])).get('run_1')).toMatchObject([attempt]);
      await ledger.closeAttempt(closed, receipt);
      await ledger.finishRun(done);
      expect(await ledger.run('run_1')).toEqual(done);
      expect((await ledger.attemptsOf(['run_1', 'run_2'])).get('run_1')).toMatchObject([closed]);
      expect((await ledger.stepsOf(['run_1'])).get('run_1')).toEqual([receipt]);
      expect(await ledger.receipts('run_1')).toEqual(new Map([['summary', receipt]]));
      expect(await ledger.run('run_2')).toBeUndefined();
    });

    it('INV-1: tells a cost of nothing that a provider has told from one that nobody has told', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1');
      await ledger.openRun(run);
      for (const [id, reportedCostNanoUsd] of [
        ['att_told', 0n],
        ['att_untold', null],
      ] as const) {
        const attempt = makeAttempt(id, run);
        await ledger.openAttempt(attempt);
        await ledger.closeAttempt(settle(attempt, { reportedCostNanoUsd }), null);
      }
      expect(
        (await ledger.attemptsOf(['run_1'])).get('run_1')?.map((one) => one.reportedCostNanoUsd),
      ).toEqual([0n, null]);
    });

    it('tells an answer of the cache from one that the loop guard gave again', async () => {
      const ledger = await store.open();
      const cached = makeRun('run_1', { cached: true });
      const reused = makeRun('run_2', { cached: true, reusedBy: 'loop_guard' });
      for (const run of [cached, reused]) {
        await ledger.openRun(run);
        expect(await ledger.run(run.id)).toEqual(run);
        await ledger.finishRun(finish(run, {}));
        expect(await ledger.run(run.id)).toEqual(finish(run, {}));
      }
    });

    it('stores a long text as it stores a short one', async () => {
      const ledger = await store.open();
      const text = 'long '.repeat(5_000);
      const first = makeRun('run_1', { input: { text } });
      const second = makeRun('run_2', { input: { text } });
      await Promise.all([ledger.openRun(first), ledger.openRun(second)]);
      await ledger.finishRun(finish(second, { output: { text } }));
      expect((await ledger.run('run_1'))?.input).toEqual({ text });
      expect((await ledger.run('run_2'))?.output).toEqual({ text });
    });

    it('INV-5: keeps the first receipt of a step that succeeded', async () => {
      const ledger = await store.open();
      await ledger.openRun(makeRun('run_1'));
      await ledger.recordStep(makeStep('run_1', 'mail', { kind: 'parse', output: 1 }));
      await ledger.recordStep(makeStep('run_1', 'mail', { kind: 'parse', output: 2 }));
      expect((await ledger.receipts('run_1')).get('mail')?.output).toBe(1);
    });

    it('refuses a second run of a caller with the same idempotency key, and writes the rows beside it', async () => {
      const ledger = await store.open();
      const results = await Promise.allSettled([
        ledger.openRun(makeRun('run_1', { idempotencyKey: 'k' })),
        ledger.openRun(makeRun('run_2', { idempotencyKey: 'k' })),
        ledger.openRun(
          makeRun('run_3', { idempotencyKey: 'k', caller: { name: 'ben', team: null, tier: null } }),
        ),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'IDEMPOTENCY_KEY_USED' });
      expect((await ledger.findByIdempotencyKey('ana', 'k'))?.id).toBe('run_1');
      expect((await ledger.findByIdempotencyKey('ben', 'k'))?.id).toBe('run_3');
      expect(await ledger.findByIdempotencyKey('ana', 'other')).toBeUndefined();
    });

    it('INV-5: finds the run of a key also while its row is being written, and by no other name', async () => {
      const ledger = await store.open();
      const opened = ledger.openRun(makeRun('run_1', { idempotencyKey: 'k' }));
      const found = await Promise.all(
        [
          ['ana', 'k'],
          ['ben', 'k'],
          ['ana', 'other'],
        ].map(([caller = '', key = '']) => ledger.findByIdempotencyKey(caller, key)),
      );
      expect(found.map((run) => run?.id)).toEqual(['run_1', undefined, undefined]);
      await opened;
    });

    it('finds the newest succeeded run for the cache', async () => {
      const ledger = await store.open();
      for (const [id, atMs] of [
        ['run_1', 1_000],
        ['run_2', 2_000],
      ] as const) {
        const run = makeRun(id, { startedAtMs: START_MS + atMs });
        await ledger.openRun(run);
        await ledger.finishRun(finish(run, { output: id }));
      }
      const failed = makeRun('run_3');
      await ledger.openRun(failed);
      await ledger.finishRun(finish(failed, { status: 'failed', output: null }));
      const hash = 'a'.repeat(64);
      expect((await ledger.findCached('task-1', hash, { sinceMs: START_MS }))?.output).toBe('run_2');
      expect(await ledger.findCached('task-2', hash, { sinceMs: START_MS })).toBeUndefined();
      expect(await ledger.findCached('task-1', hash, { sinceMs: START_MS + 60_000 })).toBeUndefined();
    });

    it('pages through runs by key, newest first, in both directions, with filters', async () => {
      const ledger = await store.open();
      await Promise.all(
        Array.from({ length: 7 }, (_, index) =>
          ledger.openRun(
            makeRun(`run_${index}`, { task: index % 2 === 0 ? 'even' : 'odd', tags: { n: String(index) } }),
          ),
        ),
      );
      const ids = async (...args: Parameters<Ledger['runs']>): Promise<string> => {
        const { rows, hasMore } = await ledger.runs(...args);
        return `${rows.map(({ id }) => id.slice(4)).join('')}${hasMore ? '+' : ''}`;
      };
      expect(await ids({}, { limit: 3 })).toBe('654+');
      expect(await ids({}, { limit: 3, after: 'run_4' })).toBe('321+');
      expect(await ids({}, { limit: 3, after: 'run_1' })).toBe('0');
      expect(await ids({}, { limit: 2, before: 'run_1', backwards: true })).toBe('32+');
      expect(await ids({}, { limit: 2, backwards: true })).toBe('10+');
      expect(await ids({ task: 'odd' }, { limit: 9 })).toBe('531');
      expect(await ids({ tag: { key: 'n', value: '4' } }, { limit: 9 })).toBe('4');
      expect(await ids({ caller: 'nobody' }, { limit: 9 })).toBe('');
      expect(await ids({ provider: 'openai' }, { limit: 9 })).toBe('');
    });
  });

  describe(`${name}: money`, () => {
    it('INV-2: holds with the attempt, settles with its close, and forgets neither when it is opened again', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1', { durable: true });
      await ledger.openRun(run);
      const first = makeAttempt('att_1', run);
      await Promise.all([
        ledger.openAttempt(first),
        ledger.openAttempt(makeAttempt('att_2', run, { heldTokens: 77 })),
      ]);
      await ledger.closeAttempt(settle(first), null);
      // Closing twice moves no money twice.
      await ledger.closeAttempt(settle(first, { costNanoUsd: 1n }), null);
      const again = await store.reopen(ledger);
      const posting = { budgetId: 'company', account: '', windowStartMs: START_MS };
      expect([...(await accountsOf(again)).settled(START_MS)]).toEqual([
        { posting, spending: { costNanoUsd: 3_000_000n, tokens: 1_020, calls: 1 } },
      ]);
      expect([...(await accountsOf(again)).open()]).toMatchObject([
        { attemptId: 'att_2', worst: { costNanoUsd: 5_000_000n, tokens: 77, calls: 1 }, postings: [posting] },
      ]);
    });

    it('INV-3: an attempt that a dead process left open is listed as unreconciled, and can be confirmed or released once', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1');
      await ledger.openRun(run);
      await ledger.openAttempt(makeAttempt('att_1', run));
      await ledger.openAttempt(makeAttempt('att_2', run));
      const again = await store.reopen(ledger);
      expect(again.recovered).toMatchObject({ unreconciled: 2, heldNanoUsd: 10_000_000n, interrupted: 1 });
      expect((await again.unreconciled()).map(({ id }) => id)).toEqual(['att_1', 'att_2']);
      expect((await again.run('run_1'))?.error?.code).toBe('RUN_INTERRUPTED');
      const [alert] = (await again.alerts({ limit: 5 })).rows;
      expect(alert).toMatchObject({
        kind: 'unreconciled',
        message: expect.stringContaining('$0.01 stays held') as string,
      });

      const confirmed = await again.reconcile('att_1', { kind: 'confirm', costNanoUsd: 4_000_000n });
      expect(confirmed).toMatchObject({ status: 'failed', costNanoUsd: 4_000_000n });
      await again.reconcile('att_2', { kind: 'release' });
      await expect(again.reconcile('att_1', { kind: 'release' })).rejects.toMatchObject({
        code: 'ATTEMPT_NOT_UNRECONCILED',
      });
      expect(await again.unreconciled()).toEqual([]);
      expect([...(await accountsOf(again)).open()]).toEqual([]);
      expect([...(await accountsOf(again)).settled(0)].map(({ spending }) => spending)).toEqual([
        { costNanoUsd: 4_000_000n, tokens: 1_400, calls: 1 },
      ]);
      expect((await again.run('run_1'))?.costNanoUsd).toBe(4_000_000n);
    });

    it('INV-1: a run costs what its attempts do, also those that are closed when it is over', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1');
      await ledger.openRun(run);
      const attempts = ['att_1', 'att_2'].map((id) => makeAttempt(id, run));
      for (const attempt of attempts) await ledger.openAttempt(attempt);
      await ledger.finishRun({ ...run, status: 'cancelled', finishedAtMs: START_MS + 9, latencyMs: 9 });
      for (const [index, attempt] of attempts.entries())
        await ledger.closeAttempt(settle(attempt), index === 0 ? makeStep('run_1', 'summary') : null);
      expect((await ledger.run('run_1'))?.costNanoUsd).toBe(6_000_000n);
      expect((await ledger.verify()).discrepancies).toEqual([]);
    });

    it('leaves durable runs for the runtime, with what they need to go on', async () => {
      const ledger = await store.open();
      const run = makeRun('run_1', { durable: true, status: 'queued', continuation: { allowance: 3 } });
      await ledger.openRun(run);
      await ledger.openRun({ ...run, status: 'running' });
      const again = await store.reopen(ledger);
      expect(await again.takeWaiting(10)).toEqual([{ ...run, status: 'running', begun: 2 }]);
      // Each is taken once.
      expect(await again.takeWaiting(10)).toEqual([]);
    });

    it('INV-11: announces what each commit holds, in order, and nothing that was refused', async () => {
      const ledger = await store.open();
      const seen: WrittenRow[] = [];
      ledger.onWritten((rows) => seen.push(...rows));
      const run = makeRun('run_1', { idempotencyKey: 'k' });
      await Promise.allSettled([
        ledger.openRun(run),
        ledger.openRun(makeRun('run_2', { idempotencyKey: 'k' })),
        ledger.openAttempt(makeAttempt('att_1', run)),
        ledger.closeAttempt(settle(makeAttempt('att_1', run)), null),
        ledger.finishRun(finish(run)),
      ]);
      expect(seen.map(({ kind }) => kind)).toEqual([
        'run_opened',
        'attempt_opened',
        'attempt_closed',
        'run_finished',
      ]);
    });
  });

  describe(`${name}: sums`, () => {
    it('INV-1: any span is the sum of its rows, by any dimensions, of any filter, whatever was pruned', async () => {
      const ledger = await store.open();
      const rows = await writeTraffic(ledger);
      const check = async (reads: readonly SpanRead[]): Promise<readonly SpanAnswer[]> => {
        const { answers } = await ledger.spans(reads);
        for (const [index, read] of reads.entries()) {
          expect(answers[index]?.complete).toBe(true);
          expect(sumsByGroup(answers[index]?.groups ?? [])).toEqual(sumsByGroup(scanned(rows, read)));
        }
        return answers;
      };
      const asked = fc.sample(spanReads, 60);
      for (const [number, reads] of asked.entries()) {
        const answers = await check(reads);
        // The dearest alone are those of the whole answer, with their latencies.
        const dearest = await ledger.spans(reads.map((read) => ({ ...read, first: 2 })));
        for (const [index, answer] of answers.entries()) {
          const { groups, ...rest } = dearest.answers[index] ?? { groups: [] };
          const { groups: all, ...others } = answer;
          expect(rest).toEqual(others);
          expect(groups.map(({ values }) => values)).toEqual(all.slice(0, 2).map(({ values }) => values));
          expect(sumsByGroup(groups)).toEqual(sumsByGroup(all.slice(0, 2)));
        }
        // One sum alone is that of the whole answer.
        const wanted = SUM_NAMES[number % SUM_NAMES.length] ?? 'runs';
        const alone = await ledger.spans(reads.map((read) => ({ ...read, sums: [wanted] })));
        const told = ({ groups, groupCount }: SpanAnswer): unknown => [
          groupCount,
          groups.map(({ values, sums }) => [
            values,
            sums.costNanoUsd,
            sums.runs,
            sums.attempts,
            sums[wanted],
            sums.latency,
          ]),
        ];
        expect(alone.answers.map(told)).toEqual(answers.map(told));
      }
      // Minutes and hours go, and what they told is read from rows.
      await ledger.prune(TRAFFIC_END_MS);
      for (const reads of asked) await check(reads);
      expect((await ledger.verify()).discrepancies.filter(({ kind }) => kind === 'rollup')).toEqual([]);
    });
  });

  describe(`${name}: what is not traffic`, () => {
    it('keeps revisions with their plans, newest first', async () => {
      const ledger = await store.open();
      const revision = {
        commit: 'c0ffee',
        author: 'Ana',
        subject: 'Cheaper summaries',
        dirty: false,
        source: 'workflows/',
        compiledAtMs: START_MS,
        activeFromMs: START_MS,
        activeToMs: null,
        problems: [],
        pinned: false,
      };
      await ledger.recordRevision({ ...revision, hash: 'h1' }, '{"plan":1}');
      await ledger.recordRevision({ ...revision, hash: 'h2' }, null);
      await ledger.recordRevision({ ...revision, hash: 'h1', activeToMs: START_MS + 1 }, null);
      expect((await ledger.revisions({ limit: 5 })).rows.map(({ hash }) => hash)).toEqual(['h2', 'h1']);
      expect((await ledger.revisionsByHash(['h1', 'h9'])).get('h1')?.activeToMs).toBe(START_MS + 1);
      expect(await ledger.planText('h1')).toBe('{"plan":1}');
      expect(await ledger.planText('h2')).toBeUndefined();
    });

    it('keeps switches until they are cleared', async () => {
      const ledger = await store.open();
      const off = { scope: 'task:summarize', reason: 'loop', by: 'guard:loop', sinceMs: START_MS };
      await ledger.setSwitch(off);
      await ledger.setSwitch({ ...off, scope: 'all' });
      await ledger.clearSwitch('all', 'ana', START_MS + 5);
      const again = await store.reopen(ledger);
      expect(await again.switches()).toEqual([off]);
      await again.clearSwitch('task:summarize', 'ana', START_MS + 6);
      await again.setSwitch({ ...off, reason: 'again' });
      expect((await again.switches()).map(({ reason }) => reason)).toEqual(['again']);
    });

    it('keeps keys by their hash, revoked for ever', async () => {
      const ledger = await store.open();
      const key = {
        id: 'key_1',
        hash: 'f'.repeat(64),
        hint: 'hg_abc',
        caller: 'ana',
        team: null,
        tier: 'trial',
        tags: { env: 'dev' },
        scopes: ['run:*'],
        createdAtMs: START_MS,
        expiresAtMs: null,
        revokedAtMs: null,
        lastUsedAtMs: null,
        requestsPerMinute: 60,
        maxBodyBytes: null,
      };
      await ledger.saveApiKey(key);
      ledger.touchApiKey('key_1', START_MS + 3);
      await ledger.revokeApiKey('key_1', START_MS + 5);
      await ledger.saveApiKey({ ...key, hint: 'hg_xyz' });
      expect(await ledger.apiKeys()).toEqual([
        { ...key, hint: 'hg_xyz', lastUsedAtMs: START_MS + 3, revokedAtMs: START_MS + 5 },
      ]);
    });

    it('keeps alerts, newest first', async () => {
      const ledger = await store.open();
      const alert = {
        id: 'alr_1',
        kind: 'unreconciled' as const,
        severity: 'warning' as const,
        message: 'm',
        remedy: 'r',
        scope: 'all',
        atMs: START_MS,
        runId: null,
        details: { repeats: 20 },
      };
      await ledger.recordAlert(alert);
      await ledger.recordAlert({ ...alert, id: 'alr_2' });
      expect((await ledger.alerts({ limit: 5 })).rows).toEqual([{ ...alert, id: 'alr_2' }, alert]);
      await ledger.acknowledgeAlert('alr_2', 'ana', START_MS + 1);
      await ledger.acknowledgeAlert('alr_2', 'ben', START_MS + 2);
      await ledger.acknowledgeAlert('alr_unknown', 'ben', START_MS + 2);
      const acknowledged = { by: 'ana', atMs: START_MS + 1 };
      expect((await ledger.alerts({ limit: 5 })).rows).toEqual([
        { ...alert, id: 'alr_2', acknowledged },
        alert,
      ]);
      expect(await ledger.alert('alr_2')).toEqual({ ...alert, id: 'alr_2', acknowledged });
      expect(await ledger.alert('alr_unknown')).toBeUndefined();
    });
  });
}
