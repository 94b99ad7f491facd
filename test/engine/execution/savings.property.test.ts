// What runs saved against a baseline, through the engine and the ledger: the parts add up to what the baseline would have cost less what was paid,
// whatever was chosen, rejected, raced, failed or answered from the cache.
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { costOf } from '../../../src/engine/routing/cost.ts';
import type { AttemptRecord } from '../../../src/engine/execution/records.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { PlanPrice } from '../../../src/language/plan/types.ts';
import type { SavingCause, SavingsSum } from '../../../src/ledger/stats/port.ts';
import { createSpanStats } from '../../../src/ledger/stats/spans.ts';
import { drive, scriptedFixture } from '../../support/engine-fixture.ts';
import { model, modelStep, plan, policy, rule, task } from '../../support/engine-plan.ts';
import type { Scripted } from '../../support/scripted-provider.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

beforeAll(loadTokenizer);

/** Nano-dollars a million tokens; a read from the prompt cache costs a tenth, a write a quarter more; with a fee a call. */
function priced(input: bigint, output: bigint, request = 0n): PlanPrice {
  const tier = { cacheWrite: (input * 5n) / 4n, output, reasoning: output, request };
  return {
    kind: 'rates',
    source: 'yaml',
    tiers: [
      { fromInputTokens: 0, input, cachedInput: input / 10n, ...tier },
      { fromInputTokens: 3_000, input: input * 2n, cachedInput: input / 5n, ...tier },
    ],
  };
}

const BASELINE = 'big/large';
const impatient = { ...policy, retry: { ...policy.retry, attempts: 1 } };
const models = [
  model('cheap/small', { price: priced(150_000_007n, 600_000_011n, 13n), policy: impatient }),
  model(BASELINE, { price: priced(3_000_000_000n, 15_000_000_000n), policy: impatient }),
  model('home/llama', { price: { kind: 'free' }, policy: impatient }),
];
const everyone = ['home/llama', 'cheap/small', BASELINE];
const fields = { baseline: BASELINE, allowance: { deadlineMs: 60_000, attempts: 6, costNanoUsd: null } };
const routed = plan({
  models,
  tasks: [
    task('routed', [modelStep('say', ['cheap/small', BASELINE])], fields),
    task('local', [modelStep('say', ['home/llama', 'cheap/small'])], fields),
    task('cascade', [modelStep('say', everyone, { accept: '!output.text.contains("poor")' })], fields),
    task(
      'raced',
      [
        modelStep('say', [
          rule(['cheap/small', BASELINE], { hedge: { after: { kind: 'delay', ms: 100 }, atMost: 1 } }),
        ]),
      ],
      fields,
    ),
    task('kept', [modelStep('say', ['cheap/small', BASELINE])], { ...fields, cache: { forMs: 3_600_000 } }),
    task('unnamed', [modelStep('say', everyone)], { ...fields, baseline: null }),
  ],
});

const answer = fc.record<Scripted>(
  {
    text: fc.constantFrom('a good answer', 'a poor answer'),
    fail: fc.constantFrom('server_error', 'overloaded', 'content_filter', 'cut_stream'),
    billed: fc.constantFrom('yes', 'maybe', 'no'),
    afterMs: fc.constantFrom(1, 50, 150, 400),
    usage: fc.record({
      inputTokens: fc.nat({ max: 6_000 }),
      cachedInputTokens: fc.nat({ max: 3_000 }),
      cacheWriteTokens: fc.nat({ max: 2_000 }),
      outputTokens: fc.integer({ min: 1, max: 100 }),
      reasoningTokens: fc.nat({ max: 50 }),
    }),
  },
  { requiredKeys: ['text', 'afterMs', 'usage'] },
);
// Most calls answer: a failure is drawn one time in four.
const answers = fc.array(
  fc.tuple(answer, fc.nat({ max: 3 })).map(([one, dice]): Scripted => {
    const { fail, ...rest } = one;
    return dice === 0 && fail !== undefined ? { ...rest, fail } : rest;
  }),
  { minLength: 12, maxLength: 12 },
);
const runs = fc.array(fc.constantFrom('routed', 'local', 'cascade', 'raced', 'kept', 'kept', 'unnamed'), {
  minLength: 1,
  maxLength: 8,
});

