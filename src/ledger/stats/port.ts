// Cost statistics over committed rows: windows, dimensions, buckets.
import type { NanoUsd } from '../../common/money.ts';
import type { RunFilter } from '../port.ts';
import type { GroupDimension } from '../rollup/group.ts';

export type StatsWindow = 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'ALL';
export type StatsDimension = GroupDimension;

export interface CostBucket {
  readonly costNanoUsd: NanoUsd;
  readonly savedNanoUsd: NanoUsd;
  readonly runs: number;
  readonly attempts: number;
  /** Attempts that failed. */
  readonly errors: number;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly firstTokenP50Ms: number | null;
  /** Cost and runs a minute, oldest first, at most 60 points. */
  readonly perMinute: readonly {
    readonly atMs: number;
    readonly costNanoUsd: NanoUsd;
    readonly runs: number;
  }[];
}

export interface CostStats {
  readonly atMs: number;
  readonly window: StatsWindow;
  readonly total: CostBucket;
  /** One for each combination of the dimensions asked for, dearest first. */
  readonly groups: readonly {
    readonly keys: readonly { readonly dimension: StatsDimension; readonly value: string }[];
    readonly bucket: CostBucket;
  }[];
}

export interface StatsReader {
  costStats(query: {
    readonly window: StatsWindow;
    readonly by?: readonly StatsDimension[];
    readonly filter?: RunFilter;
  }): Promise<CostStats>;
  /** Changes whenever something was committed: subscribers compare it before they compute. */
  version(): number;
  onChange(listener: () => void): () => void;
}
