// LiveStats: one computation of a statistic for all who watch the same one.
import { canonicalJson } from '../../../common/json.ts';
import type { Clock } from '../../../common/clock.ts';
import type { RunFilter } from '../../../ledger/port.ts';
import type { CostStats, StatsDimension, StatsReader, StatsWindow } from '../../../ledger/stats/port.ts';
import { Channel } from './channel.ts';
import { tooSlow } from './slow.ts';

export interface StatsQuery {
  readonly window: StatsWindow;
  readonly by: readonly StatsDimension[];
  readonly filter: RunFilter;
}

/** Per set of services: watchers come and go with requests, what they share stays here. */
export class LiveStats {
  readonly #stats: StatsReader;
  readonly #clock: Clock;
  readonly #watched = new Map<string, WatchedStats>();

  constructor(stats: StatsReader, clock: Clock) {
    this.#stats = stats;
    this.#clock = clock;
  }

  /** The state now, then at most one state per `everyMs`, only after something was written. A slow reader skips states, and never waits for old ones. */
  watch(query: StatsQuery, everyMs: number): AsyncGenerator<CostStats, undefined, undefined> {
    const key = canonicalJson({
      ...query,
      filter: { ...query.filter, minCostNanoUsd: query.filter.minCostNanoUsd?.toString() },
      everyMs,
    });
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      watched = new WatchedStats(this.#stats, this.#clock, query, everyMs, () => this.#watched.delete(key));
      this.#watched.set(key, watched);
    }
    return watched.join();
  }

  /** Of distinct statistics; for metrics and tests. */
  get watching(): number {
    return this.#watched.size;
  }
}

const latest = (_last: CostStats, next: CostStats): CostStats => next;

class WatchedStats {
  readonly #stats: StatsReader;
  readonly #clock: Clock;
  readonly #query: StatsQuery;
  readonly #everyMs: number;
  readonly #channels = new Set<Channel<CostStats>>();
  readonly #stopListening: () => void;
  readonly #onEmpty: () => void;
  #cancelTimer: (() => void) | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #current: { readonly version: number; readonly value: Promise<CostStats> } | undefined;
  /** Also those whose first state is still being computed. */
  #members = 0;

  constructor(stats: StatsReader, clock: Clock, query: StatsQuery, everyMs: number, onEmpty: () => void) {
    this.#stats = stats;
    this.#clock = clock;
    this.#query = query;
    this.#everyMs = everyMs;
    this.#onEmpty = onEmpty;
    this.#stopListening = stats.onChange(() => this.#schedule());
  }

  join(): Channel<CostStats> {
    const channel: Channel<CostStats> = new Channel({
      limit: 1,
      merge: latest,
      overflow: () => tooSlow('a state'),
      onClose: () => this.#leave(channel),
    });
    this.#members += 1;
    void this.#begin(channel);
    return channel;
  }

  /** The state now goes to the new one alone; from then on it hears what all hear. */
  async #begin(channel: Channel<CostStats>): Promise<void> {
    try {
      const version = this.#stats.version();
      channel.push(await this.#compute(version));
      if (channel.closed) return;
      this.#channels.add(channel);
      if (this.#channels.size === 1) this.#sentAtMs = this.#clock.monotonicMs();
      if (this.#stats.version() !== version) this.#schedule();
    } catch (error) {
      channel.fail(error as Error);
    }
  }

  #leave(channel: Channel<CostStats>): void {
    this.#channels.delete(channel);
    this.#members -= 1;
    if (this.#members > 0) return;
    this.#cancelTimer?.();
    this.#stopListening();
    this.#onEmpty();
  }

  #schedule(): void {
    if (this.#cancelTimer !== undefined) return;
    const waitMs = Math.max(0, this.#sentAtMs + this.#everyMs - this.#clock.monotonicMs());
    this.#cancelTimer = this.#clock.after(waitMs, () => void this.#send());
  }

  async #send(): Promise<void> {
    const version = this.#stats.version();
    this.#sentAtMs = this.#clock.monotonicMs();
    try {
      const value = await this.#compute(version);
      for (const channel of this.#channels) channel.push(value);
    } catch (error) {
      for (const channel of this.#channels) channel.fail(error as Error);
    }
    this.#cancelTimer = undefined;
    if (this.#stats.version() !== version && this.#members > 0) this.#schedule();
  }

  /** Once per version, however many ask. */
  #compute(version: number): Promise<CostStats> {
    if (this.#current?.version !== version)
      this.#current = { version, value: this.#stats.costStats(this.#query) };
    return this.#current.value;
  }
}
