// Budgets against a plain model: random budgets, windows, prices, schedules, failures, clock jumps, reloads and crashes.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { Budgets, Hold, HoldRequest } from '../../../src/engine/budget/port.ts';
import type { PlanBudget, PlanWindow } from '../../../src/language/plan/types.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { createFakeLedger } from './fake-ledger.ts';
import { type Attempt, modelAccount, modelAmount, modelApplies, modelLimit, modelSums } from './model.ts';
import { budgetOf, callerOf, planOf, usd } from './support.ts';
import { sized } from '../../support/cases.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const window: fc.Arbitrary<PlanWindow> = fc.oneof(
  fc
    .constantFrom('minute', 'hour', 'day', 'week', 'month')
    .map((unit): PlanWindow => ({ kind: 'calendar', unit, timeZone: 'UTC' })),
  fc
    .constantFrom(MINUTE_MS, 90_000, HOUR_MS, 5 * HOUR_MS, DAY_MS, 30 * DAY_MS)
    .map((ms): PlanWindow => ({ kind: 'rolling', ms })),
);

const limit: fc.Arbitrary<PlanBudget['limit']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.bigInt(0n, 3_000_000_000n).map((nanoUsd) => ({ unit: 'usd' as const, nanoUsd })),
  },
  { weight: 1, arbitrary: fc.nat(3000).map((tokens) => ({ unit: 'tokens' as const, tokens })) },
  { weight: 1, arbitrary: fc.nat(12).map((calls) => ({ unit: 'calls' as const, calls })) },
);

const scope: fc.Arbitrary<PlanBudget['scope']> = fc.constantFrom(
  { kind: 'all' as const },
  { kind: 'all' as const },
  { kind: 'provider' as const, provider: 'p0' },
  { kind: 'model' as const, model: 'p0/m1' },
  { kind: 'task' as const, task: 't1' },
);

const each: fc.Arbitrary<PlanBudget['each']> = fc.constantFrom(
  null,
  null,
  { kind: 'caller' as const },
  { kind: 'team' as const },
  { kind: 'tag' as const, tag: 'feature' },
);

/** A budget's `when` stays with its id, as a counter does when only the condition is edited. */
function budget(id: string, when: string | null): fc.Arbitrary<PlanBudget> {
  return fc
    .record({
      scope,
      each,
      limit,
      per: window,
      action: fc.constantFrom('reject', 'reject', 'downgrade', 'warn'),
    })
    .map(({ action, ...given }) => budgetOf(id, { ...given, when, then: action, warnAt: [0.5, 0.9] }));
}

const perRun = budgetOf('run', { per: { kind: 'run' }, limit: { unit: 'usd', nanoUsd: 900_000_000n } });

/** Each budget is in a plan or not; where it is in two plans it may differ in everything. */
const plan: fc.Arbitrary<readonly PlanBudget[]> = fc
  .tuple(
    fc.option(budget('a', null), { freq: 6 }),
    fc.option(budget('b', null), { freq: 3 }),
    fc.option(budget('c', 'trial'), { freq: 3 }),
  )
  .map((budgets) => [...budgets.filter((one) => one !== null), perRun]);

type Command =
  | {
      readonly kind: 'hold';
      readonly who: number;
      readonly run: number;
      readonly on: number;
      readonly cost: bigint;
      readonly tokens: number;
    }
  | { readonly kind: 'settle'; readonly pick: number; readonly percent: number }
  | { readonly kind: 'release'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'configure'; readonly plan: number }
  | { readonly kind: 'endRun'; readonly run: number }
  | { readonly kind: 'crash' };

/** Some worlds let hours and months pass, others stay within a window, where reloads and crashes meet what was spent. */
function commandAt(longestMs: number): fc.Arbitrary<Command> {
  const span = fc.oneof(fc.nat(1000), fc.nat(Math.ceil(longestMs / 100)), fc.nat(longestMs));
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('hold' as const),
        who: fc.nat(3),
        run: fc.nat(4),
        on: fc.nat(3),
        cost: fc.oneof(fc.bigInt(0n, 1_000_000_000n), fc.bigInt(0n, 100n)),
        tokens: fc.nat(1000),
      }),
    },
    // Now and then a provider bills beyond the worst case.
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('settle' as const),
        pick: fc.nat(),
        percent: fc.oneof({ weight: 12, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(250) }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: span }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('jump' as const),
        ms: fc.tuple(span, fc.constantFrom(1, -1)).map(([ms, sign]) => ms * sign),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('configure' as const), plan: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('endRun' as const), run: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  );
}

