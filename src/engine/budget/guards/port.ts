// What an execution asks of the guards: may this run start, and is spending switched off for it?
import type { NanoUsd } from '../../../common/money.ts';
import type { PlanLoopGuard, PlanSurgeGuard } from '../../../language/plan/types.ts';
import type { LoopTrace } from './kinds/kind.ts';
import type { GuardNews } from './news.ts';

/** `all`, `provider:NAME`, `model:PROVIDER/MODEL`, `task:NAME`, `caller:NAME`. */
export type SpendScope = string;

export interface SpendSwitch {
  readonly scope: SpendScope;
  readonly reason: string;
  /** A caller's name, or `guard:loop`, `guard:surge`. */
  readonly by: string;
  readonly sinceMs: number;
}

export type LoopDecision =
  | { readonly kind: 'pass' }
  /** The same input ran before within the window: answer with that run, waiting for it if it is still going. If it has no answer after all, refuse as for `reject`: another call is what a loop wants. */
  | {
      readonly kind: 'reuse';
      readonly runId: string;
      readonly same: PlanLoopGuard['same'];
      readonly repeats: number;
      readonly withinMs: number;
      readonly retryAfterMs: number;
    }
  | {
      readonly kind: 'reject';
      /** The tool that is called again and again, where it is calls that are compared. */
      readonly tool?: string | undefined;
      readonly same: PlanLoopGuard['same'];
      readonly repeats: number;
      readonly withinMs: number;
      readonly retryAfterMs: number;
    }
  | { readonly kind: 'paused'; readonly switch: SpendSwitch };

/** A run as the loop guards know it. */
export interface GuardedRun {
  readonly runId: string;
  readonly task: string;
  readonly caller: string;
  readonly session?: string | undefined;
  /** The task's, and what each of them compares of this input, in the same order. */
  readonly guards: readonly PlanLoopGuard[];
  readonly traces: readonly LoopTrace[];
}

export type { GuardNews } from './news.ts';

export interface Guards {
  /** Asked once a run, before anything is spent. */
  admit(run: GuardedRun & { readonly inputHash: string }): LoopDecision;
  /** A run that was let pass has ended; only a succeeded one is an answer to reuse, and one that is `uncounted` is as if it had not been tried. */
  ended(run: GuardedRun & { readonly succeeded: boolean; readonly uncounted?: boolean }): void;
  /** The first switch that is off for a call in these scopes; asked before each attempt too. */
  switchFor(scopes: readonly SpendScope[]): SpendSwitch | undefined;
  /** Durable before it returns to the operator; see `onSwitch`. */
  pause(scope: SpendScope, reason: string, by: string): SpendSwitch;
  resume(scope: SpendScope, by: string): SpendSwitch | undefined;
  switches(): readonly SpendSwitch[];
  /** As the ledger has them: another process has changed them, and told of it. */
  replaceSwitches(switches: Iterable<SpendSwitch>): void;
  /** What the guards of another node have told. */
  heard(news: readonly GuardNews[]): void;
  /** Committed spend, as it is settled: what the surge guard watches. */
  spent(spend: {
    readonly task: string;
    readonly caller: string;
    readonly costNanoUsd: NanoUsd;
    readonly atMs: number;
  }): void;
  /**
   * The past that the surge guard compares with, oldest first; at the start, after the first `configure`. The baseline's length, or four weeks where there
   * is more. Sums will do, of one scope each, if they are of times no longer than the guard's `over`: an hour's sum as one spend would look like a peak.
   */
  seed(
    spends: Iterable<
      {
        readonly atMs: number;
        readonly costNanoUsd: NanoUsd;
      } & ({ readonly scope: SpendScope } | { readonly task: string; readonly caller: string })
    >,
  ): void;
  configure(surge: PlanSurgeGuard | null): void;
  onSwitch(
    listener: (change: {
      readonly kind: 'paused' | 'resumed';
      readonly switch: SpendSwitch;
      readonly by: string;
    }) => void,
  ): () => void;
  onAlert(listener: (alert: GuardAlert) => void): () => void;
}

export interface GuardAlert {
  readonly kind: 'loop' | 'surge';
  readonly scope: SpendScope;
  readonly message: string;
  readonly details: { readonly [key: string]: string | number };
}
