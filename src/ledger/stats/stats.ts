// Statistics over written rows: views kept live from the commit feed, and the signals that routing reads. Read-only.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../common/clock.ts';
import type { WrittenFeed, WrittenRow, RunFilter } from '../port.ts';
import type { Signals } from '../../engine/routing/port.ts';
import { createSignals } from '../../engine/routing/signals.ts';
import { toBucket } from './bucket.ts';
import type { ChangeReader } from './changes.ts';
import { LiveView, needsRows, scanView } from './live-view.ts';
import type { CostStats, SpanStats, StatsReader } from './port.ts';
import { sampleOf } from './sample.ts';
import { createSpanStats } from './spans.ts';
import { View } from './view.ts';
import type { ViewGroup } from './view.ts';

export interface Stats extends StatsReader, SpanStats, Signals {
  /** Other processes have written: what was read is read again. */
  outdated(): void;
  /** Lets go of the commit feed. */
  close(): void;
}

/** Questions kept at a time; the one asked longest ago is read again when it comes back (INV-14). */
const KEPT_ANSWERS = 64;
const MINUTE_MS = 60_000;

/** One question, what answers it, and what it said last. */
interface Kept {
  readonly view: Promise<View>;
  /** Hears of what is written; null: it was read from rows, and holds what `version` had. */
  readonly live: LiveView | null;
  readonly version: number;
  readonly isCurrent: (nowMs: number) => boolean;
  said: { readonly version: number; readonly minute: number; readonly stats: CostStats } | null;
}

type Query = Parameters<StatsReader['costStats']>[0];

export function createStats({
  ledger,
  clock,
}: {
  readonly ledger: WrittenFeed & ChangeReader;
  readonly clock: Clock;
}): Stats {
  const signals = createSignals({ clock });
  const kept = new LRUCache<string, Kept>({ max: KEPT_ANSWERS });
  const listeners = new Set<() => void>();
  let version = 0;

  const release = ledger.onWritten((rows: readonly WrittenRow[], lastOperation) => {
    for (const row of rows) {
      if (row.kind === 'attempt_closed') {
        const sample = sampleOf(row.attempt);
        if (sample !== undefined) signals.observe(sample);
      }
    }
    for (const { live } of kept.values()) live?.written(rows, lastOperation);
    version += 1;
    for (const listener of listeners) listener();
  });

  /** The view that answers: kept live by what is written, or, where only rows can tell, read again after each commit. */
  const keptFor = (query: Query): Kept => {
    const { window, by = [], filter = {} } = query;
    const name = nameOf(query);
    const known = kept.get(name);
    const nowMs = clock.nowMs();
    if (known?.isCurrent(nowMs) === true && (known.live !== null || known.version === version)) return known;
    const fresh = needsRows(filter)
      ? scannedView(new View(window, { by, filter: {} }, nowMs), filter)
      : liveView(new View(window, { by, filter }, nowMs));
    kept.set(name, fresh);
    // What could not be read is not kept: the next question reads again.
    fresh.view.catch(() => {
      if (kept.peek(name) === fresh) kept.delete(name);
    });
    return fresh;
  };
  const liveView = (view: View): Kept => {
    const live = new LiveView(view, ledger, clock);
    return { view: live.ready, live, version, isCurrent: (nowMs) => view.isCurrent(nowMs), said: null };
  };
  const scannedView = (view: View, filter: RunFilter): Kept => ({
    view: scanView(view, filter, ledger, clock),
    live: null,
    version,
    isCurrent: (nowMs) => view.isCurrent(nowMs),
    said: null,
  });

  // What a dashboard asks first is read while the server starts.
  keptFor({ window: 'DAY' });

  return {
    ...createSpanStats(ledger, clock),
    latency: (modelKey) => signals.latency(modelKey),
    percentileMs: (...args) => signals.percentileMs(...args),
    outputTokens: (task, step, modelKey) => signals.outputTokens(task, step, modelKey),
    version: () => version,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async costStats(query) {
      const found = keptFor(query);
      const view = await found.view;
      const nowMs = clock.nowMs();
      const minute = Math.floor(nowMs / MINUTE_MS);
      // Once for all who ask between two commits.
      if (found.said?.version !== version || found.said.minute !== minute)
        found.said = { version, minute, stats: toStats(view, nowMs) };
      return { ...found.said.stats, atMs: nowMs };
    },
    outdated() {
      kept.clear();
      version += 1;
      for (const listener of listeners) listener();
    },
    close() {
      release();
      listeners.clear();
      kept.clear();
    },
  };
}

function nameOf({ window, by = [], filter = {} }: Query): string {
  const { minCostNanoUsd, ...rest } = filter;
  return JSON.stringify([window, by, rest, String(minCostNanoUsd)]);
}

function toStats(view: View, nowMs: number): CostStats {
  view.forgetPoints(nowMs);
  const { by } = view.grouping;
  const toGroup = (group: ViewGroup): CostStats['groups'][number] => ({
    keys: by.map((dimension, index) => ({ dimension, value: group.values[index] ?? '' })),
    bucket: toBucket(group.sums, group.minutes),
  });
  return {
    atMs: nowMs,
    window: view.window,
    total: toBucket(view.total.sums, view.total.minutes),
    groups: [...view.groups()].sort(dearestFirst).map(toGroup),
  };
}

function dearestFirst(a: ViewGroup, b: ViewGroup): number {
  if (a.sums.costNanoUsd !== b.sums.costNanoUsd) return a.sums.costNanoUsd < b.sums.costNanoUsd ? 1 : -1;
  return b.sums.attempts - a.sums.attempts || (a.values.join() < b.values.join() ? -1 : 1);
}
