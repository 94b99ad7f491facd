/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export const AlertKind = {
  BudgetExhausted: 'BUDGET_EXHAUSTED',
  BudgetForecast: 'BUDGET_FORECAST',
  BudgetOverrun: 'BUDGET_OVERRUN',
  BudgetWarn: 'BUDGET_WARN',
  Circuit: 'CIRCUIT',
  DeadLetter: 'DEAD_LETTER',
  LedgerFailing: 'LEDGER_FAILING',
  LedgerRepaired: 'LEDGER_REPAIRED',
  LedgerReplaced: 'LEDGER_REPLACED',
  LedgerRestored: 'LEDGER_RESTORED',
  LedgerSetAside: 'LEDGER_SET_ASIDE',
  Loop: 'LOOP',
  Paused: 'PAUSED',
  PricesOld: 'PRICES_OLD',
  Resumed: 'RESUMED',
  RevisionPinned: 'REVISION_PINNED',
  RevisionRefused: 'REVISION_REFUSED',
  RevisionReleased: 'REVISION_RELEASED',
  RevisionRenamed: 'REVISION_RENAMED',
  Surge: 'SURGE',
  Unreconciled: 'UNRECONCILED',
  UsageImpossible: 'USAGE_IMPOSSIBLE',
  UsageMissing: 'USAGE_MISSING'
} as const;

export type AlertKind = typeof AlertKind[keyof typeof AlertKind];
export const AlertSeverity = {
  Critical: 'CRITICAL',
  Info: 'INFO',
  Warning: 'WARNING'
} as const;

export type AlertSeverity = typeof AlertSeverity[keyof typeof AlertSeverity];
/** OPEN: called, not answered yet. UNRECONCILED: its process died; it may have been billed, and is held at its worst case. */
export const AttemptStatus = {
  Cancelled: 'CANCELLED',
  Failed: 'FAILED',
  Open: 'OPEN',
  Succeeded: 'SUCCEEDED',
  Unreconciled: 'UNRECONCILED'
} as const;

export type AttemptStatus = typeof AttemptStatus[keyof typeof AttemptStatus];
/** What happens to a call that does not fit. */
export const BudgetAction = {
  /** Only candidates that still fit are tried. */
  Downgrade: 'DOWNGRADE',
  /** It is refused. */
  Reject: 'REJECT',
  /** It goes through, and an alert is raised. */
  Warn: 'WARN'
} as const;

export type BudgetAction = typeof BudgetAction[keyof typeof BudgetAction];
/** What a budget counts. */
export const BudgetUnit = {
  Calls: 'CALLS',
  Tokens: 'TOKENS',
  Usd: 'USD'
} as const;

export type BudgetUnit = typeof BudgetUnit[keyof typeof BudgetUnit];
export const CalendarUnit = {
  Day: 'DAY',
  Hour: 'HOUR',
  Month: 'MONTH',
  Week: 'WEEK'
} as const;

export type CalendarUnit = typeof CalendarUnit[keyof typeof CalendarUnit];
/** Another caller to run in the name of; needs the scope "caller:*". */
export type CallerInput = {
  name: string;
  team?: string | null | undefined;
  tier?: string | null | undefined;
};

export const CircuitState = {
  Closed: 'CLOSED',
  HalfOpen: 'HALF_OPEN',
  Open: 'OPEN'
} as const;

export type CircuitState = typeof CircuitState[keyof typeof CircuitState];
/** In the order in which they are told apart: each at what the ones before it have changed. */
export const CostCause = {
  /** Answers that a run needs: more steps, more items. */
  Calls: 'CALLS',
  /** The share of runs that were answered without a call. */
  ExactCache: 'EXACT_CACHE',
  /** What calls cost whose answers were not used, retries among them. */
  Failures: 'FAILURES',
  /** Longer prompts, or shorter ones. */
  InputTokens: 'INPUT_TOKENS',
  /** Longer answers, or shorter ones; reasoning too. */
  OutputTokens: 'OUTPUT_TOKENS',
  /** The same tokens of the same models cost more, or less. */
  Price: 'PRICE',
  /** The share of the input that the provider's cache had. */
  PromptCache: 'PROMPT_CACHE',
  /** Other models answered. */
  Route: 'ROUTE',
  /** More runs, or fewer: callers, not workflows. */
  Volume: 'VOLUME'
} as const;

export type CostCause = typeof CostCause[keyof typeof CostCause];
export type CreateApiKeyInput = {
  /** Whose name its runs carry. */
  caller: string;
  expiresAt?: string | null | undefined;
  /** What a request may have at /v1; 32 MB at most. */
  maxBodyBytes?: number | null | undefined;
  requestsPerMinute?: number | null | undefined;
  /** `run:summarize`, `run:*`, `read:stats`, `read:all`, `caller:*`, `admin`. */
  scopes: Array<string>;
  tags?: Array<TagInput> | null | undefined;
  team?: string | null | undefined;
  tier?: string | null | undefined;
};

export const ProblemSeverity = {
  Error: 'ERROR',
  Note: 'NOTE',
  Warning: 'WARNING'
} as const;

export type ProblemSeverity = typeof ProblemSeverity[keyof typeof ProblemSeverity];
/** What became of an attempt whose outcome is unknown. */
export const ReconcileVerdict = {
  /** It was billed: `cost`, or its worst case. */
  Confirm: 'CONFIRM',
  /** It was not billed; what is held is given back. */
  Release: 'RELEASE'
} as const;

