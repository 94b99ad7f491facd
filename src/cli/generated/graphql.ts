/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Spending that is in no row of the ledger. */
export type AdjustLedgerInput = {
  /** Whose it was; left out: yours. */
  caller?: string | null | undefined;
  cost: string;
  /** Without its provider; left out: none in particular. */
  model?: string | null | undefined;
  /** Who billed it. */
  provider: string;
  /** Kept with it. */
  reason: string;
  tags?: Array<TagInput> | null | undefined;
  /** Left out: none in particular. */
  task?: string | null | undefined;
  team?: string | null | undefined;
  tier?: string | null | undefined;
};

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
export type CodeReviewInput = {
  /** A unified diff: the output of git diff. (text/x-diff; at least 1 characters; at most 2000000 characters) */
  diff: string;
  /** What to look for. */
  focus?: CodeReviewInputFocus | null | undefined;
};

/** What to look for. */
export const CodeReviewInputFocus = {
  Bugs: 'bugs',
  Security: 'security',
  Style: 'style'
} as const;

export type CodeReviewInputFocus = typeof CodeReviewInputFocus[keyof typeof CodeReviewInputFocus];
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

export type EmailParseInput = {
  /** The whole message with its headers. (message/rfc822; at least 1 characters; at most 2000000 characters) */
  raw: string;
  /** The date on which the e-mail is read. (format: date) */
  today?: string | null | undefined;
};

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
export type SummarizeInput = {
  /** How many sentences at most. (at least 1; at most 20) */
  sentences?: number | null | undefined;
  /** The text to summarize. (at least 1 characters; at most 1000000 characters) */
  text: string;
};

export type TagInput = {
  key: string;
  value: string;
};

/** One field per task, generated from the workflow files: exactly one of them is given. */
export type TaskInput =
  {   /** Review a unified diff, file by file. */
  codeReview: CodeReviewInput; emailParse?: never; summarize?: never; }
  |  { codeReview?: never;   /** Read a raw e-mail; say who wants what, and by when. */
  emailParse: EmailParseInput; summarize?: never; }
  |  { codeReview?: never; emailParse?: never;   /** Say in a few sentences what a text says. */
  summarize: SummarizeInput; };

export type CliRunTaskMutationVariables = Exact<{
  task: TaskInput;
  options?: RunOptions | null | undefined;
}>;


export type CliRunTaskMutation = { runTask:
    | { __typename: 'BudgetExceeded', code: string, message: string, remedy: string }
    | { __typename: 'DryRun' }
    | { __typename: 'InvalidInput', code: string, message: string, remedy: string, problems: Array<{ path: string, code: string, message: string }> }
    | { __typename: 'LoopDetected', code: string, message: string, remedy: string }
    | { __typename: 'NoProviderAvailable', code: string, message: string, remedy: string }
    | { __typename: 'Run', id: string, status: RunStatus, outputJson: unknown, cost: string, saved: string, cached: boolean, latencyMs: number | null, task: { name: string }, revision: { hash: string }, error: { code: string, message: string, remedy: string, step: string | null } | null, attempts: Array<{ model: string, requestedModel: string, step: string, status: AttemptStatus, errorClass: string | null, inputTokens: number, cachedInputTokens: number, outputTokens: number, reasoningTokens: number, cost: string, latencyMs: number | null, firstTokenMs: number | null, provider: { name: string } }> }
    | { __typename: 'SpendingPaused', code: string, message: string, remedy: string }
    | { __typename: 'Unauthorized', code: string, message: string, remedy: string }
   };

export type CliTaskInputsQueryVariables = Exact<{ [key: string]: never; }>;


export type CliTaskInputsQuery = { viewer: { name: string }, taskTypes: Array<{ name: string, field: string | null, inputSchema: unknown }> };

export type CliActivateRevisionMutationVariables = Exact<{
  hash: string;
}>;


export type CliActivateRevisionMutation = { activateRevision: { hash: string, commit: string | null, subject: string | null, pinned: boolean } };

export type CliReleaseRevisionMutationVariables = Exact<{ [key: string]: never; }>;


export type CliReleaseRevisionMutation = { releaseRevision: { hash: string, commit: string | null, subject: string | null, pinned: boolean } };

export type CliCreateKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CliCreateKeyMutation = { createApiKey: { secret: string, apiKey: { id: string } } };

