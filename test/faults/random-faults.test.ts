// Thousands of random sequences of faults on a simulated clock: each run ends in time, within its attempts, and leaves nothing held.
import { beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/common/random.ts';
import type { Random } from '../../src/common/random.ts';
import type { RunResult } from '../../src/engine/execution/port.ts';
import { loadTokenizer } from '../../src/engine/execution/tokens.ts';
import type { Plan, PlanModelStep, PlanStep } from '../../src/language/plan/types.ts';
import type { ErrorClass } from '../../src/engine/providers/port.ts';
import { sized } from '../support/cases.ts';
import { memoryFixture } from '../support/engine-fixture.ts';
import { model, modelStep, plan, policy, rates, rule, task, template } from '../support/engine-plan.ts';
import type { Scripted } from '../support/scripted-provider.ts';

const SEQUENCES = sized(3_000);
/** A new engine after so many runs: breakers, gates and budgets carry over within. */
const RUNS_AN_ENGINE = 20;
const SEED = 20_260_301;

const FAULTS: readonly ErrorClass[] = [
  'rate_limited',
  'quota_exhausted',
  'overloaded',
  'server_error',
  'connection',
  'cut_stream',
  'malformed_stream',
  'authentication',
  'model_not_found',
  'invalid_request',
  'context_length',
  'content_filter',
  'unknown',
];

function pick<Value>(random: Random, from: readonly Value[]): Value {
  return from[Math.floor(random() * from.length)] as Value;
}

/** One call's behaviour: a good answer, a fault, a slow one, or silence. */
function behaviour(random: Random): Scripted {
  const afterMs = random() < 0.6 ? 0 : Math.floor(random() ** 3 * 40_000);
  const roll = random();
  if (roll < 0.35) return { text: 'fine', afterMs, ...(random() < 0.2 ? { usage: null } : {}) };
  if (roll < 0.42) return { silent: true };
  if (roll < 0.47) return { text: 'wrong', afterMs };
  const retryAfterMs = Math.floor(random() * 20_000);
  return {
    fail: pick(random, FAULTS),
    afterMs,
    billed: pick(random, ['no', 'maybe', 'yes']),
    deltas: random() < 0.5 ? ['some ', 'text'] : [],
    deltaEveryMs: Math.floor(random() * 3_000),
    ...(random() < 0.3 ? { retryAfterMs } : {}),
  };
}

/** A child task for each of two items, side by side. */
const CALLS: PlanStep = {
  kind: 'task',
  key: 'call',
  after: [],
  when: null,
  each: { list: '["x", "y"]', as: 'item', concurrent: 2 },
  outputSchema: {},
  task: 'inner',
  input: { kind: 'object', members: { text: template('${{ item }}') } },
};

/** Routes of all kinds: hedged, limited in rate, over a list, by child tasks, tight and wide allowances. */
function plans(random: Random): readonly Plan[] {
  return Array.from({ length: 24 }, (_, number) => {
    const names = ['a/one', 'b/two', 'c/three', 'd/four'].slice(0, 1 + (number % 4));
    const models = names.map((key, index) =>
      model(key, {
        price: rates(BigInt(index + 1)),
        contextTokens: 50_000 * (index + 1),
        limits: { requests: random() < 0.3 ? { amount: 3, perMs: 10_000 } : null, tokens: null },
        policy: {
          ...policy,
          timeoutMs: pick(random, [1_000, 5_000, 30_000]),
          retry: { ...policy.retry, attempts: Math.floor(random() * 4) },
          bulkhead: { concurrent: pick(random, [1, 2, 32]), queue: pick(random, [0, 2, 128]) },
          circuitBreaker:
            random() < 0.5
              ? { kind: 'consecutive', failures: 3, halfOpenAfterMs: 5_000 }
              : policy.circuitBreaker,
        },
      }),
    );
    const hedge =
      random() < 0.4
        ? { after: { kind: 'delay' as const, ms: pick(random, [0, 100, 2_000]) }, atMost: 2 }
        : null;
    const step: Partial<PlanModelStep> = {
      accept: 'output.text != "wrong"',
      ...(number % 3 === 0 ? { each: { list: '["x", "y", "z"]', as: 'item', concurrent: 2 } } : {}),
    };
    const allowance = {
      deadlineMs: pick(random, [500, 5_000, 60_000]),
      attempts: pick(random, [1, 3, 8, 20]),
      costNanoUsd: random() < 0.3 ? 2_000_000n : null,
    };
    const rules = [
      rule(names, { pick: pick(random, ['first', 'cheapest', 'fastest', 'balanced', 'weighted']), hedge }),
    ];
    const work = modelStep('say', rules, step);
    const whole = { allowance, output: template('${{ steps.say }}') };
    const inner = { ...allowance, attempts: Math.max(1, allowance.attempts - 1) };
    const tasks =
      number % 4 === 1
        ? [
            task('write', [CALLS], { ...whole, output: template('${{ steps.call }}') }),
            task('inner', [work], { ...whole, allowance: inner }),
          ]
        : [task('write', [work], whole)];
    return plan({
      models,
      tasks,
      budgets: [
        {
          id: 'company',
          name: 'company',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'usd', nanoUsd: 40_000_000n },
          per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          warnAt: [],
          then: number % 2 === 0 ? 'reject' : 'downgrade',
        },
      ],
    });
  });
}