const sum = <Item>(items: readonly Item[], of: (item: Item) => bigint): bigint =>
  items.reduce((all, item) => all + of(item), 0n);

/** What the attempt's tokens would have cost without a prompt cache. */
function plainCost(key: string, attempt: AttemptRecord): bigint {
  const price = models.find((each) => each.key === key)?.price ?? { kind: 'free' as const };
  return costOf(price, { ...attempt, cachedInputTokens: 0, cacheWriteTokens: 0 });
}

it('INV-1: savings add up to the baseline less the cost, cause by cause, through the engine', async () => {
  const seen = new Set<SavingCause>();
  await fc.assert(
    fc.asyncProperty(answers, runs, async (script, tasks) => {
      const clock = createSimulatedClock();
      const fixture = await scriptedFixture(
        routed,
        (_call, number) => script[(number - 1) % script.length] ?? {},
        { clock },
      );
      const { ledger, path } = fixture;
      const all: AttemptRecord[] = [];
      let reused = 0n;
      for (const name of tasks) {
        const result = await drive(clock, fixture.run(name));
        if (result.kind !== 'run') continue;
        const { run } = result.snapshot;
        if (run.cached) reused += run.savedNanoUsd;
      }
      // The loser of a race is settled after its run.
      await drive(clock, clock.settle(Promise.resolve()));
      await clock.advance(60_000);
      const page = await ledger.runs({}, { limit: 100 });
      for (const found of (await ledger.attemptsOf(page.rows.map(({ id }) => id))).values())
        all.push(...found);
      expect(all.every(({ status }) => status !== 'open')).toBe(true);

      const used = all.filter(({ status, savedBy }) => status === 'succeeded' && savedBy !== 'failure');
      const counted = used.filter(({ baseline }) => baseline !== null);
      const named = used.filter(({ task: name }) => name !== 'unnamed');
      expect(counted).toEqual(named);
      const { total, groups } = await createSpanStats(ledger, clock).savings({ span: {}, by: ['TASK'] });
      const keyOf = (attempt: AttemptRecord): string => `${attempt.provider}/${attempt.requestedModel}`;
      const cost = sum(all, ({ costNanoUsd }) => costNanoUsd);
      expect(total.costNanoUsd).toBe(cost);
      // What would have been paid: the baseline for each answer that was used, the model's own list where none is named, and what the cache gave again.
      expect(total.baselineNanoUsd).toBe(
        sum(used, (attempt) => plainCost(attempt.baseline ?? keyOf(attempt), attempt)) + reused,
      );
      for (const one of [total, ...groups.map((group) => group.sum)]) expectWhole(one);
      const part = (cause: SavingCause): bigint =>
        total.parts.find((each) => each.cause === cause)?.amountNanoUsd ?? 0n;
      const unused = all.filter((attempt) => !used.includes(attempt));
      const rejected = unused.filter(({ savedBy }) => savedBy === 'cascade');
      expect(part('failures')).toBe(
        -sum(unused, ({ costNanoUsd }) => costNanoUsd) + sum(rejected, ({ costNanoUsd }) => costNanoUsd),
      );
      expect(part('exact_cache')).toBe(reused);
      expect(part('local')).toBe(
        sum(
          used.filter((attempt) => attempt.provider === 'home' && attempt.baseline !== null),
          (attempt) => plainCost(BASELINE, attempt),
        ),
      );
      expect(sum(groups, (group) => group.sum.netNanoUsd)).toBe(total.netNanoUsd);
      for (const { cause, amountNanoUsd } of total.parts) if (amountNanoUsd !== 0n) seen.add(cause);
      expect((await ledger.verify()).discrepancies).toEqual([]);
      await ledger.close();
      rmSync(dirname(path), { recursive: true, force: true });
    }),
    { numRuns: 12, seed: 7 },
  );
  // The property is about something: each cause came up.
  expect([...seen].sort()).toEqual([
    'cascade',
    'exact_cache',
    'failures',
    'local',
    'prompt_cache',
    'routing',
  ]);
}, 60_000);

function expectWhole({ parts, netNanoUsd, costNanoUsd, baselineNanoUsd }: SavingsSum): void {
  expect(sum(parts, ({ amountNanoUsd }) => amountNanoUsd)).toBe(netNanoUsd);
  expect(costNanoUsd + netNanoUsd).toBe(baselineNanoUsd);
}