export type ReconcileVerdict = typeof ReconcileVerdict[keyof typeof ReconcileVerdict];
export type RunFilter = {
  caller?: string | null | undefined;
  minCost?: string | null | undefined;
  /** Runs with an attempt on this provider. */
  provider?: string | null | undefined;
  revision?: string | null | undefined;
  /** What a run's client said that it belongs to: a coding agent's session. */
  session?: string | null | undefined;
  /** Inclusive. */
  startedFrom?: string | null | undefined;
  /** Exclusive. */
  startedTo?: string | null | undefined;
  status?: RunStatus | null | undefined;
  tag?: TagInput | null | undefined;
  task?: string | null | undefined;
};

export type RunOptions = {
  caller?: CallerInput | null | undefined;
  /** Tightens the task's own deadline; never loosens it. */
  deadlineMs?: number | null | undefined;
  /** Answers with DryRun: the decision and the hold; nobody is called. */
  dryRun?: boolean | null | undefined;
  /** The same caller with the same key gets the same run. A run with a key goes on when its client goes away. */
  idempotencyKey?: string | null | undefined;
  /** Tightens the task's own allowance; never loosens it. */
  maxCost?: string | null | undefined;
  /** Runs even where an earlier answer to the same input is at hand. */
  noCache?: boolean | null | undefined;
  /** Kept with the run; budgets and statistics can tell runs apart by them. */
  tags?: Array<TagInput> | null | undefined;
};

export const RunOrigin = {
  /** An earlier run, kept by `cache` of the task. */
  Cache: 'CACHE',
  /** The run itself. */
  Fresh: 'FRESH',
  /** An earlier run: the same input came in a loop, and nobody was called. */
  LoopGuard: 'LOOP_GUARD'
} as const;

export type RunOrigin = typeof RunOrigin[keyof typeof RunOrigin];
export const RunStatus = {
  Cancelled: 'CANCELLED',
  Failed: 'FAILED',
  Queued: 'QUEUED',
  Running: 'RUNNING',
  Succeeded: 'SUCCEEDED'
} as const;

export type RunStatus = typeof RunStatus[keyof typeof RunStatus];
export const SavingCause = {
  /** A cheap model answered and was checked; less what its rejected answers cost. */
  Cascade: 'CASCADE',
  /** An earlier answer was given again: what it had cost. */
  ExactCache: 'EXACT_CACHE',
  /** What was paid for answers that were not used: below 0. */
  Failures: 'FAILURES',
  /** A model that costs nothing answered. */
  Local: 'LOCAL',
  /** The provider had read the prompt before; less what writing it there cost. */
  PromptCache: 'PROMPT_CACHE',
  /** Another paid model than the baseline answered. */
  Routing: 'ROUTING'
} as const;

export type SavingCause = typeof SavingCause[keyof typeof SavingCause];
/** Why a candidate was not tried. */
export const SkipCode = {
  AlreadyFailed: 'ALREADY_FAILED',
  BoundElsewhere: 'BOUND_ELSEWHERE',
  BulkheadFull: 'BULKHEAD_FULL',
  CannotTranslate: 'CANNOT_TRANSLATE',
  CapabilityMissing: 'CAPABILITY_MISSING',
  CircuitOpen: 'CIRCUIT_OPEN',
  ContextTooSmall: 'CONTEXT_TOO_SMALL',
  HoldDoesNotFit: 'HOLD_DOES_NOT_FIT',
  ModelTooSmall: 'MODEL_TOO_SMALL',
  NoKey: 'NO_KEY',
  NoRateHeadroom: 'NO_RATE_HEADROOM',
  OtherVectors: 'OTHER_VECTORS'
} as const;

export type SkipCode = typeof SkipCode[keyof typeof SkipCode];
/** A calendar unit in a time zone, or a rolling window, or an instant from and one to; an empty one is all that there is. */
export type SpanInput = {
  /** Of the calendar units: 0 is the one that holds now, 1 the one before it. */
  ago?: number | null | undefined;
  calendar?: CalendarUnit | null | undefined;
  /** Inclusive. */
  from?: string | null | undefined;
  /** IANA name, such as `Europe/Berlin`; left out: UTC. */
  timeZone?: string | null | undefined;
  /** Exclusive; left out: now. */
  to?: string | null | undefined;
  window?: StatsWindow | null | undefined;
};

export type SpendFilter = {
  caller?: string | null | undefined;
  /** `provider/model`. */
  model?: string | null | undefined;
  provider?: string | null | undefined;
  revision?: string | null | undefined;
  /** What a run's client said that it belongs to: a coding agent's session. */
  session?: string | null | undefined;
  tag?: TagInput | null | undefined;
  task?: string | null | undefined;
  team?: string | null | undefined;
};

/** Exactly one of its fields. */
export type SpendScopeInput =
  {   /** Always `true`. */
  all: boolean; caller?: never; model?: never; provider?: never; task?: never; }
  |  { all?: never;   caller: string; model?: never; provider?: never; task?: never; }
  |  { all?: never; caller?: never;   /** `provider/model`. */
  model: string; provider?: never; task?: never; }
  |  { all?: never; caller?: never; model?: never;   provider: string; task?: never; }
  |  { all?: never; caller?: never; model?: never; provider?: never;   task: string; };

export const StatsDimension = {
  Caller: 'CALLER',
  Model: 'MODEL',
  Provider: 'PROVIDER',
  Revision: 'REVISION',
  Session: 'SESSION',
  Status: 'STATUS',
  Tag: 'TAG',
  Task: 'TASK',
  Team: 'TEAM'
} as const;

