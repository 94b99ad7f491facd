// Any span, by any dimensions, is the sum of its rows, however it is cut and in whatever order the rows came.
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { openLedger } from '../../../src/ledger/open.ts';
import { createSpanStats } from '../../../src/ledger/stats/spans.ts';
import type { StatsDimension } from '../../../src/ledger/stats/port.ts';
import { groupsOf, matchesFilter } from '../../../src/ledger/rollup/group.ts';
import { spanParts } from '../../../src/ledger/rollup/span.ts';
import { ledgerPath } from '../../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ALL_KEPT = { hoursFromMs: 0, minutesFromMs: 0, quartersFromMs: 0, rowsFromMs: 0 };

it('the parts of a span count each of its moments once, and no other, whatever is kept', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 100 * DAY_MS }),
      fc.nat({ max: 60 * DAY_MS }),
      fc.nat({ max: 100 }),
      fc.nat({ max: 100 * 24 }),
      fc.nat({ max: 160 * DAY_MS }),
      fc.constantFrom(1, 60_000, 15 * 60_000, HOUR_MS),
      fc.nat({ max: 100 * 24 }),
      fc.boolean(),
      (from, length, hoursFromDay, minutesFromHour, rowsFromMs, width, quartersFromHour, isOfEverything) => {
        const kept = {
          hoursFromMs: hoursFromDay * DAY_MS,
          minutesFromMs: minutesFromHour * HOUR_MS,
          quartersFromMs: quartersFromHour * HOUR_MS,
          rowsFromMs,
        };
        const [fromMs, lengthMs] = [from - (from % width), length - (length % width)];
        const toMs = fromMs + lengthMs;
        const { sums, rows } = spanParts(
          { fromMs, toMs, latencies: false, ...(isOfEverything ? { grouping: { by: [], filter: {} } } : {}) },
          kept,
        );
        const parts = [...sums, ...rows];
        // Of rows that are gone nothing can be taken away.
        for (const part of rows) if (part.sign < 0) expect(part.fromMs).toBeGreaterThanOrEqual(rowsFromMs);
        for (const part of parts) expect(part.toMs).toBeGreaterThan(part.fromMs);
        const cuts = [...new Set([fromMs, toMs, ...parts.flatMap((part) => [part.fromMs, part.toMs])])];
        for (const atMs of cuts) {
          const there = parts.filter((part) => atMs >= part.fromMs && atMs < part.toMs);
          const counted = there.reduce((sum, { sign }) => sum + sign, 0);
          expect(counted).toBe(atMs >= fromMs && atMs < toMs ? 1 : 0);
        }
        for (const { grain, fromMs: from } of sums) {
          if (grain === 1) expect(from).toBeGreaterThanOrEqual(kept.hoursFromMs);
          if (grain === 0) expect(from).toBeGreaterThanOrEqual(kept.minutesFromMs);
          if (grain === 9) expect(from).toBeGreaterThanOrEqual(kept.quartersFromMs);
        }
      },
    ),
  );
});

it('a day in a time zone is a day in UTC and the hours between the two', () => {
  const kept = { ...ALL_KEPT, minutesFromMs: Number.POSITIVE_INFINITY };
  const dayMs = 10 * DAY_MS;
  expect(spanParts({ fromMs: dayMs - 2 * HOUR_MS, toMs: dayMs + 22 * HOUR_MS }, kept)).toEqual({
    sums: [
      { grain: 2, fromMs: dayMs, toMs: dayMs + DAY_MS, sign: 1 },
      { grain: 1, fromMs: dayMs - 2 * HOUR_MS, toMs: dayMs, sign: 1 },
      { grain: 1, fromMs: dayMs + 22 * HOUR_MS, toMs: dayMs + DAY_MS, sign: -1 },
    ],
    rows: [],
  });
});

