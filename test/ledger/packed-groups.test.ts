// Groups as they go from thread to thread.
import { expect, it } from 'vitest';
import { encodeHistogram } from '../../src/common/histogram.ts';
import { packGroups, unpackSpans } from '../../src/ledger/rollup/packed-groups.ts';
import { emptySums, packed, sumsNamed } from '../../src/ledger/rollup/sums.ts';
import type { GroupedSums } from '../../src/ledger/rollup/group.ts';

const NONE = packed(emptySums());

function sent(groups: readonly GroupedSums[], names = sumsNamed()): readonly GroupedSums[] {
  const answer = { groups: packGroups(groups, names), groupCount: groups.length, complete: true };
  const { answers } = unpackSpans(structuredClone({ firstMs: 0, answers: [answer] }));
  return answers[0]?.groups ?? [];
}

const group = (value: string, sums: Partial<GroupedSums['sums']>): GroupedSums => ({
  bucketMs: 0,
  values: [value],
  sums: { ...NONE, ...sums },
});

it('arrive as they were sent, those with durations and those without', () => {
  const latency = encodeHistogram(new Map([[3, 4]]));
  const groups = [
    group('a', { costNanoUsd: -1n, runs: 2 }),
    group('', { costNanoUsd: 2n ** 63n - 1n, latency }),
    group('b', { firstToken: encodeHistogram(new Map([[470, 1e9]])), savedFailuresNanoUsd: -(2n ** 63n) }),
  ];
  expect(sent(groups)).toEqual(groups);
  expect(sent([])).toEqual([]);
});

it('INV-1: lose nothing of a sum that 64 bits do not hold', () => {
  const groups = [
    group('a', { costNanoUsd: 2n ** 63n, attempts: 3 }),
    group('b', { inputTokens: -(2n ** 70n) }),
  ];
  expect(sent(groups)).toEqual(groups);
});

it('have the sums that were asked for, and what orders them', () => {
  const groups = [
    group('a', { costNanoUsd: 5n, runs: 1, attempts: 2, errors: 1, inputTokens: 7n, savedNanoUsd: 9n }),
  ];
  expect(sent(groups, sumsNamed(['inputTokens']))).toEqual([
    group('a', { costNanoUsd: 5n, runs: 1, attempts: 2, inputTokens: 7n }),
  ]);
});
