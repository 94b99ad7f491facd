// What an engine is made of: the ports of everything that it works with. app.ts puts them together.
import type { Budgets } from '../budget/port.ts';
import type { Guards } from '../budget/guards/port.ts';
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/random.ts';
import type { Plan } from '../../language/plan/types.ts';
import type { ProviderRegistry } from '../providers/registry-port.ts';
import type { Policies, RateGates } from '../resilience/port.ts';
import type { StreamPace } from '../resilience/stream-pace.ts';
import type { Signals } from '../routing/port.ts';
import type { Executors } from './executors.ts';
import type { LearntBounds } from './learnt-bounds.ts';
import type { PromptCaches } from './prompt-cache.ts';
import type { UsageAlerts } from './usage-alerts.ts';
import type { History, Recorder } from './recorder.ts';
import type { Runtime } from './runtime.ts';
import type { WorkThread } from './thread/work-thread.ts';

export interface EngineLog {
  warn(fields: { readonly [name: string]: unknown }, message: string): void;
  error(fields: { readonly [name: string]: unknown }, message: string): void;
}

export interface EngineParts {
  /** The plan that new runs take; a run keeps it to its end (INV-7). */
  readonly currentPlan: () => Plan;
  /** The plan of a run that goes on after a restart; undefined: unknown. */
  readonly planByHash: (hash: string) => Promise<Plan | undefined>;
  readonly executors: Executors;
  readonly providers: ProviderRegistry;
  readonly policies: Policies;
  readonly rateGates: RateGates;
  readonly budgets: Budgets;
  readonly guards: Guards;
  readonly recorder: Recorder;
  readonly history: History;
  readonly runtime: Runtime;
  /** Where large texts and inputs are worked on. */
  readonly thread: WorkThread;
  readonly signals: Signals;
  readonly bounds: LearntBounds;
  readonly promptCaches: PromptCaches;
  readonly usageAlerts: UsageAlerts;
  /** Left out: every stream is read as it comes. */
  readonly pace?: StreamPace;
  /** Durable runs at once; those that are started beyond it wait, the most urgent first. */
  readonly durableRuns: number;
  /** Where several nodes share the ledger: has a run cancelled that is not here. false: it is over. */
  readonly cancelElsewhere?: (runId: string, reason: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  /** Whatever no caller can be told; never content, never a secret. */
  readonly log?: EngineLog;
}