export type StatsDimension = typeof StatsDimension[keyof typeof StatsDimension];
/** The time that ends now: the last hour, day, seven days, thirty days, or everything. */
export const StatsWindow = {
  All: 'ALL',
  Day: 'DAY',
  Hour: 'HOUR',
  Month: 'MONTH',
  Week: 'WEEK'
} as const;

export type StatsWindow = typeof StatsWindow[keyof typeof StatsWindow];
export const StepKind = {
  Chunk: 'CHUNK',
  Each: 'EACH',
  Exchange: 'EXCHANGE',
  Model: 'MODEL',
  Parse: 'PARSE',
  Task: 'TASK'
} as const;

export type StepKind = typeof StepKind[keyof typeof StepKind];
export const StepStatus = {
  Failed: 'FAILED',
  Running: 'RUNNING',
  Skipped: 'SKIPPED',
  Succeeded: 'SUCCEEDED'
} as const;

export type StepStatus = typeof StepStatus[keyof typeof StepStatus];
export type TagInput = {
  key: string;
  value: string;
};

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { name: string, keyId: string | null, scopes: Array<string> | null, pinnedRevision: { hash: string } | null } };

export type ExploreSpendQueryVariables = Exact<{
  span: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  filter?: SpendFilter | null | undefined;
  every?: CalendarUnit | null | undefined;
  tagKey?: string | null | undefined;
  first?: number | null | undefined;
}>;


export type ExploreSpendQuery = { spend: { from: string, to: string, complete: boolean, groupCount: number, total: { cost: string, estimated: string, runs: number, cachedRuns: number, attempts: number, errors: number, errorRate: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null }, series: Array<{ from: string, bucket: { cost: string, runs: number } }>, groups: Array<{ key: string, keys: Array<{ value: string }>, bucket: { cost: string, runs: number, attempts: number, errorRate: number, inputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null } }> } };

export type ExploreBeforeQueryVariables = Exact<{
  span: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  filter?: SpendFilter | null | undefined;
  tagKey?: string | null | undefined;
}>;


export type ExploreBeforeQuery = { spend: { total: { cost: string }, groups: Array<{ key: string, bucket: { cost: string } }> } };

export type SavingsOfQueryVariables = Exact<{
  span: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  filter?: SpendFilter | null | undefined;
  tagKey?: string | null | undefined;
}>;


export type SavingsOfQuery = { savings: { total: { net: string, cost: string, baselineCost: string, byCause: Array<{ cause: SavingCause, amount: string, estimated: boolean }> }, groups: Array<{ key: string, savings: { net: string } }> } };

export type SpendNowSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type SpendNowSubscription = { costStats: { at: string, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, errorRate: number, latencyP50Ms: number | null, latencyP95Ms: number | null, perMinute: Array<{ at: string, cost: string, runs: number }> }, groups: Array<{ key: string, bucket: { cost: string, runs: number } }>, budgets: Array<{ id: string, name: string, account: string, scope: string, unit: BudgetUnit, limit: string, spent: string, held: string, per: string, then: BudgetAction, resetsAt: string | null, windowStartedAt: string, each: string | null }> } };

export type TodayQueryVariables = Exact<{ [key: string]: never; }>;


export type TodayQuery = { pace: { perMinute: string, usualPerMinute: string | null, weeks: number }, spend: { total: { cost: string, runs: number } }, savings: { total: { net: string, cost: string, baselineCost: string, byCause: Array<{ cause: SavingCause, amount: string, estimated: boolean }> } } };

export type ChangedTodayQueryVariables = Exact<{
  to: SpanInput;
}>;


export type ChangedTodayQuery = { costChange: { fromCost: string, toCost: string, change: string, from: Array<{ from: string }>, byCause: Array<{ cause: CostCause, amount: string }>, byRevision: Array<{ amount: string, byCause: Array<{ cause: CostCause, amount: string }>, revision: { hash: string, commit: string | null, author: string | null, subject: string | null, dirty: boolean } | null, before: { hash: string, commit: string | null } | null, lines: Array<{ file: string, line: number, commit: string | null, author: string | null, subject: string | null }> }> } };

export type ForecastsQueryVariables = Exact<{ [key: string]: never; }>;


export type ForecastsQuery = { budgets: Array<{ id: string, forecast: { expected: string | null, low: string | null, high: string | null, exhaustedAt: string | null, earliest: string | null, latest: string | null, pastDays: number } | null }> };

export type InFlightQueryVariables = Exact<{ [key: string]: never; }>;


export type InFlightQuery = { runs: { edges: Array<{ node: { id: string, startedAt: string, cost: string, task: { name: string }, caller: { name: string }, attempts: Array<{ id: string, status: AttemptStatus, held: string, model: string, provider: { name: string } }> } }> } };

export type CancelRunMutationVariables = Exact<{
  id: string;
}>;


export type CancelRunMutation = { cancelRun:
    | { __typename: 'NotFound', message: string }
    | { __typename: 'NotRunning', message: string }
    | { __typename: 'Run' }
   };

export type SwitchesQueryVariables = Exact<{ [key: string]: never; }>;


export type SwitchesQuery = { spendSwitches: Array<{ scope: string, paused: boolean, reason: string, by: string, since: string }> };

export type PauseSpendingMutationVariables = Exact<{
  scope: SpendScopeInput;
  reason: string;
}>;


export type PauseSpendingMutation = { pauseSpending: { scope: string, paused: boolean } };