const runIdOf = (result: RunResult): string =>
  (result.kind === 'run' ? result.snapshot.run.id : 'runId' in result ? result.runId : null) ?? '';

beforeAll(loadTokenizer);

describe(`${SEQUENCES.toLocaleString('en')} random sequences of faults (seed ${SEED})`, () => {
  test(
    'INV-2, INV-4: end within their deadline, with no more calls than attempts allowed, all settled, nothing held',
    { timeout: 120_000 },
    async () => {
      const random = seededRandom(SEED);
      const all = plans(random);
      let answered = 0;
      for (let sequence = 0; sequence < SEQUENCES; sequence += RUNS_AN_ENGINE) {
        const given = all[(sequence / RUNS_AN_ENGINE) % all.length] as Plan;
        const fixture = memoryFixture(given, () => behaviour(random), { seed: sequence });
        const { allowance } = given.tasks['write'] as Plan['tasks'][string];
        const { clock, budgets, recorder } = fixture;
        const pending: Promise<{ readonly result: RunResult; readonly tookMs: number }>[] = [];
        for (let index = 0; index < RUNS_AN_ENGINE; index += 1) {
          const beganMs = clock.monotonicMs();
          const controller = new AbortController();
          if (random() < 0.1) clock.after(Math.floor(random() * 5_000), () => controller.abort());
          pending.push(
            fixture
              .run('write', { stream: random() < 0.5, signal: controller.signal })
              .then((result) => ({ result, tookMs: clock.monotonicMs() - beganMs })),
          );
          await clock.advance(Math.floor(random() * 4_000));
        }
        for (const { result, tookMs } of await clock.settle(Promise.all(pending))) {
          expect(tookMs).toBeLessThanOrEqual(allowance.deadlineMs);
          const id = runIdOf(result);
          const within = (runId: string): boolean => runId === id || runId.startsWith(`${id}.`);
          const rows = [...recorder.rows.attempts.values()].filter(({ runId }) => within(runId));
          expect(rows.length).toBeLessThanOrEqual(allowance.attempts);
          expect(rows.every(({ status }) => status !== 'open')).toBe(true);
          let spent = 0n;
          for (const run of recorder.rows.runs.values()) {
            if (!within(run.id)) continue;
            expect(run.finishedAtMs).not.toBeNull();
            const own = rows.filter(({ runId }) => runId === run.id);
            expect(run.costNanoUsd).toBe(own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
            spent += run.costNanoUsd;
          }
          if (allowance.costNanoUsd !== null) expect(spent).toBeLessThanOrEqual(allowance.costNanoUsd);
          if (result.kind === 'run' && result.snapshot.run.status === 'succeeded') answered += 1;
        }
        // Every call that reached a provider has a row, and every row was a call.
        expect(recorder.rows.attempts.size).toBe(fixture.providers.calls.length);
        const [view] = budgets.views({ budgetId: 'company' });
        expect(view?.held ?? 0n).toBe(0n);
        expect(view?.spent ?? 0n).toBeLessThanOrEqual(40_000_000n);
        expect(view?.spent ?? 0n).toBe(
          [...recorder.rows.attempts.values()].reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n),
        );
      }
      // The faults are many, not so many that nothing gets through: the sums above are of real work.
      expect(answered / SEQUENCES).toBeGreaterThan(0.2);
    },
  );
});
