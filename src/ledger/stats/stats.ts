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
  /** Lets go of the commit feed. */
  close(): void;
}

/** Questions kept live at a time; the one asked longest ago is read again when it comes back (INV-14). */
const LIVE_VIEWS = 64;

type Query = Parameters<StatsReader['costStats']>[0];

export function createStats({
  ledger,
  clock,
}: {
  readonly ledger: WrittenFeed & ChangeReader;
  readonly clock: Clock;
}): Stats {
  const signals = createSignals({ clock });
  const views = new LRUCache<string, LiveView>({ max: LIVE_VIEWS });
  const scans = new LRUCache<string, { readonly version: number; readonly view: Promise<View> }>({
    max: LIVE_VIEWS,
  });
  const listeners = new Set<() => void>();
  const say = createSayings(clock);
  let version = 0;

  const release = ledger.onWritten((rows: readonly WrittenRow[], lastOperation) => {
    for (const row of rows) {
      if (row.kind === 'attempt_closed') {
        const sample = sampleOf(row.attempt);
        if (sample !== undefined) signals.observe(sample);
      }
    }
    for (const view of views.values()) view.written(rows, lastOperation);
    version += 1;
    for (const listener of listeners) listener();
  });

  const scanned = async ({ window, by = [], filter = {} }: Query): Promise<View> => {
    const name = viewName(window, by, filter);
    const known = scans.get(name);
    if (known?.version === version && (await known.view).isCurrent(clock.nowMs())) return known.view;
    const view = scanView(new View(window, { by, filter: {} }, clock.nowMs()), filter, ledger, clock);
    scans.set(name, { version, view });
    view.catch(() => scans.delete(name));
    return view;
  };

  const liveView = ({ window, by = [], filter = {} }: Query): LiveView => {
    const name = viewName(window, by, filter);
    let view = views.get(name);
    if (view === undefined || !view.isCurrent(clock.nowMs())) {
      view = new LiveView(new View(window, { by, filter }, clock.nowMs()), ledger, clock);
      const made = view;
      // A view that could not be read is not kept: the next question reads again.
      made.ready.catch(() => {
        if (views.peek(name) === made) views.delete(name);
      });
      views.set(name, made);
    }
    return view;
  };

  // What a dashboard asks first is read while the server starts.
  liveView({ window: 'DAY' });

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
      const view = await (needsRows(query.filter ?? {}) ? scanned(query) : liveView(query).ready);
      return say(view, version);
    },
    close() {
      release();
      listeners.clear();
      views.clear();
      scans.clear();
    },
  };
}

function viewName(window: Query['window'], by: NonNullable<Query['by']>, filter: RunFilter): string {
  const { minCostNanoUsd, ...rest } = filter;
  return JSON.stringify([window, by, rest, String(minCostNanoUsd)]);
}

/** What a view says, computed once for all who ask between two commits. */
function createSayings(clock: Clock): (view: View, version: number) => CostStats {
  const said = new WeakMap<
    View,
    { readonly version: number; readonly minute: number; readonly stats: CostStats }
  >();
  return (view, version) => {
    const nowMs = clock.nowMs();
    const minute = Math.floor(nowMs / 60_000);
    const known = said.get(view);
    if (known?.version === version && known.minute === minute) return { ...known.stats, atMs: nowMs };
    const stats = toStats(view, nowMs);
    said.set(view, { version, minute, stats });
    return stats;
  };
}

function toStats(view: View, nowMs: number): CostStats {
  view.forgetPoints(nowMs);
  const { by } = view.grouping;
  const toGroup = (group: ViewGroup): CostStats['groups'][number] => ({
    keys: by.map((dimension, index) => ({ dimension, value: group.values[index] ?? '' })),
    bucket: toBucket(group),
  });
  return {
    atMs: nowMs,
    window: view.window,
    total: toBucket(view.total),
    groups: [...view.groups()].sort(dearestFirst).map(toGroup),
  };
}

function dearestFirst(a: ViewGroup, b: ViewGroup): number {
  if (a.sums.costNanoUsd !== b.sums.costNanoUsd) return a.sums.costNanoUsd < b.sums.costNanoUsd ? 1 : -1;
  return b.sums.attempts - a.sums.attempts || (a.values.join() < b.values.join() ? -1 : 1);
}