export type ResumeSpendingMutationVariables = Exact<{
  scope: SpendScopeInput;
}>;


export type ResumeSpendingMutation = { resumeSpending: { scope: string, paused: boolean } };

export type PausableScopesQueryVariables = Exact<{ [key: string]: never; }>;


export type PausableScopesQuery = { taskTypes: Array<{ name: string }>, providers: Array<{ name: string, models: Array<{ key: string }> }> };

export type RecentAlertsQueryVariables = Exact<{ [key: string]: never; }>;


export type RecentAlertsQuery = { alerts: { edges: Array<{ node: { id: string, at: string, kind: AlertKind, severity: AlertSeverity, scope: string, message: string, remedy: string, details: unknown, run: { id: string } | null } }> }, spend: { groups: Array<{ keys: Array<{ value: string }>, bucket: { cost: string, runs: number } }> } };

export type AlertRaisedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type AlertRaisedSubscription = { alerts: { id: string } };

export type ProviderHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type ProviderHealthQuery = { providers: Array<{ id: string, name: string, available: boolean, unavailable: string | null, models: Array<{ key: string, model: string, circuit: CircuitState, circuitRetryAfterMs: number, inFlight: number, queued: number, latencyMs: number | null, latencyP95Ms: number | null, requestHeadroom: number | null, tokenHeadroom: number | null, rateClosedForMs: number }> }> };

export type NodesQueryVariables = Exact<{ [key: string]: never; }>;


export type NodesQuery = { nodes: Array<{ id: string, place: string, version: string, startedAt: string, seenAt: string, self: boolean }> };

export type ResetCircuitMutationVariables = Exact<{
  provider: string;
}>;


export type ResetCircuitMutation = { resetCircuit: { id: string } };

export type KeysQueryVariables = Exact<{ [key: string]: never; }>;


export type KeysQuery = { apiKeys: Array<{ id: string, caller: string, team: string | null, tier: string | null, hint: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, requestsPerMinute: number | null, tags: Array<{ key: string, value: string }> }> };

export type CreateKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateKeyMutation = { createApiKey: { secret: string, apiKey: { id: string, caller: string } } };

export type RevokeKeyMutationVariables = Exact<{
  id: string;
}>;


export type RevokeKeyMutation = { revokeApiKey: { id: string, revokedAt: string | null } };

export type UnreconciledQueryVariables = Exact<{ [key: string]: never; }>;


export type UnreconciledQuery = { unreconciled: Array<{ id: string, step: string, model: string, startedAt: string, held: string, inputTokens: number, provider: { name: string } }> };

export type EstimatesQueryVariables = Exact<{ [key: string]: never; }>;


export type EstimatesQuery = { estimates: Array<{ id: string, step: string, model: string, startedAt: string, cost: string, errorClass: string | null, provider: { name: string } }> };

export type ReconcileMutationVariables = Exact<{
  id: string;
  verdict: ReconcileVerdict;
  cost?: string | null | undefined;
}>;


export type ReconcileMutation = { reconcileAttempt: { id: string, cost: string } };

export type AlertListQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type AlertListQuery = { alerts: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ node: { id: string, at: string, kind: AlertKind, severity: AlertSeverity, scope: string, message: string, remedy: string, acknowledgedBy: string | null, acknowledgedAt: string | null, run: { id: string } | null } }> }, viewer: { scopes: Array<string> | null } };

export type AcknowledgeMutationVariables = Exact<{
  id: string;
}>;


export type AcknowledgeMutation = { acknowledgeAlert: { id: string, acknowledgedBy: string | null, acknowledgedAt: string | null } };

export type RunDeadLetterMutationVariables = Exact<{
  id: string;
}>;


export type RunDeadLetterMutation = { runAgain:
    | { __typename: 'BudgetExceeded', message: string, remedy: string }
    | { __typename: 'DryRun' }
    | { __typename: 'InvalidInput', message: string, remedy: string }
    | { __typename: 'LoopDetected', message: string, remedy: string }
    | { __typename: 'NoProviderAvailable', message: string, remedy: string }
    | { __typename: 'Run', id: string }
    | { __typename: 'SpendingPaused', message: string, remedy: string }
    | { __typename: 'Unauthorized', message: string, remedy: string }
   };

export type RevisionsQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type RevisionsQuery = { revisions: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ node: { id: string, hash: string, commit: string | null, subject: string | null, author: string | null, dirty: boolean, source: string | null, compiledAt: string | null, activeFrom: string | null, activeTo: string | null, active: boolean, pinned: boolean, problems: Array<{ code: string, severity: ProblemSeverity, file: string, line: number, column: number, message: string, remedy: string, excerpt: string }> } }> }, costStats: { groups: Array<{ key: string, bucket: { cost: string, runs: number, errorRate: number, latencyP95Ms: number | null } }> } };

export type RevisionTakenSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type RevisionTakenSubscription = { revisions: { hash: string } };

export type DifferenceQueryVariables = Exact<{
  before: string;
  after: string;
}>;


export type DifferenceQuery = { planDifference: { changes: Array<{ subject: string, message: string, effects: Array<string> }>, worstCosts: Array<{ task: string, before: string | null, after: string | null }> } };

export type PinRevisionMutationVariables = Exact<{
  hash: string;
}>;


export type PinRevisionMutation = { activateRevision: { hash: string } };

export type ReleaseRevisionMutationVariables = Exact<{ [key: string]: never; }>;


export type ReleaseRevisionMutation = { releaseRevision: { hash: string } };

