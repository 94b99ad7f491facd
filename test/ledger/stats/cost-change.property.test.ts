// A change of cost is split to the nano-dollar, whatever the cells hold and in whatever order they are read.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effectsOf } from '../../../src/ledger/stats/cost-change.ts';
import type { SpanCell, ModelUse, Side } from '../../../src/ledger/stats/cost-change.ts';
import { COST_CAUSES } from '../../../src/ledger/stats/port.ts';
import type { PlanPrice } from '../../../src/language/plan/types.ts';

const MODELS = ['openai/a', 'openai/b', 'local/c'];

const amount = fc.bigInt(0n, 9_007_199_254_740_993n);
const tokens = fc.bigInt(0n, 5_000_000n);
const rate = fc.bigInt(0n, 90_000_000_000n);

const price: fc.Arbitrary<PlanPrice | undefined> = fc.oneof(
  fc.constant<PlanPrice>({ kind: 'free' }),
  fc.constant(undefined),
  fc.tuple(rate, rate, rate, rate).map(([input, cachedInput, output, request]): PlanPrice => ({
    kind: 'rates',
    source: 'yaml',
    tiers: [
      { fromInputTokens: 0, input, cachedInput, cacheWrite: input, output, reasoning: output, request: 0n },
      { fromInputTokens: 1000, input, cachedInput, cacheWrite: input, output, reasoning: output, request },
    ],
  })),
);

const use: fc.Arbitrary<ModelUse> = fc.record({
  attempts: fc.bigInt(1n, 50n),
  input: tokens,
  cached: tokens,
  written: tokens,
  output: tokens,
  reasoning: tokens,
  costNanoUsd: amount,
});

const cell: fc.Arbitrary<SpanCell> = fc
  .record({
    revision: fc.constantFrom('r1', 'r2', 'r3'),
    runs: fc.bigInt(0n, 40n),
    uncalled: fc.bigInt(0n, 10n),
    failedNanoUsd: fc.oneof(fc.constant(0n), amount),
    models: fc.uniqueArray(fc.tuple(fc.constantFrom(...MODELS), use), {
      selector: ([name]) => name,
      maxLength: 3,
    }),
    price,
  })
  .map(({ uncalled, models, price: of, ...rest }) => ({
    ...rest,
    called: rest.runs > uncalled ? rest.runs - uncalled : 0n,
    models: new Map(models),
    priceOf: () => of,
  }));

const side: fc.Arbitrary<Side> = fc.record({
  cells: fc.uniqueArray(cell, { selector: ({ revision }) => revision, maxLength: 3 }),
  share: fc.bigInt(1n, 4n),
});

const costOf = ({ cells, share }: Side): bigint =>
  cells.reduce(
    (sum, { models, failedNanoUsd }) =>
      [...models.values()].reduce((all, { costNanoUsd }) => all + costNanoUsd, sum + failedNanoUsd),
    0n,
  ) / share;

const everything = new Set(COST_CAUSES);

it('INV-1: the effects add up to the change, whatever explains them', () => {
  fc.assert(
    fc.property(side, side, fc.boolean(), (from, later, explained) => {
      const to = { ...later, share: 1n };
      const effects = effectsOf(from, to, () => (explained ? everything : new Set()));
      const sum = effects.reduce((all, { amountNanoUsd }) => all + amountNanoUsd, 0n);
      expect(sum).toBe(costOf(to) - costOf(from));
      if (!explained) for (const { revision } of effects) expect(revision).toBeNull();
    }),
    { numRuns: 2000 },
  );
});

it('does not depend on the order in which models were read', () => {
  fc.assert(
    fc.property(side, side, (from, later) => {
      const turned = ({ cells, share }: Side): Side => ({
        share,
        cells: cells.map((each) => ({ ...each, models: new Map([...each.models].reverse()) })),
      });
      const to = { ...later, share: 1n };
      expect(effectsOf(turned(from), turned(to), () => everything)).toEqual(
        effectsOf(from, to, () => everything),
      );
    }),
  );
});

const RATES: PlanPrice = {
  kind: 'rates',
  source: 'yaml',
  tiers: [
    {
      fromInputTokens: 0,
      input: 2_000_000_000n,
      cachedInput: 200_000_000n,
      cacheWrite: 2_000_000_000n,
      output: 10_000_000_000n,
      reasoning: 10_000_000_000n,
      request: 0n,
    },
  ],
};

/** `runs` runs of one call each at 2 and 10 dollars a million. */
function plain(runs: bigint, input: bigint, output: bigint, more: Partial<SpanCell> = {}): SpanCell {
  const costNanoUsd = runs * (input * 2000n + output * 10_000n);
  return {
    revision: 'r1',
    runs,
    called: runs,
    failedNanoUsd: 0n,
    models: new Map([
      [
        'openai/a',
        {
          attempts: runs,
          input: runs * input,
          cached: 0n,
          written: 0n,
          output: runs * output,
          reasoning: 0n,
          costNanoUsd,
        },
      ],
    ]),
    priceOf: () => RATES,
    ...more,
  };
}

const alone = (cells: readonly SpanCell[]): Side => ({ cells, share: 1n });
const told = (from: SpanCell, to: SpanCell): readonly unknown[] =>
  effectsOf(alone([from]), alone([to]), () => everything).map(({ cause, amountNanoUsd, revision }) => [
    cause,
    amountNanoUsd,
    revision,
  ]);

it.each([
  ['twice the runs', plain(20n, 900n, 120n), [['volume', 30_000_000n, null]]],
  ['a longer prompt', plain(10n, 1900n, 120n, { revision: 'r2' }), [['input_tokens', 20_000_000n, 'r2']]],
  ['a longer answer', plain(10n, 900n, 220n, { revision: 'r2' }), [['output_tokens', 10_000_000n, 'r2']]],
  ['failures', plain(10n, 900n, 120n, { failedNanoUsd: 7n }), [['failures', 7n, null]]],
])('lays to its cause: %s', (_name, to, expected) => {
  expect(told(plain(10n, 900n, 120n), to)).toEqual(expected);
});

it('lays half of a month under a new price to half of the runs', () => {
  const dearer = plain(5n, 900n, 120n, { revision: 'r2' });
  const twice: SpanCell = {
    ...dearer,
    models: new Map(
      [...dearer.models].map(([name, of]) => [name, { ...of, costNanoUsd: of.costNanoUsd * 2n }]),
    ),
  };
  const effects = effectsOf(
    alone([plain(10n, 900n, 120n)]),
    alone([plain(5n, 900n, 120n), twice]),
    () => everything,
  );
  expect(effects).toEqual([{ cause: 'price', revision: 'r2', before: 'r1', amountNanoUsd: 15_000_000n }]);
});
