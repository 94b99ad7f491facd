// Whatever happens, in whatever order, all sums agree with a model that adds by hand.
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { AttemptRecord, RunRecord } from '../../src/engine/execution/records.ts';
import { createStats } from '../../src/ledger/stats/stats.ts';
import { sized } from '../support/cases.ts';
import { ledgerPath } from '../support/ledger-folder.ts';
import { START_MS, costAtRates, finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const HOUR_MS = 3_600_000;
const clock = { ...systemClock, nowMs: () => START_MS + 20 * HOUR_MS };

type Step =
  | { readonly do: 'run'; readonly caller: string; readonly atMs: number; readonly durable: boolean }
  | { readonly do: 'attempt'; readonly run: number; readonly provider: string; readonly held: number }
  | { readonly do: 'close'; readonly attempt: number; readonly tokens: number; readonly failed: boolean }
  | { readonly do: 'finish'; readonly run: number }
  | { readonly do: 'reopen' }
  | { readonly do: 'reconcile'; readonly confirm: boolean };

const index = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      caller: fc.constantFrom('ana', 'ben'),
      atMs: fc.nat({ max: 20 * HOUR_MS }),
      durable: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('attempt' as const),
      run: index,
      provider: fc.constantFrom('openai', 'anthropic'),
      held: fc.nat({ max: 1_000_000 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      attempt: index,
      tokens: fc.nat({ max: 5_000 }),
      failed: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), run: index }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconcile' as const), confirm: fc.boolean() }) },
);

it(
  'INV-1: roll-ups, budget windows, runs and statistics are the sums of their rows',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const path = ledgerPath();
        const open = (): ReturnType<typeof openLedger> =>
          openLedger({ path, synchronous: 'normal', clock, writer: 'inline' });
        let ledger = await open();
        let stats = createStats({ ledger, clock });
        await stats.costStats({ window: 'DAY', by: ['PROVIDER'] });
        const runs: RunRecord[] = [];
        const attempts: AttemptRecord[] = [];
        const spent = new Map<string, bigint>();
        const closed = new Set<string>();
        const writes: Promise<void>[] = [];
        const pay = (attempt: AttemptRecord, costNanoUsd: bigint): void => {
          closed.add(attempt.id);
          spent.set(attempt.provider, (spent.get(attempt.provider) ?? 0n) + costNanoUsd);
        };
        for (const each of steps) {
          if (each.do === 'run') {
            const run = makeRun(`run_${runs.length}`, {
              caller: { name: each.caller, team: null, tier: null },
              startedAtMs: START_MS + each.atMs,
              durable: each.durable,
            });
            runs.push(run);
            writes.push(ledger.openRun(run));
          } else if (each.do === 'attempt') {
            const run = runs[each.run % Math.max(1, runs.length)];
            if (run === undefined) continue;
            const attempt = makeAttempt(`att_${attempts.length}`, run, {
              provider: each.provider,
              heldNanoUsd: BigInt(each.held),
              postings: [
                { budgetId: 'all', account: '', windowStartMs: START_MS },
                { budgetId: 'caller', account: run.caller.name, windowStartMs: START_MS },
                { budgetId: 'run', account: run.id, windowStartMs: 0 },
              ],
            });
            attempts.push(attempt);
            writes.push(ledger.openAttempt(attempt));
          } else if (each.do === 'close') {
            const attempt = attempts[each.attempt % Math.max(1, attempts.length)];
            if (attempt === undefined) continue;
            const costNanoUsd = costAtRates(each.tokens, each.tokens);
            const fields = { inputTokens: each.tokens, outputTokens: each.tokens, costNanoUsd };
            if (!closed.has(attempt.id)) pay(attempt, costNanoUsd);
            writes.push(
              ledger.closeAttempt(
                settle(attempt, { ...fields, status: each.failed ? 'failed' : 'succeeded' }),
                null,
              ),
            );
          } else if (each.do === 'finish') {
            const run = runs[each.run % Math.max(1, runs.length)];
            if (run !== undefined) writes.push(ledger.finishRun(finish(run)));
          } else if (each.do === 'reopen') {
            await Promise.all(writes.splice(0));
            stats.close();
            await ledger.close();
            ledger = await open();
            stats = createStats({ ledger, clock });
            await stats.costStats({ window: 'DAY', by: ['PROVIDER'] });
          } else {
            await Promise.all(writes.splice(0));
            const [attempt] = await ledger.unreconciled();
            if (attempt === undefined) continue;
            await ledger.reconcile(attempt.id, { kind: each.confirm ? 'confirm' : 'release' });
            pay(attempt, each.confirm ? attempt.heldNanoUsd : 0n);
          }
        }
        await Promise.all(writes);
        expect((await ledger.verify()).discrepancies).toEqual([]);
        const live = await stats.costStats({ window: 'DAY', by: ['PROVIDER'] });
        const read = await createStats({ ledger, clock }).costStats({ window: 'DAY', by: ['PROVIDER'] });
        expect(read).toEqual(live);
        const total = [...spent.values()].reduce((sum, cost) => sum + cost, 0n);
        expect(live.total.costNanoUsd).toBe(total);
        expect(live.total.attempts).toBe(closed.size);
        for (const { keys, bucket } of live.groups)
          expect(bucket.costNanoUsd).toBe(spent.get(keys[0]?.value ?? '') ?? 0n);
        const posted = [...ledger.accounts.settled(START_MS)].filter(
          ({ posting }) => posting.budgetId === 'all',
        );
        expect(posted.reduce((sum, { spending }) => sum + spending.costNanoUsd, 0n)).toBe(total);
        const held = [...ledger.accounts.open()].reduce((sum, { worst }) => sum + worst.costNanoUsd, 0n);
        expect(held).toBe(
          attempts
            .filter(({ id }) => !closed.has(id))
            .reduce((sum, { heldNanoUsd }) => sum + heldNanoUsd, 0n),
        );
        stats.close();
        await ledger.close();
        rmSync(dirname(path), { recursive: true, force: true });
      }),
      { numRuns: sized(15) },
    );
  },
);
