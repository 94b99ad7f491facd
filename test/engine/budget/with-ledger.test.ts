// Budgets on the real ledger: what a process knows when it ends is what the next one knows when it starts.
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { Budgets, Hold } from '../../../src/engine/budget/port.ts';
import { seededRandom } from '../../../src/common/random.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import type { PlanBudget, PlanWindow } from '../../../src/language/plan/types.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { budgetOf, callerOf, DAY, planOf, requestOf, usd } from './support.ts';

const START = Date.UTC(2026, 5, 30, 20);
const WEEK: PlanWindow = { kind: 'calendar', unit: 'week', timeZone: 'UTC' };
const plenty = { limit: { unit: 'usd', nanoUsd: 10_000_000_000n } } as const;

/** The first stays; the others come, go, and count otherwise. */
const plans: readonly (readonly PlanBudget[])[] = [
  [budgetOf('company', plenty)],
  [budgetOf('company', plenty), budgetOf('caller', { ...plenty, each: { kind: 'caller' }, per: DAY })],
  [
    budgetOf('company', { ...plenty, per: DAY }),
    budgetOf('team', { ...plenty, each: { kind: 'team' }, per: WEEK }),
  ],
  [
    budgetOf('company', { ...plenty, each: { kind: 'tag', tag: 'env' } }),
    budgetOf('caller', {
      ...plenty,
      each: { kind: 'caller' },
      scope: { kind: 'provider', provider: 'openai' },
    }),
    budgetOf('calls', {
      limit: { unit: 'calls', calls: 1_000_000 },
      scope: { kind: 'task', task: 'review' },
      per: DAY,
    }),
  ],
];

const people = [
  callerOf('ana', { team: 'red' }),
  callerOf('ben', { team: 'red' }),
  callerOf('cy', { team: 'blue' }),
  callerOf('dee'),
];

interface Open {
  readonly hold: Hold;
  /** Resolves when budgets and ledger agree again; the ledger's transaction may still be under way. */
  readonly close: (costNanoUsd: bigint) => Promise<void>;
}

function shown(budgets: Budgets): unknown[] {
  return budgets
    .views()
    .filter(({ spent, held, calls }) => spent !== 0n || held !== 0n || calls !== 0)
    .map(
      ({ budget, account, spent, held, calls }) =>
        `${budget.id}/${account}: ${spent} spent, ${held} held, ${calls} calls`,
    )
    .toSorted();
}

describe('budgets on the real ledger', () => {
  it.each([1, 2, 3])(
    'INV-3, INV-7: find everything again after reloads and restarts (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const below = (limit: number): number => Math.floor(random() * limit);
      const clock = createSimulatedClock(START);
      const path = ledgerPath();
      let ledger: Ledger = await openTestLedger(path, { clock });
      let plan = plans[0] ?? [];
      const start = (): Budgets => {
        const made = createBudgets({ clock, accounts: ledger.accounts, matches: () => true });
        made.configure(planOf(...plan));
        return made;
      };
      let budgets = start();
      let open: Open[] = [];
      let calls = 0;
      const writes: Promise<unknown>[] = [];

      const hold = (): void => {
        calls += 1;
        const caller = people[below(people.length)] ?? callerOf('nobody');
        const provider = below(2) === 0 ? 'openai' : 'anthropic';
        const tags = below(2) === 0 ? { env: `e${below(2)}` } : {};
        const task = below(2) === 0 ? 'review' : 'summarize';
        const worst = usd(BigInt(1 + below(1_000_000)), 2000);
        const run = makeRun(`run_${calls}`, {
          task,
          tags,
          caller: { name: caller.name, team: caller.team, tier: caller.tier },
          startedAtMs: clock.nowMs(),
        });
        const attemptId = `att_${calls}`;
        const model = 'gpt-5.6-luna';
        const held = budgets.hold(
          requestOf(0n, {
            runId: run.id,
            attemptId,
            task,
            provider,
            model: `${provider}/${model}`,
            caller,
            tags,
            worst,
          }),
        );
        if (!held.ok) throw new Error(`refused by ${held.error.budgetId}`);
        const { value } = held;
        const attempt = makeAttempt(attemptId, run, {
          provider,
          postings: value.postings,
          heldNanoUsd: worst.costNanoUsd,
          inputTokens: 1000,
          outputTokens: 1000,
        });
        writes.push(ledger.openRun(run), ledger.openAttempt(attempt));
        open.push({
          hold: value,
          close: async (costNanoUsd) => {
            budgets.settle(value, usd(costNanoUsd, 1020));
            const closed = settle({ ...attempt, postings: value.postings }, { costNanoUsd });
            writes.push(ledger.closeAttempt(closed, null), ledger.finishRun(finish(run, { costNanoUsd })));
          },
        });
      };

      /** Like a crash as far as budgets can tell: what was open stays open. */
      const restart = async (): Promise<void> => {
        await Promise.all(writes.splice(0));
        const before = shown(budgets);
        await ledger.close();
        ledger = await openTestLedger(path, { clock });
        budgets = start();
        expect(shown(budgets)).toEqual(before);
        open = [...ledger.accounts.open()].map((recovered) => ({
          hold: recovered,
          // The ledger first: until it knows, the hold stays.
          close: async (costNanoUsd) => {
            await ledger.reconcile(recovered.attemptId, { kind: 'confirm', costNanoUsd });
            budgets.settle(recovered, usd(costNanoUsd, 2000));
          },
        }));
      };

      const closeOne = async (): Promise<void> => {
        const [one] = open.splice(below(open.length), 1);
        if (one !== undefined) await one.close((one.hold.worst.costNanoUsd * BigInt(below(101))) / 100n);
      };

      for (let step = 0; step < 100; step += 1) {
        const dice = random();
        if (dice < 0.5) hold();
        else if (dice < 0.8) await closeOne();
        else if (dice < 0.9) {
          plan = plans[below(plans.length)] ?? [];
          budgets.configure(planOf(...plan));
        } else if (dice < 0.94) await restart();
        else {
          // Past attempts are added up by the minute or hour in which they ended: for exact sums, none may end in another window than it was held in.
          while (open.length > 0) await closeOne();
          await clock.advance(3_600_000 * below(6));
        }
      }
      await restart();
      expect(calls).toBeGreaterThan(20);
    },
  );
});
