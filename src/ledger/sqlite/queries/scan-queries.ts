// Sums the rows themselves, for what roll-ups cannot tell: a run's status, its cost, an exact span of time.
import { and, eq, gte, isNotNull, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { RunFilter } from '../../port.ts';
import { bucketStartMs, decodeDimensions, encodeDimensions, stemOf } from '../../rollup/dimensions.ts';
import { groupsOf } from '../../rollup/group.ts';
import type { GroupedPoint, GroupedSums, RollupRead } from '../../rollup/group.ts';
import { addSums, countAttempt, countRun, emptySums, packed } from '../../rollup/sums.ts';
import type { CountedAttempt, Sums } from '../../rollup/sums.ts';
import { attempts, rollupKeys, runs } from '../tables.ts';
import type { ReadDatabase } from './read-database.ts';
import { filterConditions } from './run-queries.ts';

interface CountedRow {
  readonly dimensions: string;
  readonly atMs: number;
  readonly sums: Sums;
}

interface CountedGroup extends GroupedPoint {
  readonly sums: Sums;
}

/** The same answer that `readRollups` gives for these reads, of the runs that match the filter and of their attempts. */
export function scanRows(
  database: ReadDatabase,
  reads: readonly RollupRead[],
  filter: RunFilter,
): GroupedSums[][] {
  const startOf = (read: RollupRead): number => Math.min(...read.spans.map(({ fromMs }) => fromMs));
  const fromMs = Math.min(...reads.map(startOf));
  const found = reads.map((read) => ({ read, sums: new Map<string, CountedGroup>() }));
  const groups = new Map<string, readonly (readonly string[])[]>();
  const count = ({ dimensions, atMs, sums }: CountedRow): void => {
    found.forEach(({ read, sums: into }, index) => {
      const span = read.spans.find((each) => atMs >= each.fromMs && atMs < each.toMs);
      if (span === undefined) return;
      const bucketMs = read.as === 'points' ? bucketStartMs(span.grain, atMs) : 0;
      const key = `${index}${dimensions}`;
      let values = groups.get(key);
      if (values === undefined)
        groups.set(key, (values = groupsOf(decodeDimensions(dimensions), read.grouping)));
      for (const group of values) addTo(into, bucketMs, group, sums);
    });
  };
  for (const row of countedRows(database, filter, fromMs)) count(row);
  return found.map((each) =>
    [...each.sums.values()].map((group) => ({ ...group, sums: packed(group.sums) })),
  );
}

/** Each closed attempt and each finished run that began from then on, with what it is counted under. */
function countedRows(database: ReadDatabase, filter: RunFilter, fromMs: number): CountedRow[] {
  // An attempt may belong to another provider than the one that its run is counted under: it is asked for its own.
  const conditions = filterConditions(filter);
  return [
    ...closedAttempts(database, conditions, filter, fromMs),
    ...finishedRuns(database, conditions, fromMs),
  ];
}

function addTo(
  found: Map<string, CountedGroup>,
  bucketMs: number,
  values: readonly string[],
  sums: Sums,
): void {
  const name = `${bucketMs}${JSON.stringify(values)}`;
  const group = found.get(name) ?? { bucketMs, values, sums: emptySums() };
  found.set(name, group);
  addSums(group.sums, sums);
}

function closedAttempts(
  database: ReadDatabase,
  conditions: readonly SQL[],
  filter: RunFilter,
  fromMs: number,
): CountedRow[] {
  const rows = database
    .select({
      dimensions: rollupKeys.dimensions,
      status: attempts.status,
      atMs: attempts.startedAtMs,
      costNanoUsd: attempts.costNanoUsd,
      inputTokens: attempts.inputTokens,
      cachedInputTokens: attempts.cachedInputTokens,
      cacheWriteTokens: attempts.cacheWriteTokens,
      outputTokens: attempts.outputTokens,
      reasoningTokens: attempts.reasoningTokens,
      estimated: attempts.estimated,
      savedBy: attempts.savedBy,
      baseline: attempts.baseline,
      savedRouteNanoUsd: attempts.savedRouteNanoUsd,
      savedPromptCacheNanoUsd: attempts.savedPromptCacheNanoUsd,
      latencyMs: attempts.latencyMs,
      firstTokenMs: attempts.firstTokenMs,
    })
    .from(attempts)
    .innerJoin(runs, eq(runs.id, attempts.runId))
    .innerJoin(rollupKeys, eq(rollupKeys.id, attempts.rollupKeyId))
    .where(
      and(
        ...conditions,
        sql`${attempts.status} not in ('open', 'unreconciled')`,
        gte(attempts.startedAtMs, fromMs),
        filter.provider === undefined ? undefined : eq(attempts.provider, filter.provider),
      ),
    )
    .all();
  return rows.map((row) => {
    const sums = emptySums();
    countAttempt(sums, row as CountedAttempt);
    return { dimensions: encodeDimensions(stemOf(row.dimensions), row.status), atMs: row.atMs, sums };
  });
}

function finishedRuns(database: ReadDatabase, conditions: readonly SQL[], fromMs: number): CountedRow[] {
  const rows = database
    .select({
      dimensions: rollupKeys.dimensions,
      atMs: runs.startedAtMs,
      savedNanoUsd: runs.savedNanoUsd,
      cached: runs.cached,
    })
    .from(runs)
    .innerJoin(rollupKeys, eq(rollupKeys.id, runs.rollupKeyId))
    .where(and(...conditions, isNotNull(runs.finishedAtMs), gte(runs.startedAtMs, fromMs)))
    .all();
  return rows.map((row) => {
    const sums = emptySums();
    countRun(sums, row.savedNanoUsd, row.cached);
    return { dimensions: row.dimensions, atMs: row.atMs, sums };
  });
}