it('two days of a time zone that is half an hour off are cut alike where they meet', () => {
  const kept = { ...ALL_KEPT, minutesFromMs: Number.POSITIVE_INFINITY };
  const midnightMs = 10 * DAY_MS + 18.5 * HOUR_MS;
  const [before, after] = [-DAY_MS, 0].map((by) =>
    spanParts({ fromMs: midnightMs + by, toMs: midnightMs + by + DAY_MS }, kept),
  );
  const at = midnightMs - HOUR_MS / 2;
  const half = { fromMs: at, toMs: midnightMs };
  expect(before?.rows).toContainEqual({ ...half, sign: 1 });
  expect(after?.rows).toContainEqual({ ...half, sign: -1 });
  const hours = { grain: 1, fromMs: at, toMs: 11 * DAY_MS };
  expect(before?.sums).toContainEqual({ ...hours, sign: -1 });
  expect(after?.sums).toContainEqual({ ...hours, sign: 1 });
});

it('a day of everything in a time zone that is 45 minutes off is quarters of an hour, and no rows', () => {
  const everything = { grouping: { by: [], filter: {} }, latencies: false };
  const midnightMs = 10 * DAY_MS + 18.25 * HOUR_MS;
  const span = { fromMs: midnightMs - DAY_MS, toMs: midnightMs };
  const { sums, rows } = spanParts({ ...span, ...everything }, ALL_KEPT);
  expect(rows).toEqual([]);
  expect(sums.map(({ grain }) => grain)).toEqual([2, 9, 9]);
  // Durations, groups and what a filter leaves have no quarters.
  for (const other of [
    { ...everything, latencies: true },
    { ...everything, grouping: { by: ['TASK' as const], filter: {} } },
    { ...everything, grouping: { by: [], filter: { team: 'support' } } },
  ])
    expect(spanParts({ ...span, ...other }, ALL_KEPT).sums.some(({ grain }) => grain === 9)).toBe(false);
});

it('a tag may be called what every object has, and what has none is in no group of it', () => {
  const plain = {
    task: 't',
    caller: 'ana',
    team: '',
    provider: '',
    model: '',
    revision: '',
    session: '',
    status: '',
  };
  for (const key of ['constructor', '__proto__', 'toString']) {
    const named = { ...plain, tags: `{"${key}":"own"}` };
    const bare = { ...plain, tags: '{}' };
    expect(groupsOf(named, { by: ['TAG'], tagKey: key })).toEqual([['own']]);
    expect(groupsOf(bare, { by: ['TAG'], tagKey: key })).toEqual([['']]);
    expect(groupsOf(named, { by: ['TAG'] })).toEqual([[`${key}=own`]]);
    expect(matchesFilter(named, { tag: { key, value: 'own' } })).toBe(true);
    expect(matchesFilter(bare, { tag: { key, value: 'own' } })).toBe(false);
  }
});

interface Row {
  readonly ageMs: number;
  readonly task: string;
  readonly caller: string;
  readonly team: string | null;
  readonly session: string | null;
  readonly env: string | null;
  readonly provider: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly savedBy: 'routing' | 'local' | 'cascade' | 'failure' | null;
  readonly cached: boolean;
  readonly costNanoUsd: bigint;
  readonly routeNanoUsd: bigint;
}

const rows = fc.array(
  fc.record<Row>({
    ageMs: fc.oneof(fc.nat({ max: 2 * HOUR_MS }), fc.nat({ max: 3 * DAY_MS }), fc.nat({ max: 90 * DAY_MS })),
    task: fc.constantFrom('summarize', 'email-parse'),
    caller: fc.constantFrom('ana', 'bob'),
    team: fc.constantFrom('support', 'sales', null),
    session: fc.constantFrom('s-1', 's-2', null),
    env: fc.constantFrom('prod', 'dev', null),
    provider: fc.constantFrom('openai', 'anthropic'),
    status: fc.constantFrom('succeeded', 'failed', 'cancelled'),
    savedBy: fc.constantFrom('routing', 'local', 'cascade', 'failure', null),
    cached: fc.boolean(),
    costNanoUsd: fc.bigInt(0n, 9_007_199_254_740_993n),
    routeNanoUsd: fc.bigInt(-5_000_000_000n, 5_000_000_000n),
  }),
  { minLength: 1, maxLength: 30 },
);