export type RunsQueryVariables = Exact<{
  filter?: RunFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type RunsQuery = { runs: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ node: { id: string, status: RunStatus, startedAt: string, latencyMs: number | null, cost: string, saved: string, cached: boolean, origin: RunOrigin, task: { name: string }, caller: { name: string }, error: { code: string } | null, attempts: Array<{ id: string, model: string, provider: { name: string } }> } }> } };

export type OneRunQueryVariables = Exact<{
  id: string;
}>;


export type OneRunQuery = { run: { id: string, status: RunStatus, startedAt: string, finishedAt: string | null, latencyMs: number | null, cost: string, saved: string, cached: boolean, origin: RunOrigin, idempotencyKey: string | null, inputJson: unknown, outputJson: unknown, tags: Array<{ key: string, value: string }>, task: { name: string, active: boolean, file: string | null }, caller: { name: string, team: string | null, tier: string | null }, parent: { id: string } | null, revision: { hash: string, commit: string | null, subject: string | null, author: string | null }, error: { code: string, message: string, remedy: string, step: string | null } | null, steps: Array<{ key: string, kind: StepKind, status: StepStatus, startedAt: string, finishedAt: string | null, outputJson: unknown, error: { code: string, message: string } | null }>, attempts: Array<{ id: string, step: string, status: AttemptStatus, model: string, requestedModel: string, startedAt: string, finishedAt: string | null, queueMs: number, firstTokenMs: number | null, latencyMs: number | null, inputTokens: number, outputTokens: number, cachedInputTokens: number, reasoningTokens: number, cost: string, held: string, saved: string, estimated: boolean, errorClass: string | null, errorMessage: string | null, requestId: string | null, provider: { name: string }, decision: { rule: string, pick: string, candidates: Array<{ model: string, chosen: boolean, score: number | null, expectedCost: string, skipped: { code: SkipCode, detail: string } | null }> } }> } | null };

export type RunEventsSubscriptionVariables = Exact<{
  id: string;
}>;


export type RunEventsSubscription = { run:
    | { __typename: 'RunAttempted' }
    | { __typename: 'RunFinished' }
    | { __typename: 'RunQueued' }
    | { __typename: 'RunSettled' }
    | { __typename: 'RunStepped' }
    | { __typename: 'RunText', path: string, delta: string }
    | { __typename: 'RunTextRestarted', path: string, reason: string }
   };

export type RunAgainMutationVariables = Exact<{
  name: string;
  input: unknown;
  options?: RunOptions | null | undefined;
}>;


export type RunAgainMutation = { runTaskJson:
    | { __typename: 'BudgetExceeded', message: string, remedy: string }
    | { __typename: 'DryRun', hold: string, steps: Array<{ step: string, hold: string, decision: { candidates: Array<{ model: string, chosen: boolean, skipped: { code: SkipCode } | null }> } }> }
    | { __typename: 'InvalidInput', message: string, remedy: string }
    | { __typename: 'LoopDetected', message: string, remedy: string }
    | { __typename: 'NoProviderAvailable', message: string, remedy: string }
    | { __typename: 'Run', id: string }
    | { __typename: 'SpendingPaused', message: string, remedy: string }
    | { __typename: 'Unauthorized', message: string, remedy: string }
   };

export type TasksQueryVariables = Exact<{ [key: string]: never; }>;


export type TasksQuery = { taskTypes: Array<{ id: string, name: string, description: string, deprecated: string | null, file: string | null, worstCase: string | null, steps: Array<{ key: string, kind: string, after: Array<string>, route: string | null }> }>, costStats: { groups: Array<{ key: string, bucket: { cost: string, runs: number, errorRate: number, latencyP50Ms: number | null, latencyP95Ms: number | null } }> } };

export type OneTaskQueryVariables = Exact<{
  name: string;
}>;


export type OneTaskQuery = { taskType: { id: string, name: string, description: string, file: string | null, plan: string | null, worstCase: string | null, revision: string | null, inputSchema: unknown, source: { text: string, revision: { hash: string, commit: string | null, subject: string | null, author: string | null, dirty: boolean } } | null, steps: Array<{ key: string, kind: string, after: Array<string>, route: string | null }> } | null, viewer: { scopes: Array<string> | null } };

export type TryTaskSubscriptionVariables = Exact<{
  name: string;
  input: unknown;
}>;