export type CliTaskNamesQueryVariables = Exact<{ [key: string]: never; }>;


export type CliTaskNamesQuery = { taskTypes: Array<{ name: string }> };

export type CliListKeysQueryVariables = Exact<{ [key: string]: never; }>;


export type CliListKeysQuery = { apiKeys: Array<{ id: string, hint: string, caller: string, team: string | null, tier: string | null, scopes: Array<string>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, requestsPerMinute: number | null, maxBodyBytes: number | null, tags: Array<{ key: string, value: string }> }> };

export type CliRevokeKeyMutationVariables = Exact<{
  id: string;
}>;


export type CliRevokeKeyMutation = { revokeApiKey: { id: string, revokedAt: string | null } };

export type CliUnreconciledQueryVariables = Exact<{ [key: string]: never; }>;


export type CliUnreconciledQuery = { unreconciled: Array<{ id: string, requestedModel: string, startedAt: string, held: string, provider: { name: string } }> };

export type CliEstimatesQueryVariables = Exact<{
  first: number;
}>;


export type CliEstimatesQuery = { estimates: Array<{ id: string, requestedModel: string, startedAt: string, status: AttemptStatus, errorClass: string | null, cost: string, provider: { name: string }, notes: Array<{ code: string }> }> };

export type CliReconcileAttemptMutationVariables = Exact<{
  id: string;
  verdict: ReconcileVerdict;
  cost?: string | null | undefined;
}>;


export type CliReconcileAttemptMutation = { reconcileAttempt: { cost: string } };

export type CliAdjustLedgerMutationVariables = Exact<{
  input: AdjustLedgerInput;
}>;


export type CliAdjustLedgerMutation = { adjustLedger: { id: string, cost: string } };

export type CliStatsQueryVariables = Exact<{
  window: StatsWindow;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  filter?: RunFilter | null | undefined;
}>;


export type CliStatsQuery = { costStats: { at: string, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null }, groups: Array<{ keys: Array<{ dimension: StatsDimension, value: string }>, bucket: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null } }>, budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string, resetsAt: string | null }> } };

export type CliWatchStatsSubscriptionVariables = Exact<{
  window: StatsWindow;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  filter?: RunFilter | null | undefined;
}>;


export type CliWatchStatsSubscription = { costStats: { at: string, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null }, groups: Array<{ keys: Array<{ dimension: StatsDimension, value: string }>, bucket: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null } }>, budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string, resetsAt: string | null }> } };

export type CliStatsFieldsFragment = { at: string, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null }, groups: Array<{ keys: Array<{ dimension: StatsDimension, value: string }>, bucket: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null } }>, budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string, resetsAt: string | null }> };

export type CliWhyRunQueryVariables = Exact<{
  id: string;
}>;


export type CliWhyRunQuery = { run: { story: { text: string, attempts: Array<{ step: string, model: string, outcome: string, rule: string, held: string, cost: string, saved: string, latencyMs: number | null }> } } | null };

export type CliSavingsQueryVariables = Exact<{
  span: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  tagKey?: string | null | undefined;
}>;


export type CliSavingsQuery = { savings: { from: string, to: string, total: { cost: string, net: string, baselineCost: string, withoutBaseline: string, byCause: Array<{ cause: SavingCause, amount: string, estimated: boolean }> }, groups: Array<{ key: string, savings: { cost: string, net: string, baselineCost: string, withoutBaseline: string, byCause: Array<{ cause: SavingCause, amount: string, estimated: boolean }> } }> } };

export type CliSavingsSumFragment = { cost: string, net: string, baselineCost: string, withoutBaseline: string, byCause: Array<{ cause: SavingCause, amount: string, estimated: boolean }> };

export type CliWhyCostQueryVariables = Exact<{
  from?: SpanInput | null | undefined;
  to: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  tagKey?: string | null | undefined;
}>;


export type CliWhyCostQuery = { costChange: { fromCost: string, toCost: string, change: string, from: Array<{ from: string, to: string }>, to: { from: string, to: string }, byCause: Array<{ cause: CostCause, amount: string }>, byRevision: Array<{ amount: string, changes: Array<string>, revision: { hash: string, commit: string | null, author: string | null, subject: string | null, dirty: boolean } | null, before: { commit: string | null, dirty: boolean } | null, byCause: Array<{ cause: CostCause, amount: string }>, lines: Array<{ file: string, line: number, before: string | null, after: string | null, commit: string | null, author: string | null, subject: string | null }> }>, groups: Array<{ key: string, change: string, byCause: Array<{ cause: CostCause, amount: string }> }> } };