const DIMENSIONS: readonly StatsDimension[] = [
  'TASK',
  'CALLER',
  'TEAM',
  'SESSION',
  'PROVIDER',
  'MODEL',
  'TAG',
  'STATUS',
];

function valueOf(row: Row, dimension: StatsDimension): string {
  switch (dimension) {
    case 'TASK':
      return row.task;
    case 'CALLER':
      return row.caller;
    case 'TEAM':
      return row.team ?? '';
    case 'SESSION':
      return row.session ?? '';
    case 'PROVIDER':
      return row.provider;
    case 'MODEL':
      return `${row.provider}/gpt-5.6-luna`;
    case 'TAG':
      return row.env ?? '';
    case 'STATUS':
      return row.status;
    default:
      return '';
  }
}

it(
  'INV-1: a span is the sum of its rows by any dimension, and its savings of their parts',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.nat({ max: 90 * DAY_MS }),
        fc.nat({ max: 90 * DAY_MS }),
        fc.constantFrom(...DIMENSIONS),
        fc.boolean(),
        async (given, oneAge, otherAge, dimension, prune) => {
          const nowMs = START_MS + 12_345_678;
          const clock = { ...systemClock, nowMs: () => nowMs };
          const path = ledgerPath();
          const ledger = await openLedger({ path, synchronous: 'normal', clock, writer: 'inline' });
          for (const [index, row] of given.entries()) {
            const run = makeRun(`run_${index}`, {
              startedAtMs: nowMs - row.ageMs,
              task: row.task,
              caller: {
                name: row.caller,
                team: row.team,
                tier: null,
                ...(row.session === null ? {} : { session: row.session }),
              },
              tags: row.env === null ? {} : { env: row.env },
            });
            const attempt = makeAttempt(`att_${index}`, run, { provider: row.provider });
            await ledger.openRun(run);
            await ledger.openAttempt(attempt);
            await ledger.closeAttempt(
              settle(attempt, {
                status: row.status,
                costNanoUsd: row.costNanoUsd,
                savedBy: row.savedBy,
                baseline: row.savedBy === null ? null : 'openai/gpt-5.6-terra',
                savedRouteNanoUsd: row.routeNanoUsd,
                savedPromptCacheNanoUsd: 7n,
              }),
              null,
            );
            await ledger.finishRun(finish(run, { cached: row.cached, savedNanoUsd: row.cached ? 11n : 0n }));
          }
          // What is pruned of minutes and hours is read from rows instead.
          if (prune) await ledger.prune(nowMs);
          const stats = createSpanStats(ledger, clock);
          const [fromMs, toMs] = [nowMs - Math.max(oneAge, otherAge) - 1, nowMs - Math.min(oneAge, otherAge)];
          const inside = given.filter(({ ageMs }) => nowMs - ageMs >= fromMs && nowMs - ageMs < toMs);
          const query = { span: { fromMs, toMs }, by: [dimension], tagKey: 'env' };
          const spend = await stats.spend(query);
          const cost = (some: readonly Row[]): bigint => some.reduce((sum, row) => sum + row.costNanoUsd, 0n);
          expect(spend.complete).toBe(true);
          expect(spend.total.costNanoUsd).toBe(cost(inside));
          expect(spend.total.attempts).toBe(inside.length);
          const byValue = Object.fromEntries(
            spend.groups
              .filter(({ bucket }) => bucket.attempts > 0)
              .map(({ keys: [key], bucket }) => [key?.value, bucket.costNanoUsd]),
          );
          const values = [...new Set(inside.map((row) => valueOf(row, dimension)))];
          expect(byValue).toEqual(
            Object.fromEntries(
              values.map((value) => [value, cost(inside.filter((row) => valueOf(row, dimension) === value))]),
            ),
          );
          expect(spend.groups.reduce((sum, { bucket }) => sum + bucket.costNanoUsd, 0n)).toBe(cost(inside));

          // By two dimensions, and the dearest alone: their latencies and the total are those of the whole answer.
          const pair = [dimension, 'SESSION'] as const;
          const both = await stats.spend({ ...query, by: pair });
          const nameOf = (row: Row): string => `${valueOf(row, dimension)} ${row.session ?? ''}`;
          const calls = both.groups.filter(({ bucket }) => bucket.attempts > 0);
          expect(
            Object.fromEntries(
              calls.map(({ keys, bucket }) => [keys.map(({ value }) => value).join(' '), bucket.costNanoUsd]),
            ),
          ).toEqual(
            Object.fromEntries(
              inside.map((row) => [
                nameOf(row),
                cost(inside.filter((other) => nameOf(other) === nameOf(row))),
              ]),
            ),
          );
          expect(both.groupCount).toBe(both.groups.length);
          const dearest = await stats.spend({ ...query, by: pair, first: 2 });
          expect(dearest).toEqual({ ...both, groups: both.groups.slice(0, 2) });

          const savings = await stats.savings(query);
          const amounts = Object.fromEntries(
            savings.total.parts.map(({ cause, amountNanoUsd }) => [cause, amountNanoUsd]),
          );
          const sumOf = (of: (row: Row) => bigint): bigint => inside.reduce((sum, row) => sum + of(row), 0n);
          const by = (cause: Row['savedBy']) => (row: Row) => (row.savedBy === cause ? row.routeNanoUsd : 0n);
          expect(amounts).toEqual({
            routing: sumOf(by('routing')),
            local: sumOf(by('local')),
            cascade: sumOf(by('cascade')),
            exact_cache: sumOf(({ cached }) => (cached ? 11n : 0n)),
            prompt_cache: sumOf(() => 7n),
            failures: sumOf(({ savedBy, status, costNanoUsd }) =>
              savedBy === 'failure' || (savedBy === null && status !== 'succeeded') ? -costNanoUsd : 0n,
            ),
          });
          for (const { netNanoUsd, costNanoUsd, baselineNanoUsd, parts } of [
            savings.total,
            ...savings.groups.map(({ sum }) => sum),
          ]) {
            expect(parts.reduce((sum, { amountNanoUsd }) => sum + amountNanoUsd, 0n)).toBe(netNanoUsd);
            expect(costNanoUsd + netNanoUsd).toBe(baselineNanoUsd);
          }
          expect(savings.groups.reduce((sum, group) => sum + group.sum.netNanoUsd, 0n)).toBe(
            savings.total.netNanoUsd,
          );

          const byDay = await stats.spend({
            span: { fromMs, toMs, timeZone: 'Asia/Kathmandu' },
            every: 'day',
            latencies: false,
          });
          expect(byDay.series.reduce((sum, { bucket }) => sum + bucket.costNanoUsd, 0n)).toBe(cost(inside));
          expect([byDay.total.attempts, byDay.total.costNanoUsd]).toEqual([inside.length, cost(inside)]);
          for (const { fromMs: from, toMs: to, bucket } of byDay.series) {
            const ofDay = inside.filter(({ ageMs }) => nowMs - ageMs >= from && nowMs - ageMs < to);
            expect([bucket.attempts, bucket.costNanoUsd]).toEqual([ofDay.length, cost(ofDay)]);
          }
          // Costs are made up here, and fit no rates; that the sums fit the rows is what is asked.
          const { discrepancies } = await ledger.verify();
          expect(discrepancies.filter(({ kind }) => kind === 'rollup')).toEqual([]);
          await ledger.close();
          rmSync(dirname(path), { recursive: true, force: true });
        },
      ),
      { numRuns: 40 },
    );
  },
);
