// Groups as they are added up, and as they go from thread to thread.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeHistogram } from '../../src/common/histogram.ts';
import { decodeDimensions, encodeDimensions, encodeStem } from '../../src/ledger/rollup/dimensions.ts';
import type { Dimensions } from '../../src/ledger/rollup/dimensions.ts';
import type { GroupedSums } from '../../src/ledger/rollup/group.ts';
import { unpackSpans } from '../../src/ledger/rollup/packed-groups.ts';
import { KeyShares, SpanGroups } from '../../src/ledger/rollup/span-groups.ts';
import {
  COLUMN_OF,
  SUM_COLUMNS,
  addNumbers,
  emptySums,
  packed,
  sumsNamed,
} from '../../src/ledger/rollup/sums.ts';
import type { SumNumbers } from '../../src/ledger/rollup/sums.ts';

const NONE = packed(emptySums());
const BY_TASK = new KeyShares({ by: ['TASK'], filter: {} });

function keyOf(task: string, session = ''): Dimensions {
  const rest = { caller: '', team: '', provider: '', model: '', revision: '', tags: '{}' };
  return decodeDimensions(encodeDimensions(encodeStem({ ...rest, task, session }), 'succeeded'));
}

/** A row of roll-ups, as a database gives it. */
function rowOf(sums: Partial<SumNumbers>): { readonly [column: string]: bigint } {
  const all = { ...NONE, ...sums };
  return Object.fromEntries(
    Object.entries(COLUMN_OF).map(([name, column]) => [column, BigInt(all[name as keyof SumNumbers])]),
  );
}

/** The same as its line. */
function lineOf(key: number, sums: Partial<SumNumbers>): string {
  const row = rowOf(sums);
  return [key, ...SUM_COLUMNS.map((column) => row[column])].join(' ');
}

function sent(groups: SpanGroups): readonly GroupedSums[] {
  const answer = { ...groups.answer(), complete: true };
  const { answers } = unpackSpans(structuredClone({ firstMs: 0, answers: [answer] }));
  return answers[0]?.groups ?? [];
}

const group = (value: string, sums: Partial<GroupedSums['sums']>): GroupedSums => ({
  bucketMs: 0,
  values: [value],
  sums: { ...NONE, ...sums },
});

it('arrive as they were added up, those with durations and those without', () => {
  const groups = new SpanGroups(BY_TASK);
  const shareOf = (task: string): number => groups.shareOf(task, keyOf);
  const bytes = encodeHistogram(new Map([[3, 4]]));
  groups.add(shareOf('a'), rowOf({ costNanoUsd: 2n ** 63n - 1n, runs: 2 }), 1);
  groups.add(shareOf('b'), rowOf({ costNanoUsd: 5n, savedFailuresNanoUsd: -(2n ** 63n) }), 1);
  groups.addHistograms(shareOf('a'), { latency: bytes, first_token: new Uint8Array() }, 1);
  expect(sent(groups)).toEqual([
    group('a', { costNanoUsd: 2n ** 63n - 1n, runs: 2, latency: bytes }),
    group('b', { costNanoUsd: 5n, savedFailuresNanoUsd: -(2n ** 63n) }),
  ]);
  expect(sent(new SpanGroups(BY_TASK))).toEqual([]);
});

it('have the sums that were asked for, and what orders them', () => {
  const groups = new SpanGroups(BY_TASK, sumsNamed(['inputTokens']));
  const sums = { costNanoUsd: 5n, runs: 1, attempts: 2, errors: 1, inputTokens: 7n, savedNanoUsd: 9n };
  groups.add(groups.shareOf('a', keyOf), rowOf(sums), 1);
  groups.addLines(lineOf(1, sums), 1, () => keyOf('b'));
  const asked = { costNanoUsd: 5n, runs: 1, attempts: 2, inputTokens: 7n };
  expect(sent(groups)).toEqual([group('a', asked), group('b', asked)]);
});

