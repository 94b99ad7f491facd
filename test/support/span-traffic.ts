// Runs and attempts of three months, and what a full scan of them says of any span.
import * as fc from 'fast-check';
import { bucketOf, decodeInto } from '../../src/common/histogram.ts';
import type { Histogram } from '../../src/common/histogram.ts';
import type { AttemptRecord, RunRecord } from '../../src/engine/execution/records.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import type { GroupDimension, RollupFilter } from '../../src/ledger/rollup/group.ts';
import type { SpanRead } from '../../src/ledger/rollup/span.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from './ledger-records.ts';

const MINUTE_MS = 60_000;
export const TRAFFIC_END_MS = START_MS + 12_345_678;

interface Row {
  readonly run: RunRecord;
  readonly attempts: readonly AttemptRecord[];
}

/** Sixty runs, a third of them in sessions; the last ones close together, as the edge of a span meets them. */
export async function writeTraffic(ledger: Ledger): Promise<readonly Row[]> {
  const rows = Array.from({ length: 60 }, (_, index): Row => {
    const startedAtMs =
      TRAFFIC_END_MS - 1 - (index < 30 ? index * 7 * MINUTE_MS : index * 37 * 60 * MINUTE_MS);
    const opened = makeRun(`run_${index}`, {
      startedAtMs,
      task: index % 2 === 0 ? 'summarize' : 'email-parse',
      revision: `plan-${index % 3}`,
      caller: {
        name: index % 5 === 0 ? 'ben' : 'ana',
        team: index % 7 === 0 ? null : 'support',
        tier: null,
        ...(index % 3 === 0 ? { session: `s-${index % 4}` } : {}),
      },
      tags: { ...(index % 2 === 0 ? { env: 'prod' } : {}), ...(index % 4 === 0 ? { app: 'mail' } : {}) },
    });
    const cached = index % 11 === 10;
    const attempts = Array.from({ length: cached ? 0 : 1 + (index % 2) }, (_each, part) =>
      settle(
        makeAttempt(`att_${index}_${part}`, opened, {
          startedAtMs: startedAtMs + part * 40,
          provider: part === 0 ? 'openai' : 'anthropic',
        }),
        {
          status: part === 0 && index % 2 === 1 ? 'failed' : 'succeeded',
          costNanoUsd: 9_007_199_254_740_993n + BigInt(index),
          estimated: index % 6 === 0,
          latencyMs: 100 + index * 3,
          firstTokenMs: index % 4 === 0 ? null : 20 + index,
          savedBy: index % 2 === 0 ? 'routing' : null,
          baseline: index % 2 === 0 ? 'openai/gpt-5.6-terra' : null,
          savedRouteNanoUsd: 5n,
          savedPromptCacheNanoUsd: 7n,
        },
      ),
    );
    return { run: finish(opened, { cached, savedNanoUsd: cached ? 11n : 3n }), attempts };
  });
  for (const { run, attempts } of rows) {
    const written = [ledger.openRun({ ...run, status: 'running', finishedAtMs: null, latencyMs: null })];
    for (const attempt of attempts)
      written.push(ledger.openAttempt({ ...attempt, status: 'open' }), ledger.closeAttempt(attempt, null));
    await Promise.all([...written, ledger.finishRun(run)]);
  }
  // What is acknowledged is on disk, and in the tables a moment later; this waits for it, however long it takes.
  await ledger.verify();
  return rows;
}

const dimension = fc.constantFrom<GroupDimension>(
  'TASK',
  'PROVIDER',
  'MODEL',
  'CALLER',
  'TEAM',
  'SESSION',
  'TAG',
  'REVISION',
  'STATUS',
);
const filters = fc.constantFrom<RollupFilter>(
  {},
  {},
  { task: 'summarize' },
  { caller: 'ben' },
  { team: 'support' },
  { session: 's-2' },
  { session: 's-2', caller: 'ana' },
  { provider: 'anthropic' },
  { tag: { key: 'env', value: 'prod' } },
);
const place = fc
  .tuple(
    fc.oneof(fc.nat({ max: 5 * 60 }), fc.nat({ max: 95 * 1_440 })),
    fc.constantFrom(1, 15, 30, 60, 1_440),
    fc.nat({ max: 2 }),
  )
  .map(([minutes, width, off]) => {
    const atMs = TRAFFIC_END_MS - minutes * MINUTE_MS;
    return off === 0 ? atMs : Math.floor(atMs / (width * MINUTE_MS)) * width * MINUTE_MS;
  });

/** Up to four spans that follow each other, grouped and filtered alike. */
export const spanReads: fc.Arbitrary<readonly SpanRead[]> = fc
  .record({
    places: fc.uniqueArray(place, { minLength: 2, maxLength: 5 }),
    by: fc.uniqueArray(dimension, { maxLength: 2 }),
    tagKey: fc.option(fc.constant('env'), { nil: undefined }),
    filter: filters,
    latencies: fc.boolean(),
  })
  .map(({ places, by, tagKey, filter, latencies }) => {
    const sorted = places.toSorted((a, b) => a - b);
    const grouping = { by, filter, ...(tagKey === undefined ? {} : { tagKey }) };
    return sorted.slice(1).map((toMs, index) => ({ fromMs: sorted[index] ?? 0, toMs, grouping, latencies }));
  });

interface Plain {
  readonly values: readonly string[];
  readonly sums: { readonly [name: string]: unknown };
}

const isHistogram = (value: unknown): value is Histogram | Uint8Array =>
  value instanceof Map || value instanceof Uint8Array;