export type CliBudgetsQueryVariables = Exact<{ [key: string]: never; }>;


export type CliBudgetsQuery = { budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string, resetsAt: string | null, forecast: { endsAt: string, exhaustedAt: string | null, earliest: string | null, latest: string | null, expected: string | null, low: string | null, high: string | null, pastDays: number } | null }> };

export type CliListAlertsQueryVariables = Exact<{
  first: number;
}>;


export type CliListAlertsQuery = { alerts: { edges: Array<{ node: { id: string, at: string, kind: AlertKind, severity: AlertSeverity, scope: string, message: string, remedy: string, details: unknown } }> } };

export type CliTestAlertsMutationVariables = Exact<{ [key: string]: never; }>;


export type CliTestAlertsMutation = { testAlerts: Array<{ name: string, kind: string, failure: string | null }> };

export type CliTrafficQueryVariables = Exact<{
  from: string;
  to: string;
  last: number;
  before?: string | null | undefined;
}>;


export type CliTrafficQuery = { runs: { pageInfo: { hasPreviousPage: boolean, startCursor: string | null }, edges: Array<{ node: { id: string, inputHash: string, status: RunStatus, cached: boolean, startedAt: string, finishedAt: string | null, latencyMs: number | null, parent: { id: string } | null, task: { name: string }, caller: { name: string, team: string | null, tier: string | null }, tags: Array<{ key: string, value: string }>, error: { code: string } | null, steps: Array<{ key: string, kind: StepKind, status: StepStatus }>, attempts: Array<{ step: string, requestedModel: string, status: AttemptStatus, errorClass: string | null, inputTokens: number, cachedInputTokens: number, cacheWriteTokens: number, outputTokens: number, reasoningTokens: number, cost: string, heldTokens: number, rates: string, latencyMs: number | null, firstTokenMs: number | null, provider: { name: string }, decision: { rule: string } }> } }> } };

export type CliAskAgainMutationVariables = Exact<{
  name: string;
  input: unknown;
  key: string;
}>;


export type CliAskAgainMutation = { runTaskJson:
    | { __typename: 'BudgetExceeded' }
    | { __typename: 'DryRun' }
    | { __typename: 'InvalidInput' }
    | { __typename: 'LoopDetected' }
    | { __typename: 'NoProviderAvailable' }
    | { __typename: 'Run', status: RunStatus }
    | { __typename: 'SpendingPaused' }
    | { __typename: 'Unauthorized' }
   };

export type CliClusterNodesQueryVariables = Exact<{ [key: string]: never; }>;


export type CliClusterNodesQuery = { nodes: Array<{ place: string }> };

export type CliNamesToPauseQueryVariables = Exact<{ [key: string]: never; }>;


export type CliNamesToPauseQuery = { taskTypes: Array<{ name: string }>, providers: Array<{ name: string, models: Array<{ key: string }> }> };

export type CliPauseSpendingMutationVariables = Exact<{
  scope: SpendScopeInput;
  reason: string;
}>;


export type CliPauseSpendingMutation = { pauseSpending: { scope: string, reason: string, by: string, since: string } };

export type CliResumeSpendingMutationVariables = Exact<{
  scope: SpendScopeInput;
}>;


export type CliResumeSpendingMutation = { resumeSpending: { scope: string, reason: string, by: string, since: string } };

export type CliWhatIsPausedQueryVariables = Exact<{
  all: boolean;
}>;


export type CliWhatIsPausedQuery = { spendSwitches?: Array<{ scope: string, reason: string, by: string, since: string }>, viewer: { scopes: Array<string> | null, pauses: Array<{ scope: string, reason: string, by: string, since: string }> | null } };

export type CliListRunsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: RunFilter | null | undefined;
}>;