const callers = [
  callerOf('ana', { team: 'red', tier: 'trial' }),
  callerOf('ben', { team: 'red' }),
  callerOf('cy', { team: 'blue', tier: 'trial' }),
  callerOf('dee'),
];

class World {
  readonly #clock = createSimulatedClock(Date.UTC(2026, 0, 28, 22));
  readonly #matches = (one: PlanBudget, request: HoldRequest): boolean => request.caller.tier === one.when;
  readonly #ledger = createFakeLedger(this.#matches);
  readonly #attempts: Attempt[] = [];
  readonly #open: { readonly hold: Hold; readonly attempt: Attempt; isOurs: boolean }[] = [];
  readonly #endedRuns = new Set<string>();
  readonly #plans: readonly (readonly PlanBudget[])[];
  readonly #hasReloads: boolean;
  #current: readonly PlanBudget[];
  #budgets: Budgets;
  /** The process's own time: it does not go back. */
  #latestMs = 0;
  #runs = 0;

  constructor(plans: readonly (readonly PlanBudget[])[]) {
    this.#plans = plans;
    this.#hasReloads = plans.length > 1;
    this.#current = plans[0] ?? [];
    this.#budgets = this.#boot();
  }

  #boot(): Budgets {
    const budgets = createBudgets({ clock: this.#clock, accounts: this.#ledger, matches: this.#matches });
    budgets.configure(planOf(...this.#current));
    this.#now();
    return budgets;
  }

  #now(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#clock.nowMs());
    return this.#latestMs;
  }

  async run(command: Command): Promise<void> {
    switch (command.kind) {
      case 'hold':
        this.#hold(command);
        break;
      case 'settle':
      case 'release':
        this.#close(command);
        break;
      case 'wait':
        await this.#clock.advance(command.ms);
        break;
      case 'jump':
        this.#clock.setWallMs(this.#clock.nowMs() + command.ms);
        break;
      case 'configure':
        this.#now();
        this.#current = this.#plans[command.plan % this.#plans.length] ?? [];
        this.#budgets.configure(planOf(...this.#current));
        break;
      case 'endRun':
        this.#endRun(`run_${this.#runs}_${command.run}`);
        break;
      case 'crash':
        // A clock set back over a restart brings back windows from before a budget was added or changed, which nobody counted for it.
        if (this.#hasReloads) this.#clock.setWallMs(this.#now());
        this.#latestMs = 0;
        this.#budgets = this.#boot();
        for (const one of this.#open) one.isOurs = false;
        break;
    }
    this.#check();
  }

  #hold({ who, run, on, cost, tokens }: Extract<Command, { kind: 'hold' }>): void {
    const provider = `p${on % 2}`;
    const request: HoldRequest = {
      runId: `run_${this.#runs}_${run}`,
      attemptId: `att_${this.#attempts.length}`,
      task: `t${on >> 1}`,
      provider,
      model: `${provider}/m${on >> 1}`,
      caller: callers[who] ?? callerOf('nobody'),
      tags: who % 2 === 0 ? { feature: `f${on}` } : {},
      worst: usd(cost, tokens),
    };
    const before = this.#current.filter((one) => modelApplies(one, request));
    const fits = this.#budgets.fits(request);
    const outcome = this.#budgets.hold(request);
    const nowMs = this.#now();
    // Both ask the same question.
    expect(fits === undefined).toBe(outcome.ok);
    const overBy = (one: PlanBudget, slackMs: number): bigint => {
      const { spent, held } = modelSums(one, modelAccount(one, request), this.#attempts, nowMs, slackMs);
      const amount = modelAmount(one, request.worst);
      return amount === 0n ? 0n : spent + held + amount - modelLimit(one);
    };
    const hard = before.filter((one) => one.then !== 'warn');
    if (outcome.ok) {
      // INV-2, and in every real span of a rolling window too.
      for (const one of hard) expect(overBy(one, 0)).toBeLessThanOrEqual(0n);
      const softly = before.filter(
        (one) => one.then === 'warn' && one.per.kind !== 'rolling' && overBy(one, 0) > 0n,
      );
      expect(outcome.value.exceededSoftly).toEqual(expect.arrayContaining(softly.map(({ id }) => id)));
      const attempt: Attempt = { request, heldAtMs: nowMs, state: 'open', actual: usd(0n, 0, 0) };
      this.#attempts.push(attempt);
      this.#open.push({ hold: outcome.value, attempt, isOurs: true });
      this.#ledger.opened(outcome.value, request, nowMs);
    } else {
      const { error } = outcome;
      const guilty = hard.find(({ id }) => id === error.budgetId);
      if (guilty === undefined) throw new Error(`refused by ${error.budgetId}, which does not apply`);
      expect(overBy(guilty, slackOf(guilty))).toBeGreaterThan(0n);
      expect(error.spent + error.held + error.needed).toBeGreaterThan(error.limit);
    }
  }

  #close(command: Extract<Command, { kind: 'settle' | 'release' }>): void {
    if (this.#open.length === 0) return;
    const [closing] = this.#open.splice(command.pick % this.#open.length, 1);
    if (closing === undefined) return;
    const { hold, attempt, isOurs } = closing;
    const { worst } = hold;
    const percent = command.kind === 'settle' ? command.percent : 0;
    const actual =
      command.kind === 'release'
        ? usd(0n, 0, 0)
        : usd((worst.costNanoUsd * BigInt(percent)) / 100n, Math.floor((worst.tokens * percent) / 100));
    this.#now();
    if (command.kind === 'release') this.#budgets.release(hold);
    else this.#budgets.settle(hold, actual);
    this.#ledger.closed(hold.attemptId, isOurs ? hold.postings : null, actual);
    attempt.state = 'settled';
    attempt.actual = actual;
    // Again: nothing happens.
    this.#budgets.settle(hold, worst);
  }

  #endRun(runId: string): void {
    if (this.#open.some(({ attempt }) => attempt.request.runId === runId)) return;
    this.#budgets.endRun(runId);
    this.#ledger.runEnded(runId);
    this.#endedRuns.add(runId);
    this.#runs += 1;
  }

  /** Every account of every budget is what the model says it is, to the nano-dollar; a rolling one is careful by two buckets at most. */
  #check(): void {
    // Both look at the clock now, so that both know the same latest time.
    this.#budgets.views({ budgetId: 'none' });
    const nowMs = this.#now();
    for (const one of this.#current) {
      const accounts = new Set(
        this.#attempts
          .filter(({ request }) => modelApplies(one, request))
          .map(({ request }) => modelAccount(one, request)),
      );
      for (const account of accounts) {
        if (this.#endedRuns.has(account)) continue;
        const [view] = this.#budgets.views({ budgetId: one.id, account });
        const shown = { spent: view?.spent ?? 0n, held: view?.held ?? 0n, calls: view?.calls ?? 0 };
        const exact = modelSums(one, account, this.#attempts, nowMs);
        if (one.per.kind !== 'rolling') {
          expect(shown, `${one.id}/${account}`).toEqual(exact);
          continue;
        }
        const careful = modelSums(one, account, this.#attempts, nowMs, slackOf(one));
        expect(shown.spent).toBeGreaterThanOrEqual(exact.spent);
        expect(shown.spent).toBeLessThanOrEqual(careful.spent);
        expect(shown.held).toBeGreaterThanOrEqual(exact.held);
        expect(shown.held).toBeLessThanOrEqual(careful.held);
      }
    }
  }
}

function slackOf({ per, each }: PlanBudget): number {
  return per.kind === 'rolling' ? 2 * Math.ceil(per.ms / (each === null ? 64 : 24)) + 1 : 0;
}

const commands = fc
  .constantFrom(MINUTE_MS, HOUR_MS, DAY_MS, 40 * DAY_MS)
  .chain((longestMs) => fc.array(commandAt(longestMs), { minLength: 1, maxLength: 80, size: 'max' }));

async function agrees(plans: readonly (readonly PlanBudget[])[], given: readonly Command[]): Promise<void> {
  const world = new World(plans);
  for (const one of given) await world.run(one);
}

describe('budgets against a model', () => {
  it('INV-1, INV-2, INV-7: spent and held agree with the model to the nano-dollar through reloads, crashes and clock jumps', async () => {
    await fc.assert(fc.asyncProperty(fc.tuple(plan, plan, plan), commands, agrees), { numRuns: sized(150) });
  });

  it('INV-2: a clock set back, over restarts too, frees no money', async () => {
    await fc.assert(fc.asyncProperty(fc.tuple(plan), commands, agrees), { numRuns: sized(100) });
  });
});