it('leave out keys that nobody knows yet, and know them when they are added again', () => {
  const keys = new KeyShares({ by: ['TASK'], filter: {} });
  const asked: number[] = [];
  const lines = [lineOf(1, { costNanoUsd: 5n }), lineOf(2, { costNanoUsd: 3n })].join();
  const read = (known: readonly number[]): readonly GroupedSums[] => {
    const groups = new SpanGroups(keys);
    groups.addLines(lines, 1, (key) => {
      asked.push(key);
      return known.includes(key) ? keyOf(`task-${key}`) : undefined;
    });
    return sent(groups);
  };
  expect(read([1])).toEqual([group('task-1', { costNanoUsd: 5n })]);
  expect(read([2])).toEqual([group('task-1', { costNanoUsd: 5n }), group('task-2', { costNanoUsd: 3n })]);
  expect(asked).toEqual([1, 2, 2]);
});

const amount = fc.oneof(
  fc.constant(0n),
  fc.bigInt(-9_999n, 9_999_999n),
  // Around where numbers are no longer exact, and where 64 bits end.
  fc.bigInt(2n ** 51n, 2n ** 54n),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
);
const added = fc.array(
  fc.record({
    task: fc.constantFrom('a', 'b', 'c'),
    session: fc.constantFrom('', 's'),
    asLine: fc.boolean(),
    sign: fc.constantFrom(1 as const, -1 as const),
    sums: fc.record({
      costNanoUsd: amount,
      inputTokens: amount,
      savedRoutingNanoUsd: amount,
      savedFailuresNanoUsd: amount,
      runs: fc.nat(),
      attempts: fc.nat({ max: 2 ** 31 }),
    }),
  }),
  { maxLength: 40 },
);

it('INV-1: rows and lines are added up as bigints are, in whatever order, however large', () => {
  fc.assert(
    fc.property(added, fc.nat({ max: 40 }), (rows, cut) => {
      const keys = new KeyShares({ by: ['TASK', 'SESSION'], filter: {} });
      const [groups, rest] = [new SpanGroups(keys), new SpanGroups(keys)];
      const expected = new Map<string, SumNumbers>();
      rows.forEach(({ task, session, asLine, sign, sums }, index) => {
        const into = index < cut ? groups : rest;
        const dimensionsOf = (): Dimensions => keyOf(task, session);
        const key = 100 + index;
        if (asLine) into.addLines(`${lineOf(key, sums)},${lineOf(key, sums)}`, sign, dimensionsOf);
        else for (const _twice of [1, 2]) into.add(into.shareOf(key, dimensionsOf), rowOf(sums), sign);
        // What a session has is taken from those of none.
        for (const [of, factor] of session === ''
          ? ([['', 1]] as const)
          : ([
              ['', -1],
              [session, 1],
            ] as const)) {
          const name = `${task} ${of}`;
          const total = expected.get(name) ?? emptySums();
          expected.set(name, total);
          const times = BigInt(2 * factor * sign);
          addNumbers(total, {
            ...emptySums(),
            costNanoUsd: times * sums.costNanoUsd,
            inputTokens: times * sums.inputTokens,
            savedRoutingNanoUsd: times * sums.savedRoutingNanoUsd,
            savedFailuresNanoUsd: times * sums.savedFailuresNanoUsd,
            runs: Number(times) * sums.runs,
            attempts: Number(times) * sums.attempts,
          });
        }
      });
      groups.addGroups(rest, 1);
      const there = [...expected].filter(([, sums]) =>
        Object.values(rowOf(sums)).some((value) => value !== 0n),
      );
      const found = sent(groups);
      const numbers = found.map(({ values, sums }) => [values.join(' '), rowOf(sums)] as const);
      expect(Object.fromEntries(numbers)).toEqual(
        Object.fromEntries(there.map(([name, sums]) => [name, rowOf(sums)])),
      );
      const costs = found.map(({ sums }) => sums.costNanoUsd);
      expect(costs).toEqual(costs.toSorted((a, b) => (a === b ? 0 : a < b ? 1 : -1)));
    }),
  );
});