function buckets(histogram: Histogram | Uint8Array): readonly (readonly number[])[] {
  const counts: Histogram = new Map();
  if (histogram instanceof Map) return [...histogram].sort(([a], [b]) => a - b);
  decodeInto(counts, histogram);
  return buckets(counts);
}

/** In the order of their names, without what is 0. */
export function sumsByGroup(
  groups: readonly { readonly values: readonly string[]; readonly sums: object }[],
): object {
  return Object.fromEntries(
    groups
      .map(({ values, sums }) => [
        JSON.stringify(values),
        Object.fromEntries(
          Object.entries(sums)
            .map(([name, value]: [string, unknown]) => [name, isHistogram(value) ? buckets(value) : value])
            .filter(
              ([, value]) => value !== 0 && value !== 0n && (value as { length?: number }).length !== 0,
            ),
        ),
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)) as [string, object][],
  );
}

/** Each row looked at by itself, in words of its own. */
export function scanned(
  rows: readonly Row[],
  { fromMs, toMs, grouping: { by, filter, tagKey }, latencies }: SpanRead,
): readonly Plain[] {
  const found = new Map<string, { values: readonly string[]; sums: { [name: string]: unknown } }>();
  const count = (
    run: RunRecord,
    atMs: number,
    own: { readonly [name in GroupDimension]?: string },
    amounts: { readonly [name: string]: bigint | number },
    durations: { readonly [name: string]: number | null },
  ): void => {
    const of = {
      TASK: run.task,
      CALLER: run.caller.name,
      TEAM: run.caller.team ?? '',
      SESSION: run.caller.session ?? '',
      REVISION: run.revision,
      ...own,
    } as { readonly [name in GroupDimension]: string };
    if (atMs < fromMs || atMs >= toMs) return;
    if ((filter.task ?? of.TASK) !== of.TASK || (filter.caller ?? of.CALLER) !== of.CALLER) return;
    if ((filter.team ?? of.TEAM) !== of.TEAM || (filter.session ?? of.SESSION) !== of.SESSION) return;
    if ((filter.provider ?? of.PROVIDER) !== of.PROVIDER) return;
    if (filter.tag !== undefined && run.tags[filter.tag.key] !== filter.tag.value) return;
    const valuesOf = (one: GroupDimension): readonly string[] => {
      if (one !== 'TAG') return [of[one]];
      if (tagKey !== undefined) return [run.tags[tagKey] ?? ''];
      return Object.entries(run.tags).map(([key, value]) => `${key}=${value}`);
    };
    const groups = by.reduce<readonly (readonly string[])[]>(
      (all, one) => all.flatMap((group) => valuesOf(one).map((value) => [...group, value])),
      [[]],
    );
    for (const values of groups) {
      const name = JSON.stringify(values);
      const group = found.get(name) ?? { values, sums: {} };
      found.set(name, group);
      for (const [what, amount] of Object.entries(amounts))
        group.sums[what] =
          typeof amount === 'bigint'
            ? ((group.sums[what] as bigint | undefined) ?? 0n) + amount
            : ((group.sums[what] as number | undefined) ?? 0) + amount;
      for (const [what, durationMs] of Object.entries(durations)) {
        const counts = (group.sums[what] ??= new Map<number, number>()) as Map<number, number>;
        if (durationMs === null || !latencies) continue;
        counts.set(bucketOf(durationMs), (counts.get(bucketOf(durationMs)) ?? 0) + 1);
      }
    }
  };
  for (const { run, attempts } of rows) {
    for (const attempt of attempts) {
      const { provider, requestedModel, status, costNanoUsd, savedBy = null } = attempt;
      const answered = status === 'succeeded';
      count(
        run,
        attempt.startedAtMs,
        { PROVIDER: provider, MODEL: `${provider}/${requestedModel}`, STATUS: status },
        {
          attempts: 1,
          errors: answered ? 0 : 1,
          costNanoUsd,
          inputTokens: BigInt(attempt.inputTokens),
          cachedInputTokens: BigInt(attempt.cachedInputTokens),
          cacheWriteTokens: BigInt(attempt.cacheWriteTokens),
          outputTokens: BigInt(attempt.outputTokens),
          reasoningTokens: BigInt(attempt.reasoningTokens),
          estimatedNanoUsd: attempt.estimated ? costNanoUsd : 0n,
          unbaselinedNanoUsd: answered && attempt.baseline === null ? costNanoUsd : 0n,
          savedRoutingNanoUsd: savedBy === 'routing' ? (attempt.savedRouteNanoUsd ?? 0n) : 0n,
          savedPromptCacheNanoUsd: attempt.savedPromptCacheNanoUsd ?? 0n,
          savedFailuresNanoUsd: answered ? 0n : -costNanoUsd,
        },
        { latency: attempt.latencyMs, firstToken: attempt.firstTokenMs },
      );
    }
    // A run is counted under who answered it.
    const last = attempts.at(-1);
    count(
      run,
      run.startedAtMs,
      {
        PROVIDER: last?.provider ?? '',
        MODEL: last === undefined ? '' : `${last.provider}/${last.requestedModel}`,
        STATUS: run.status,
      },
      {
        runs: 1,
        cachedRuns: run.cached ? 1 : 0,
        savedNanoUsd: run.savedNanoUsd,
        savedExactCacheNanoUsd: run.cached ? run.savedNanoUsd : 0n,
      },
      {},
    );
  }
  return [...found.values()];
}