export type TryTaskSubscription = { streamTaskJson:
    | { __typename: 'RunAttempted', runId: string | null }
    | { __typename: 'RunFinished', runId: string | null, result:
        | { __typename: 'BudgetExceeded', code: string, message: string, remedy: string }
        | { __typename: 'DryRun' }
        | { __typename: 'InvalidInput', code: string, message: string, remedy: string, problems: Array<{ path: string, message: string }> }
        | { __typename: 'LoopDetected', code: string, message: string, remedy: string }
        | { __typename: 'NoProviderAvailable', code: string, message: string, remedy: string }
        | { __typename: 'Run', id: string, status: RunStatus, cost: string, latencyMs: number | null, outputJson: unknown, error: { code: string, message: string, remedy: string } | null }
        | { __typename: 'SpendingPaused', code: string, message: string, remedy: string }
        | { __typename: 'Unauthorized', code: string, message: string, remedy: string }
       }
    | { __typename: 'RunQueued', runId: string | null }
    | { __typename: 'RunSettled', runId: string | null, attempt: { model: string, cost: string } }
    | { __typename: 'RunStepped', runId: string | null }
    | { __typename: 'RunText', path: string, delta: string, runId: string | null }
    | { __typename: 'RunTextRestarted', path: string, runId: string | null }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    name
    keyId
    scopes
    pinnedRevision {
      hash
    }
  }
}
    `) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const ExploreSpendDocument = new TypedDocumentString(`
    query ExploreSpend($span: SpanInput!, $by: [StatsDimension!], $filter: SpendFilter, $every: CalendarUnit, $tagKey: String, $first: Int) {
  spend(
    span: $span
    by: $by
    filter: $filter
    every: $every
    tagKey: $tagKey
    first: $first
  ) {
    from
    to
    complete
    total {
      cost
      estimated
      runs
      cachedRuns
      attempts
      errors
      errorRate
      inputTokens
      cachedInputTokens
      outputTokens
      latencyP50Ms
      latencyP95Ms
    }
    series {
      from
      bucket {
        cost
        runs
      }
    }
    groupCount
    groups {
      key
      keys {
        value
      }
      bucket {
        cost
        runs
        attempts
        errorRate
        inputTokens
        outputTokens
        latencyP50Ms
        latencyP95Ms
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ExploreSpendQuery, ExploreSpendQueryVariables>;
export const ExploreBeforeDocument = new TypedDocumentString(`
    query ExploreBefore($span: SpanInput!, $by: [StatsDimension!], $filter: SpendFilter, $tagKey: String) {
  spend(span: $span, by: $by, filter: $filter, tagKey: $tagKey) {
    total {
      cost
    }
    groups {
      key
      bucket {
        cost
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ExploreBeforeQuery, ExploreBeforeQueryVariables>;
export const SavingsOfDocument = new TypedDocumentString(`
    query SavingsOf($span: SpanInput!, $by: [StatsDimension!], $filter: SpendFilter, $tagKey: String) {
  savings(span: $span, by: $by, filter: $filter, tagKey: $tagKey) {
    total {
      net
      cost
      baselineCost
      byCause {
        cause
        amount
        estimated
      }
    }
    groups {
      key
      savings {
        net
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SavingsOfQuery, SavingsOfQueryVariables>;
export const SpendNowDocument = new TypedDocumentString(`
    subscription SpendNow {
  costStats(window: HOUR, by: [TASK], everyMs: 1000) {
    at
    total {
      cost
      saved
      runs
      attempts
      errors
      errorRate
      latencyP50Ms
      latencyP95Ms
      perMinute {
        at
        cost
        runs
      }
    }
    groups {
      key
      bucket {
        cost
        runs
      }
    }
    budgets {
      id
      name
      account
      scope
      unit
      limit
      spent
      held
      per
      then
      resetsAt
      windowStartedAt
      each
    }
  }
}
    `) as unknown as TypedDocumentString<SpendNowSubscription, SpendNowSubscriptionVariables>;
export const TodayDocument = new TypedDocumentString(`
    query Today {
  pace {
    perMinute
    usualPerMinute
    weeks
  }
  spend(span: { window: DAY }) {
    total {
      cost
      runs
    }
  }
  savings(span: { window: DAY }) {
    total {
      net
      cost
      baselineCost
      byCause {
        cause
        amount
        estimated
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TodayQuery, TodayQueryVariables>;
export const ChangedTodayDocument = new TypedDocumentString(`
    query ChangedToday($to: SpanInput!) {
  costChange(to: $to) {
    from {
      from
    }
    fromCost
    toCost
    change
    byCause {
      cause
      amount
    }
    byRevision {
      amount
      byCause {
        cause
        amount
      }
      revision {
        hash
        commit
        author
        subject
        dirty
      }
      before {
        hash
        commit
      }
      lines {
        file
        line
        commit
        author
        subject
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ChangedTodayQuery, ChangedTodayQueryVariables>;
export const ForecastsDocument = new TypedDocumentString(`
    query Forecasts {
  budgets {
    id
    forecast {
      expected
      low
      high
      exhaustedAt
      earliest
      latest
      pastDays
    }
  }
}
    `) as unknown as TypedDocumentString<ForecastsQuery, ForecastsQueryVariables>;
export const InFlightDocument = new TypedDocumentString(`
    query InFlight {
  runs(first: 50, filter: { status: RUNNING }) {
    edges {
      node {
        id
        startedAt
        cost
        task {
          name
        }
        caller {
          name
        }
        attempts {
          id
          status
          held
          model
          provider {
            name
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<InFlightQuery, InFlightQueryVariables>;
export const CancelRunDocument = new TypedDocumentString(`
    mutation CancelRun($id: ID!) {
  cancelRun(id: $id) {
    __typename
    ... on Refusal {
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CancelRunMutation, CancelRunMutationVariables>;
export const SwitchesDocument = new TypedDocumentString(`
    query Switches {
  spendSwitches {
    scope
    paused
    reason
    by
    since
  }
}
    `) as unknown as TypedDocumentString<SwitchesQuery, SwitchesQueryVariables>;
export const PauseSpendingDocument = new TypedDocumentString(`
    mutation PauseSpending($scope: SpendScopeInput!, $reason: String!) {
  pauseSpending(scope: $scope, reason: $reason) {
    scope
    paused
  }
}
    `) as unknown as TypedDocumentString<PauseSpendingMutation, PauseSpendingMutationVariables>;
export const ResumeSpendingDocument = new TypedDocumentString(`
    mutation ResumeSpending($scope: SpendScopeInput!) {
  resumeSpending(scope: $scope) {
    scope
    paused
  }
}
    `) as unknown as TypedDocumentString<ResumeSpendingMutation, ResumeSpendingMutationVariables>;
export const PausableScopesDocument = new TypedDocumentString(`
    query PausableScopes {
  taskTypes {
    name
  }
  providers {
    name
    models {
      key
    }
  }
}
    `) as unknown as TypedDocumentString<PausableScopesQuery, PausableScopesQueryVariables>;
export const RecentAlertsDocument = new TypedDocumentString(`
    query RecentAlerts {
  alerts(first: 60) {
    edges {
      node {
        id
        at
        kind
        severity
        scope
        message
        remedy
        details
        run {
          id
        }
      }
    }
  }
  spend(span: { window: DAY }, by: [TASK]) {
    groups {
      keys {
        value
      }
      bucket {
        cost
        runs
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RecentAlertsQuery, RecentAlertsQueryVariables>;
export const AlertRaisedDocument = new TypedDocumentString(`
    subscription AlertRaised {
  alerts {
    id
  }
}
    `) as unknown as TypedDocumentString<AlertRaisedSubscription, AlertRaisedSubscriptionVariables>;
export const ProviderHealthDocument = new TypedDocumentString(`
    query ProviderHealth {
  providers {
    id
    name
    available
    unavailable
    models {
      key
      model
      circuit
      circuitRetryAfterMs
      inFlight
      queued
      latencyMs
      latencyP95Ms
      requestHeadroom
      tokenHeadroom
      rateClosedForMs
    }
  }
}
    `) as unknown as TypedDocumentString<ProviderHealthQuery, ProviderHealthQueryVariables>;
export const NodesDocument = new TypedDocumentString(`
    query Nodes {
  nodes {
    id
    place
    version
    startedAt
    seenAt
    self
  }
}
    `) as unknown as TypedDocumentString<NodesQuery, NodesQueryVariables>;
export const ResetCircuitDocument = new TypedDocumentString(`
    mutation ResetCircuit($provider: ID!) {
  resetCircuit(provider: $provider) {
    id
  }
}
    `) as unknown as TypedDocumentString<ResetCircuitMutation, ResetCircuitMutationVariables>;
export const KeysDocument = new TypedDocumentString(`
    query Keys {
  apiKeys {
    id
    caller
    team
    tier
    hint
    scopes
    tags {
      key
      value
    }
    createdAt
    expiresAt
    lastUsedAt
    revokedAt
    requestsPerMinute
  }
}
    `) as unknown as TypedDocumentString<KeysQuery, KeysQueryVariables>;
export const CreateKeyDocument = new TypedDocumentString(`
    mutation CreateKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    secret
    apiKey {
      id
      caller
    }
  }
}
    `) as unknown as TypedDocumentString<CreateKeyMutation, CreateKeyMutationVariables>;
export const RevokeKeyDocument = new TypedDocumentString(`
    mutation RevokeKey($id: ID!) {
  revokeApiKey(id: $id) {
    id
    revokedAt
  }
}
    `) as unknown as TypedDocumentString<RevokeKeyMutation, RevokeKeyMutationVariables>;
export const UnreconciledDocument = new TypedDocumentString(`
    query Unreconciled {
  unreconciled {
    id
    step
    model
    startedAt
    held
    inputTokens
    provider {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<UnreconciledQuery, UnreconciledQueryVariables>;
export const EstimatesDocument = new TypedDocumentString(`
    query Estimates {
  estimates(first: 50) {
    id
    step
    model
    startedAt
    cost
    errorClass
    provider {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<EstimatesQuery, EstimatesQueryVariables>;
export const ReconcileDocument = new TypedDocumentString(`
    mutation Reconcile($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {
  reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {
    id
    cost
  }
}
    `) as unknown as TypedDocumentString<ReconcileMutation, ReconcileMutationVariables>;
export const AlertListDocument = new TypedDocumentString(`
    query AlertList($after: String) {
  alerts(first: 50, after: $after) {
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        id
        at
        kind
        severity
        scope
        message
        remedy
        acknowledgedBy
        acknowledgedAt
        run {
          id
        }
      }
    }
  }
  viewer {
    scopes
  }
}
    `) as unknown as TypedDocumentString<AlertListQuery, AlertListQueryVariables>;
export const AcknowledgeDocument = new TypedDocumentString(`
    mutation Acknowledge($id: ID!) {
  acknowledgeAlert(id: $id) {
    id
    acknowledgedBy
    acknowledgedAt
  }
}
    `) as unknown as TypedDocumentString<AcknowledgeMutation, AcknowledgeMutationVariables>;
export const RunDeadLetterDocument = new TypedDocumentString(`
    mutation RunDeadLetter($id: ID!) {
  runAgain(id: $id) {
    __typename
    ... on Run {
      id
    }
    ... on Refusal {
      message
      remedy
    }
  }
}
    `) as unknown as TypedDocumentString<RunDeadLetterMutation, RunDeadLetterMutationVariables>;
export const RevisionsDocument = new TypedDocumentString(`
    query Revisions($after: String) {
  revisions(first: 30, after: $after) {
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        id
        hash
        commit
        subject
        author
        dirty
        source
        compiledAt
        activeFrom
        activeTo
        active
        pinned
        problems {
          code
          severity
          file
          line
          column
          message
          remedy
          excerpt
        }
      }
    }
  }
  costStats(window: ALL, by: [REVISION]) {
    groups {
      key
      bucket {
        cost
        runs
        errorRate
        latencyP95Ms
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RevisionsQuery, RevisionsQueryVariables>;
export const RevisionTakenDocument = new TypedDocumentString(`
    subscription RevisionTaken {
  revisions {
    hash
  }
}
    `) as unknown as TypedDocumentString<RevisionTakenSubscription, RevisionTakenSubscriptionVariables>;
export const DifferenceDocument = new TypedDocumentString(`
    query Difference($before: String!, $after: String!) {
  planDifference(before: $before, after: $after) {
    changes {
      subject
      message
      effects
    }
    worstCosts {
      task
      before
      after
    }
  }
}
    `) as unknown as TypedDocumentString<DifferenceQuery, DifferenceQueryVariables>;
export const PinRevisionDocument = new TypedDocumentString(`
    mutation PinRevision($hash: ID!) {
  activateRevision(hash: $hash) {
    hash
  }
}
    `) as unknown as TypedDocumentString<PinRevisionMutation, PinRevisionMutationVariables>;
export const ReleaseRevisionDocument = new TypedDocumentString(`
    mutation ReleaseRevision {
  releaseRevision {
    hash
  }
}
    `) as unknown as TypedDocumentString<ReleaseRevisionMutation, ReleaseRevisionMutationVariables>;
export const RunsDocument = new TypedDocumentString(`
    query Runs($filter: RunFilter, $after: String) {
  runs(first: 50, after: $after, filter: $filter) {
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        id
        status
        startedAt
        latencyMs
        cost
        saved
        cached
        origin
        task {
          name
        }
        caller {
          name
        }
        error {
          code
        }
        attempts {
          id
          model
          provider {
            name
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RunsQuery, RunsQueryVariables>;
export const OneRunDocument = new TypedDocumentString(`
    query OneRun($id: ID!) {
  run(id: $id) {
    id
    status
    startedAt
    finishedAt
    latencyMs
    cost
    saved
    cached
    origin
    idempotencyKey
    inputJson
    outputJson
    tags {
      key
      value
    }
    task {
      name
      active
      file
    }
    caller {
      name
      team
      tier
    }
    parent {
      id
    }
    revision {
      hash
      commit
      subject
      author
    }
    error {
      code
      message
      remedy
      step
    }
    steps {
      key
      kind
      status
      startedAt
      finishedAt
      outputJson
      error {
        code
        message
      }
    }
    attempts {
      id
      step
      status
      model
      requestedModel
      provider {
        name
      }
      startedAt
      finishedAt
      queueMs
      firstTokenMs
      latencyMs
      inputTokens
      outputTokens
      cachedInputTokens
      reasoningTokens
      cost
      held
      saved
      estimated
      errorClass
      errorMessage
      requestId
      decision {
        rule
        pick
        candidates {
          model
          chosen
          score
          expectedCost
          skipped {
            code
            detail
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OneRunQuery, OneRunQueryVariables>;
export const RunEventsDocument = new TypedDocumentString(`
    subscription RunEvents($id: ID!) {
  run(id: $id) {
    __typename
    ... on RunText {
      path
      delta
    }
    ... on RunTextRestarted {
      path
      reason
    }
  }
}
    `) as unknown as TypedDocumentString<RunEventsSubscription, RunEventsSubscriptionVariables>;
export const RunAgainDocument = new TypedDocumentString(`
    mutation RunAgain($name: String!, $input: JSON!, $options: RunOptions) {
  runTaskJson(name: $name, input: $input, options: $options) {
    __typename
    ... on Run {
      id
    }
    ... on DryRun {
      hold
      steps {
        step
        hold
        decision {
          candidates {
            model
            chosen
            skipped {
              code
            }
          }
        }
      }
    }
    ... on Refusal {
      message
      remedy
    }
  }
}
    `) as unknown as TypedDocumentString<RunAgainMutation, RunAgainMutationVariables>;
export const TasksDocument = new TypedDocumentString(`
    query Tasks {
  taskTypes {
    id
    name
    description
    deprecated
    file
    worstCase
    steps {
      key
      kind
      after
      route
    }
  }
  costStats(window: MONTH, by: [TASK]) {
    groups {
      key
      bucket {
        cost
        runs
        errorRate
        latencyP50Ms
        latencyP95Ms
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TasksQuery, TasksQueryVariables>;
export const OneTaskDocument = new TypedDocumentString(`
    query OneTask($name: String!) {
  taskType(name: $name) {
    id
    name
    description
    file
    plan
    worstCase
    revision
    source {
      text
      revision {
        hash
        commit
        subject
        author
        dirty
      }
    }
    inputSchema
    steps {
      key
      kind
      after
      route
    }
  }
  viewer {
    scopes
  }
}
    `) as unknown as TypedDocumentString<OneTaskQuery, OneTaskQueryVariables>;
export const TryTaskDocument = new TypedDocumentString(`
    subscription TryTask($name: String!, $input: JSON!) {
  streamTaskJson(name: $name, input: $input) {
    __typename
    runId
    ... on RunText {
      path
      delta
    }
    ... on RunTextRestarted {
      path
    }
    ... on RunSettled {
      attempt {
        model
        cost
      }
    }
    ... on RunFinished {
      result {
        __typename
        ... on Run {
          id
          status
          cost
          latencyMs
          outputJson
          error {
            code
            message
            remedy
          }
        }
        ... on Refusal {
          code
          message
          remedy
        }
        ... on InvalidInput {
          problems {
            path
            message
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TryTaskSubscription, TryTaskSubscriptionVariables>;