export type CliListRunsQuery = { runs: { edges: Array<{ node: { id: string, startedAt: string, status: RunStatus, cost: string, saved: string, cached: boolean, latencyMs: number | null, task: { name: string }, caller: { name: string, team: string | null }, tags: Array<{ key: string, value: string }>, error: { code: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CliSpendQueryVariables = Exact<{
  span: SpanInput;
  by?: Array<StatsDimension> | StatsDimension | null | undefined;
  tagKey?: string | null | undefined;
  filter?: SpendFilter | null | undefined;
}>;


export type CliSpendQuery = { spend: { from: string, to: string, complete: boolean, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null }, groups: Array<{ keys: Array<{ dimension: StatsDimension, value: string }>, bucket: { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null } }> }, budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string, resetsAt: string | null }> };

export type CliSpendBucketFragment = { cost: string, saved: string, runs: number, attempts: number, errors: number, inputTokens: number | string, cachedInputTokens: number | string, outputTokens: number | string, latencyP50Ms: number | null, latencyP95Ms: number | null };

export type CliTopQueryVariables = Exact<{ [key: string]: never; }>;


export type CliTopQuery = { pace: { perMinute: string, usualPerMinute: string | null }, spend: { total: { cost: string, runs: number, errors: number } }, viewer: { pauses: Array<{ scope: string, reason: string, by: string, since: string }> | null }, budgets: Array<{ name: string, account: string, unit: BudgetUnit, limit: string, spent: string, held: string }>, providers: Array<{ name: string, available: boolean, unavailable: string | null, models: Array<{ key: string, circuit: CircuitState, inFlight: number, queued: number, latencyMs: number | null, requestHeadroom: number | null, tokenHeadroom: number | null }> }> };

export type CliDearestRunsQueryVariables = Exact<{
  first: number;
  filter: RunFilter;
}>;


export type CliDearestRunsQuery = { runs: { edges: Array<{ node: { id: string, status: RunStatus, cost: string, latencyMs: number | null, task: { name: string }, caller: { name: string } } }>, pageInfo: { hasNextPage: boolean } } };

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
export const CliStatsFieldsFragmentDoc = new TypedDocumentString(`
    fragment CliStatsFields on CostStats {
  at
  total {
    cost
    saved
    runs
    attempts
    errors
    inputTokens
    cachedInputTokens
    outputTokens
    latencyP50Ms
    latencyP95Ms
  }
  groups {
    keys {
      dimension
      value
    }
    bucket {
      cost
      saved
      runs
      attempts
      errors
      inputTokens
      cachedInputTokens
      outputTokens
      latencyP50Ms
      latencyP95Ms
    }
  }
  budgets {
    name
    account
    unit
    limit
    spent
    held
    resetsAt
  }
}
    `, {"fragmentName":"CliStatsFields"}) as unknown as TypedDocumentString<CliStatsFieldsFragment, unknown>;
export const CliSavingsSumFragmentDoc = new TypedDocumentString(`
    fragment CliSavingsSum on SavingsSum {
  cost
  net
  baselineCost
  withoutBaseline
  byCause {
    cause
    amount
    estimated
  }
}
    `, {"fragmentName":"CliSavingsSum"}) as unknown as TypedDocumentString<CliSavingsSumFragment, unknown>;
export const CliSpendBucketFragmentDoc = new TypedDocumentString(`
    fragment CliSpendBucket on CostBucket {
  cost
  saved
  runs
  attempts
  errors
  inputTokens
  cachedInputTokens
  outputTokens
  latencyP50Ms
  latencyP95Ms
}
    `, {"fragmentName":"CliSpendBucket"}) as unknown as TypedDocumentString<CliSpendBucketFragment, unknown>;
export const CliRunTaskDocument = new TypedDocumentString(`
    mutation CliRunTask($task: TaskInput!, $options: RunOptions) {
  runTask(task: $task, options: $options) {
    __typename
    ... on Run {
      id
      status
      task {
        name
      }
      revision {
        hash
      }
      outputJson
      error {
        code
        message
        remedy
        step
      }
      cost
      saved
      cached
      latencyMs
      attempts {
        provider {
          name
        }
        model
        requestedModel
        step
        status
        errorClass
        inputTokens
        cachedInputTokens
        outputTokens
        reasoningTokens
        cost
        latencyMs
        firstTokenMs
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
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CliRunTaskMutation, CliRunTaskMutationVariables>;
export const CliTaskInputsDocument = new TypedDocumentString(`
    query CliTaskInputs {
  viewer {
    name
  }
  taskTypes {
    name
    field
    inputSchema
  }
}
    `) as unknown as TypedDocumentString<CliTaskInputsQuery, CliTaskInputsQueryVariables>;
export const CliActivateRevisionDocument = new TypedDocumentString(`
    mutation CliActivateRevision($hash: ID!) {
  activateRevision(hash: $hash) {
    hash
    commit
    subject
    pinned
  }
}
    `) as unknown as TypedDocumentString<CliActivateRevisionMutation, CliActivateRevisionMutationVariables>;
export const CliReleaseRevisionDocument = new TypedDocumentString(`
    mutation CliReleaseRevision {
  releaseRevision {
    hash
    commit
    subject
    pinned
  }
}
    `) as unknown as TypedDocumentString<CliReleaseRevisionMutation, CliReleaseRevisionMutationVariables>;
export const CliCreateKeyDocument = new TypedDocumentString(`
    mutation CliCreateKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    secret
    apiKey {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<CliCreateKeyMutation, CliCreateKeyMutationVariables>;
export const CliTaskNamesDocument = new TypedDocumentString(`
    query CliTaskNames {
  taskTypes {
    name
  }
}
    `) as unknown as TypedDocumentString<CliTaskNamesQuery, CliTaskNamesQueryVariables>;
export const CliListKeysDocument = new TypedDocumentString(`
    query CliListKeys {
  apiKeys {
    id
    hint
    caller
    team
    tier
    tags {
      key
      value
    }
    scopes
    createdAt
    expiresAt
    revokedAt
    lastUsedAt
    requestsPerMinute
    maxBodyBytes
  }
}
    `) as unknown as TypedDocumentString<CliListKeysQuery, CliListKeysQueryVariables>;
export const CliRevokeKeyDocument = new TypedDocumentString(`
    mutation CliRevokeKey($id: ID!) {
  revokeApiKey(id: $id) {
    id
    revokedAt
  }
}
    `) as unknown as TypedDocumentString<CliRevokeKeyMutation, CliRevokeKeyMutationVariables>;
export const CliUnreconciledDocument = new TypedDocumentString(`
    query CliUnreconciled {
  unreconciled {
    id
    provider {
      name
    }
    requestedModel
    startedAt
    held
  }
}
    `) as unknown as TypedDocumentString<CliUnreconciledQuery, CliUnreconciledQueryVariables>;
export const CliEstimatesDocument = new TypedDocumentString(`
    query CliEstimates($first: Int!) {
  estimates(first: $first) {
    id
    provider {
      name
    }
    requestedModel
    startedAt
    status
    errorClass
    cost
    notes {
      code
    }
  }
}
    `) as unknown as TypedDocumentString<CliEstimatesQuery, CliEstimatesQueryVariables>;
export const CliReconcileAttemptDocument = new TypedDocumentString(`
    mutation CliReconcileAttempt($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {
  reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {
    cost
  }
}
    `) as unknown as TypedDocumentString<CliReconcileAttemptMutation, CliReconcileAttemptMutationVariables>;
export const CliAdjustLedgerDocument = new TypedDocumentString(`
    mutation CliAdjustLedger($input: AdjustLedgerInput!) {
  adjustLedger(input: $input) {
    id
    cost
  }
}
    `) as unknown as TypedDocumentString<CliAdjustLedgerMutation, CliAdjustLedgerMutationVariables>;
export const CliStatsDocument = new TypedDocumentString(`
    query CliStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {
  costStats(window: $window, by: $by, filter: $filter) {
    ...CliStatsFields
  }
}
    fragment CliStatsFields on CostStats {
  at
  total {
    cost
    saved
    runs
    attempts
    errors
    inputTokens
    cachedInputTokens
    outputTokens
    latencyP50Ms
    latencyP95Ms
  }
  groups {
    keys {
      dimension
      value
    }
    bucket {
      cost
      saved
      runs
      attempts
      errors
      inputTokens
      cachedInputTokens
      outputTokens
      latencyP50Ms
      latencyP95Ms
    }
  }
  budgets {
    name
    account
    unit
    limit
    spent
    held
    resetsAt
  }
}`) as unknown as TypedDocumentString<CliStatsQuery, CliStatsQueryVariables>;
export const CliWatchStatsDocument = new TypedDocumentString(`
    subscription CliWatchStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {
  costStats(window: $window, by: $by, filter: $filter, everyMs: 1000) {
    ...CliStatsFields
  }
}
    fragment CliStatsFields on CostStats {
  at
  total {
    cost
    saved
    runs
    attempts
    errors
    inputTokens
    cachedInputTokens
    outputTokens
    latencyP50Ms
    latencyP95Ms
  }
  groups {
    keys {
      dimension
      value
    }
    bucket {
      cost
      saved
      runs
      attempts
      errors
      inputTokens
      cachedInputTokens
      outputTokens
      latencyP50Ms
      latencyP95Ms
    }
  }
  budgets {
    name
    account
    unit
    limit
    spent
    held
    resetsAt
  }
}`) as unknown as TypedDocumentString<CliWatchStatsSubscription, CliWatchStatsSubscriptionVariables>;
export const CliWhyRunDocument = new TypedDocumentString(`
    query CliWhyRun($id: ID!) {
  run(id: $id) {
    story {
      text
      attempts {
        step
        model
        outcome
        rule
        held
        cost
        saved
        latencyMs
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CliWhyRunQuery, CliWhyRunQueryVariables>;
export const CliSavingsDocument = new TypedDocumentString(`
    query CliSavings($span: SpanInput!, $by: [StatsDimension!], $tagKey: String) {
  savings(span: $span, by: $by, tagKey: $tagKey) {
    from
    to
    total {
      ...CliSavingsSum
    }
    groups {
      key
      savings {
        ...CliSavingsSum
      }
    }
  }
}
    fragment CliSavingsSum on SavingsSum {
  cost
  net
  baselineCost
  withoutBaseline
  byCause {
    cause
    amount
    estimated
  }
}`) as unknown as TypedDocumentString<CliSavingsQuery, CliSavingsQueryVariables>;
export const CliWhyCostDocument = new TypedDocumentString(`
    query CliWhyCost($from: SpanInput, $to: SpanInput!, $by: [StatsDimension!], $tagKey: String) {
  costChange(from: $from, to: $to, by: $by, tagKey: $tagKey) {
    from {
      from
      to
    }
    to {
      from
      to
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
      revision {
        hash
        commit
        author
        subject
        dirty
      }
      before {
        commit
        dirty
      }
      byCause {
        cause
        amount
      }
      changes
      lines {
        file
        line
        before
        after
        commit
        author
        subject
      }
    }
    groups {
      key
      change
      byCause {
        cause
        amount
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CliWhyCostQuery, CliWhyCostQueryVariables>;
export const CliBudgetsDocument = new TypedDocumentString(`
    query CliBudgets {
  budgets {
    name
    account
    unit
    limit
    spent
    held
    resetsAt
    forecast {
      endsAt
      exhaustedAt
      earliest
      latest
      expected
      low
      high
      pastDays
    }
  }
}
    `) as unknown as TypedDocumentString<CliBudgetsQuery, CliBudgetsQueryVariables>;
export const CliListAlertsDocument = new TypedDocumentString(`
    query CliListAlerts($first: Int!) {
  alerts(first: $first) {
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
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CliListAlertsQuery, CliListAlertsQueryVariables>;
export const CliTestAlertsDocument = new TypedDocumentString(`
    mutation CliTestAlerts {
  testAlerts {
    name
    kind
    failure
  }
}
    `) as unknown as TypedDocumentString<CliTestAlertsMutation, CliTestAlertsMutationVariables>;
export const CliTrafficDocument = new TypedDocumentString(`
    query CliTraffic($from: DateTime!, $to: DateTime!, $last: Int!, $before: String) {
  runs(
    filter: { startedFrom: $from, startedTo: $to }
    last: $last
    before: $before
  ) {
    pageInfo {
      hasPreviousPage
      startCursor
    }
    edges {
      node {
        id
        parent {
          id
        }
        task {
          name
        }
        caller {
          name
          team
          tier
        }
        tags {
          key
          value
        }
        inputHash
        status
        error {
          code
        }
        cached
        startedAt
        finishedAt
        latencyMs
        steps {
          key
          kind
          status
        }
        attempts {
          step
          provider {
            name
          }
          requestedModel
          status
          errorClass
          inputTokens
          cachedInputTokens
          cacheWriteTokens
          outputTokens
          reasoningTokens
          cost
          heldTokens
          rates
          latencyMs
          firstTokenMs
          decision {
            rule
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CliTrafficQuery, CliTrafficQueryVariables>;
export const CliAskAgainDocument = new TypedDocumentString(`
    mutation CliAskAgain($name: String!, $input: JSON!, $key: String!) {
  runTaskJson(name: $name, input: $input, options: { idempotencyKey: $key }) {
    __typename
    ... on Run {
      status
    }
  }
}
    `) as unknown as TypedDocumentString<CliAskAgainMutation, CliAskAgainMutationVariables>;
export const CliClusterNodesDocument = new TypedDocumentString(`
    query CliClusterNodes {
  nodes {
    place
  }
}
    `) as unknown as TypedDocumentString<CliClusterNodesQuery, CliClusterNodesQueryVariables>;
export const CliNamesToPauseDocument = new TypedDocumentString(`
    query CliNamesToPause {
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
    `) as unknown as TypedDocumentString<CliNamesToPauseQuery, CliNamesToPauseQueryVariables>;
export const CliPauseSpendingDocument = new TypedDocumentString(`
    mutation CliPauseSpending($scope: SpendScopeInput!, $reason: String!) {
  pauseSpending(scope: $scope, reason: $reason) {
    scope
    reason
    by
    since
  }
}
    `) as unknown as TypedDocumentString<CliPauseSpendingMutation, CliPauseSpendingMutationVariables>;
export const CliResumeSpendingDocument = new TypedDocumentString(`
    mutation CliResumeSpending($scope: SpendScopeInput!) {
  resumeSpending(scope: $scope) {
    scope
    reason
    by
    since
  }
}
    `) as unknown as TypedDocumentString<CliResumeSpendingMutation, CliResumeSpendingMutationVariables>;
export const CliWhatIsPausedDocument = new TypedDocumentString(`
    query CliWhatIsPaused($all: Boolean!) {
  spendSwitches @include(if: $all) {
    scope
    reason
    by
    since
  }
  viewer {
    scopes
    pauses {
      scope
      reason
      by
      since
    }
  }
}
    `) as unknown as TypedDocumentString<CliWhatIsPausedQuery, CliWhatIsPausedQueryVariables>;
export const CliListRunsDocument = new TypedDocumentString(`
    query CliListRuns($first: Int!, $after: String, $filter: RunFilter) {
  runs(first: $first, after: $after, filter: $filter) {
    edges {
      node {
        id
        startedAt
        task {
          name
        }
        status
        caller {
          name
          team
        }
        tags {
          key
          value
        }
        cost
        saved
        cached
        latencyMs
        error {
          code
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<CliListRunsQuery, CliListRunsQueryVariables>;
export const CliSpendDocument = new TypedDocumentString(`
    query CliSpend($span: SpanInput!, $by: [StatsDimension!], $tagKey: String, $filter: SpendFilter) {
  spend(span: $span, by: $by, tagKey: $tagKey, filter: $filter) {
    from
    to
    complete
    total {
      ...CliSpendBucket
    }
    groups {
      keys {
        dimension
        value
      }
      bucket {
        ...CliSpendBucket
      }
    }
  }
  budgets {
    name
    account
    unit
    limit
    spent
    held
    resetsAt
  }
}
    fragment CliSpendBucket on CostBucket {
  cost
  saved
  runs
  attempts
  errors
  inputTokens
  cachedInputTokens
  outputTokens
  latencyP50Ms
  latencyP95Ms
}`) as unknown as TypedDocumentString<CliSpendQuery, CliSpendQueryVariables>;
export const CliTopDocument = new TypedDocumentString(`
    query CliTop {
  pace {
    perMinute
    usualPerMinute
  }
  spend(span: { window: HOUR }) {
    total {
      cost
      runs
      errors
    }
  }
  viewer {
    pauses {
      scope
      reason
      by
      since
    }
  }
  budgets {
    name
    account
    unit
    limit
    spent
    held
  }
  providers {
    name
    available
    unavailable
    models {
      key
      circuit
      inFlight
      queued
      latencyMs
      requestHeadroom
      tokenHeadroom
    }
  }
}
    `) as unknown as TypedDocumentString<CliTopQuery, CliTopQueryVariables>;
export const CliDearestRunsDocument = new TypedDocumentString(`
    query CliDearestRuns($first: Int!, $filter: RunFilter!) {
  runs(first: $first, filter: $filter) {
    edges {
      node {
        id
        task {
          name
        }
        status
        caller {
          name
        }
        cost
        latencyMs
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<CliDearestRunsQuery, CliDearestRunsQueryVariables>;