// GraphqlServices: everything that resolvers may use, and nothing else; app.ts puts it together.
import type { Guards } from '../../engine/budget/guards/port.ts';
import type { Budgets } from '../../engine/budget/port.ts';
import type { Clock } from '../../common/clock.ts';
import type { Adjustment } from '../../engine/execution/adjustment.ts';
import type { AttemptRecord } from '../../engine/execution/records.ts';
import type { Engine } from '../../engine/execution/port.ts';
import type { Recorder } from '../../engine/execution/recorder.ts';
import type { WrittenFeed, LedgerAdmin, LedgerReader } from '../../ledger/port.ts';
import type { CircuitState } from '../../engine/resilience/port.ts';
import type { Revisions } from '../../revisions/port.ts';
import type { SpanStats, StatsReader } from '../../ledger/stats/port.ts';
import type { TestedSink } from '../alerts/test-sinks.ts';
import type { ApiKeys } from './api-keys.ts';
import type { RunJournals } from './live/journal.ts';
import type { RemoteRuns } from './live/remote-runs.ts';
import type { LiveStats } from './live/live-stats.ts';

/** A process that serves from the same ledger. Times by the database's clock. */
export interface ServerNode {
  readonly id: string;
  readonly place: string;
  readonly version: string;
  readonly startedAtMs: number;
  readonly beatAtMs: number;
  readonly isSelf: boolean;
}

export interface GraphqlServices {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly ledger: LedgerReader & LedgerAdmin & Pick<Recorder, 'planText'>;
  /** What was written, as it is written: subscriptions show nothing else (INV-11). */
  readonly written: WrittenFeed;
  readonly stats: StatsReader & SpanStats;
  readonly budgets: Pick<Budgets, 'views'>;
  readonly guards: Pick<Guards, 'pause' | 'resume' | 'switches'>;
  readonly providers: ProvidersView;
  readonly revisions: Pick<
    Revisions,
    'active' | 'refused' | 'changesBetween' | 'textOf' | 'reload' | 'activate' | 'release' | 'onChange'
  >;
  /** Enters what was spent and is in no row. */
  readonly adjustSpend: (adjustment: Adjustment) => Promise<AttemptRecord>;
  /** Sends a test to each sink of alerts of the active revision. */
  readonly testAlerts: () => Promise<readonly TestedSink[]>;
  /** Those that share the ledger, this one among them; none where the ledger is a file. */
  readonly nodes: () => readonly ServerNode[];
  readonly keys: ApiKeys;
  /** What watchers share, whatever schema and connection they came with. */
  readonly live: {
    readonly stats: LiveStats;
    readonly runs: RunJournals;
    /** Runs of other nodes, where several share the ledger. */
    readonly remote?: RemoteRuns;
  };
}

/** One model as its provider serves it now. Times in milliseconds; shares from 0 to 1; null: not known. */
export interface ProviderModelStatus {
  /** `provider/model`. */
  readonly key: string;
  readonly model: string;
  readonly circuit: CircuitState;
  readonly circuitRetryAfterMs: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly latencyMs: number | null;
  readonly latencyP95Ms: number | null;
  readonly firstTokenMs: number | null;
  readonly requestHeadroom: number | null;
  readonly tokenHeadroom: number | null;
  /** Until the provider's own "wait" is over; 0: it is not waiting. */
  readonly rateClosedForMs: number;
}

export interface ProviderStatus {
  readonly name: string;
  readonly adapter: string;
  /** What is missing before it can be called (`set OPENAI_API_KEY`); null: nothing. */
  readonly unavailable: string | null;
  readonly models: readonly ProviderModelStatus[];
}

export interface ProvidersView {
  /** Of the active plan, in its order. */
  list(): readonly ProviderStatus[];
  get(name: string): ProviderStatus | undefined;
  /** Closes the circuits of all its models; false: there is no such provider. */
  resetCircuit(name: string): boolean;
  /** Called with a provider's name when its state changed. */
  onChange(listener: (name: string) => void): () => void;
}
