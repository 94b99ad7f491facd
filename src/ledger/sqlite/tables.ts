// The ledger's tables. `npm run db:generate` turns a change here into a migration.
import { sql } from 'drizzle-orm';
import { index, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { bytes, count, flag, json, whole } from './column-types.ts';

// A text key is `notNull().unique()` beside an integer primary key: drizzle-kit writes `text PRIMARY KEY` without NOT NULL,
// and SQLite then lets NULL in, any number of times.

/** Texts, each stored once by its content: inputs, outputs, plans, rates. */
export const contents = sqliteTable(
  'contents',
  {
    id: count('id').primaryKey(),
    /** SHA-256 of the text's UTF-8 bytes. */
    hash: bytes('hash').notNull().unique(),
    text: text('text').notNull(),
    /** The latest time that any row which refers to it is kept; null: for ever. */
    keepUntilMs: count('keep_until_ms'),
  },
  (table) => [
    index('contents_expiring')
      .on(table.keepUntilMs)
      .where(sql`keep_until_ms is not null`),
  ],
);

export const revisions = sqliteTable('revisions', {
  seq: count('seq').primaryKey(),
  hash: text('hash').notNull().unique(),
  commit: text('commit_id'),
  author: text('author'),
  subject: text('subject'),
  dirty: flag('dirty').notNull(),
  source: text('source').notNull(),
  compiledAtMs: count('compiled_at_ms').notNull(),
  activeFromMs: count('active_from_ms'),
  activeToMs: count('active_to_ms'),
  problems: json('problems').notNull(),
  pinned: flag('pinned').notNull(),
  planContent: count('plan_content'),
});

export const callers = sqliteTable('callers', {
  seq: count('seq').primaryKey(),
  name: text('name').notNull().unique(),
  team: text('team'),
  tier: text('tier'),
  firstSeenMs: count('first_seen_ms').notNull(),
  lastSeenMs: count('last_seen_ms').notNull(),
});

// A text of a run or a step lies in its own column while it is short, and in `contents` where sharing it is worth an index entry.
export const runs = sqliteTable(
  'runs',
  {
    /** The order in which runs were recorded; pages are in this order. */
    seq: count('seq').primaryKey(),
    id: text('id').notNull().unique(),
    task: text('task').notNull(),
    revision: text('revision').notNull(),
    taskRevision: text('task_revision').notNull(),
    status: text('status').notNull(),
    caller: text('caller').notNull(),
    team: text('team'),
    tier: text('tier'),
    /** What the client said that the run belongs to; null: nothing. */
    session: text('session'),
    tags: text('tags').notNull(),
    idempotencyKey: text('idempotency_key'),
    parentRunId: text('parent_run_id'),
    durable: flag('durable').notNull(),
    /** JSON: what going on after a restart needs beside the input; gone when the run is over. */
    continuation: text('continuation'),
    inputText: text('input_text'),
    inputContent: count('input_content'),
    inputHash: text('input_hash').notNull(),
    outputText: text('output_text'),
    outputContent: count('output_content'),
    error: text('error'),
    costNanoUsd: whole('cost_nano_usd').notNull(),
    savedNanoUsd: whole('saved_nano_usd').notNull(),
    /** 0: called; 1: answered by the cache; 2: by the loop guard. */
    cached: count('cached').notNull(),
    startedAtMs: count('started_at_ms').notNull(),
    finishedAtMs: count('finished_at_ms'),
    latencyMs: real('latency_ms'),
    /** What its task keeps of its texts: full, redacted or hash. */
    retain: text('retain').notNull(),
    /** When its texts go; null: already gone, or kept for ever. */
    keepUntilMs: count('keep_until_ms'),
    /** The roll-up that it is counted in, once it is finished. */
    rollupKeyId: count('rollup_key_id'),
    /** Its task has a cache, which may look for it. */
    reusable: flag('reusable').notNull().default(true),
    /** Which of those that wait is begun first: the larger. */
    priority: count('priority').notNull().default(0),
    /** How often it was begun: once, and once more for each process that died of it or beside it. */
    begun: count('begun').notNull().default(1),
    /** Why it is to be cancelled, where that was asked for elsewhere than where it runs. */
    cancelReason: text('cancel_reason'),
  },
  (table) => [
    uniqueIndex('runs_idempotency')
      .on(table.caller, table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    index('runs_by_task').on(table.task),
    index('runs_by_caller').on(table.caller),
    index('runs_by_start').on(table.startedAtMs),
    index('runs_unfinished')
      .on(table.status)
      .where(sql`finished_at_ms is null`),
    // The cache's look-up: a prefix of the hash finds the row as well as all 64 digits would, in a quarter of the space. Hashes come in no
    // order, so that each new one is written to a page of its own: only those that may be looked for are here.
    index('runs_by_input')
      .on(sql`substr(input_hash, 1, 16)`)
      .where(sql`status = 'succeeded' and reusable = 1`),
    index('runs_expiring')
      .on(table.keepUntilMs)
      .where(sql`keep_until_ms is not null`),
  ],
);

export const steps = sqliteTable(
  'steps',
  {
    runId: text('run_id').notNull(),
    key: text('key').notNull(),
    kind: text('kind').notNull(),
    status: text('status').notNull(),
    startedAtMs: count('started_at_ms').notNull(),
    finishedAtMs: count('finished_at_ms'),
    outputText: text('output_text'),
    outputContent: count('output_content'),
    error: text('error'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.key] })],
);

export const attempts = sqliteTable(
  'attempts',
  {
    seq: count('seq').primaryKey(),
    id: text('id').notNull().unique(),
    runId: text('run_id').notNull(),
    step: text('step').notNull(),
    revision: text('revision').notNull(),
    task: text('task').notNull(),
    caller: text('caller').notNull(),
    provider: text('provider').notNull(),
    requestedModel: text('requested_model').notNull(),
    /** Rates as they were resolved into the plan: the same text for all attempts of a model. */
    ratesContent: count('rates_content').notNull(),
    /** JSON: the shares of the hold, one for each budget account. */
    postings: text('postings').notNull(),
    heldNanoUsd: whole('held_nano_usd').notNull(),
    heldTokens: count('held_tokens').notNull(),
    startedAtMs: count('started_at_ms').notNull(),
    decision: text('decision').notNull(),
    /** The roll-up dimensions that it is counted under, with the status `open` in the place of its own. */
    rollupKeyId: count('rollup_key_id').notNull(),
    status: text('status').notNull(),
    model: text('model').notNull(),
    errorClass: text('error_class'),
    errorMessage: text('error_message'),
    inputTokens: count('input_tokens').notNull(),
    cachedInputTokens: count('cached_input_tokens').notNull(),
    cacheWriteTokens: count('cache_write_tokens').notNull(),
    outputTokens: count('output_tokens').notNull(),
    reasoningTokens: count('reasoning_tokens').notNull(),
    costNanoUsd: whole('cost_nano_usd').notNull(),
    savedNanoUsd: whole('saved_nano_usd').notNull(),
    /** What its saving against the baseline is owed to; null: nobody worked it out. */
    savedBy: text('saved_by'),
    baseline: text('baseline'),
    savedRouteNanoUsd: whole('saved_route_nano_usd')
      .notNull()
      .default(sql`0`),
    savedPromptCacheNanoUsd: whole('saved_prompt_cache_nano_usd')
      .notNull()
      .default(sql`0`),
    estimated: flag('estimated').notNull(),
    queueMs: real('queue_ms').notNull(),
    latencyMs: real('latency_ms'),
    firstTokenMs: real('first_token_ms'),
    finishedAtMs: count('finished_at_ms'),
    requestId: text('request_id'),
    finishReason: text('finish_reason'),
    serviceTier: text('service_tier'),
    reportedCostNanoUsd: whole('reported_cost_nano_usd'),
    /** JSON: what was out of order; null: nothing. */
    notes: text('notes'),
    /** Its outcome was unknown, and an operator or the end of its lease decided it. */
    reconciled: flag('reconciled').notNull(),
  },
  (table) => [
    index('attempts_by_run').on(table.runId),
    index('attempts_by_start').on(table.startedAtMs),
    index('attempts_unsettled')
      .on(table.status)
      .where(sql`status in ('open', 'unreconciled')`),
  ],
);

/** What was spent and what is held, by budget account and window; each change is in the transaction of the attempt that makes it. */
export const budgetWindows = sqliteTable(
  'budget_windows',
  {
    budgetId: text('budget_id').notNull(),
    account: text('account').notNull(),
    windowStartMs: count('window_start_ms').notNull(),
    spentNanoUsd: whole('spent_nano_usd').notNull(),
    spentTokens: count('spent_tokens').notNull(),
    spentCalls: count('spent_calls').notNull(),
    heldNanoUsd: whole('held_nano_usd').notNull(),
    heldTokens: count('held_tokens').notNull(),
    heldCalls: count('held_calls').notNull(),
    /** What is spent began with a balance from before the budget had postings: it cannot be summed from them. */
    seeded: flag('seeded').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.budgetId, table.account, table.windowStartMs] }),
    index('budget_windows_by_start').on(table.windowStartMs),
  ],
);

/** What each model counts beside what is counted here, so that the next process holds enough from its first call on. */
export const learntBounds = sqliteTable('learnt_bounds', {
  seq: count('seq').primaryKey(),
  /** `provider/model`. */
  model: text('model').notNull().unique(),
  /** JSON. */
  bound: text('bound').notNull(),
});

export const alerts = sqliteTable('alerts', {
  seq: count('seq').primaryKey(),
  id: text('id').notNull().unique(),
  kind: text('kind').notNull(),
  severity: text('severity').notNull(),
  message: text('message').notNull(),
  remedy: text('remedy').notNull(),
  scope: text('scope').notNull(),
  atMs: count('at_ms').notNull(),
  runId: text('run_id'),
  details: text('details').notNull(),
  acknowledgedBy: text('acknowledged_by'),
  acknowledgedAtMs: count('acknowledged_at_ms'),
});

/** Spending switches, with their past: one that was turned on again has `clearedAtMs`. */
export const switches = sqliteTable(
  'switches',
  {
    seq: count('seq').primaryKey(),
    scope: text('scope').notNull(),
    reason: text('reason').notNull(),
    by: text('set_by').notNull(),
    sinceMs: count('since_ms').notNull(),
    clearedBy: text('cleared_by'),
    clearedAtMs: count('cleared_at_ms'),
  },
  (table) => [
    uniqueIndex('switches_off')
      .on(table.scope)
      .where(sql`cleared_at_ms is null`),
  ],
);

/** Sinks of alerts, as the active revision names them. */
export const alertSinks = sqliteTable('alert_sinks', {
  seq: count('seq').primaryKey(),
  name: text('name').notNull().unique(),
  /** JSON: what delivery remembers of it; null: nothing yet. */
  state: text('state'),
});

/** What waits for a sink: written with the alert, and gone with its delivery. */
export const alertOutbox = sqliteTable(
  'alert_outbox',
  {
    sink: text('sink').notNull(),
    alertSeq: count('alert_seq').notNull(),
  },
  (table) => [primaryKey({ columns: [table.sink, table.alertSeq] })],
);

export const apiKeys = sqliteTable('api_keys', {
  seq: count('seq').primaryKey(),
  id: text('id').notNull().unique(),
  hash: text('hash').notNull().unique(),
  hint: text('hint').notNull(),
  caller: text('caller').notNull(),
  team: text('team'),
  tier: text('tier'),
  tags: text('tags').notNull(),
  scopes: text('scopes').notNull(),
  createdAtMs: count('created_at_ms').notNull(),
  expiresAtMs: count('expires_at_ms'),
  revokedAtMs: count('revoked_at_ms'),
  lastUsedAtMs: count('last_used_at_ms'),
  requestsPerMinute: count('requests_per_minute'),
  maxBodyBytes: count('max_body_bytes'),
});

/** The dimensions of a roll-up, each combination once. */
export const rollupKeys = sqliteTable('rollup_keys', {
  id: count('id').primaryKey(),
  /** JSON: task, caller, team, provider, model, revision, tags, status; before the status a session, where one was said. */
  dimensions: text('dimensions').notNull().unique(),
});

/** Sums by minute, hour and day; each change is in the transaction of the row that makes it. */
export const rollups = sqliteTable(
  'rollups',
  {
    /** 0: minutes, 1: hours, 2: days (UTC), of everything; 3, 4, 5: the same by session, of what has one; 8: days by session and nothing else; 9: quarters of an hour of everything together, without durations. */
    grain: count('grain').notNull(),
    bucketMs: count('bucket_ms').notNull(),
    keyId: count('key_id').notNull(),
    costNanoUsd: whole('cost_nano_usd').notNull(),
    savedNanoUsd: whole('saved_nano_usd').notNull(),
    runs: count('runs').notNull(),
    attempts: count('attempts').notNull(),
    errors: count('errors').notNull(),
    inputTokens: whole('input_tokens').notNull(),
    cachedInputTokens: whole('cached_input_tokens').notNull(),
    outputTokens: whole('output_tokens').notNull(),
    cacheWriteTokens: whole('cache_write_tokens')
      .notNull()
      .default(sql`0`),
    reasoningTokens: whole('reasoning_tokens')
      .notNull()
      .default(sql`0`),
    cachedRuns: count('cached_runs').notNull().default(0),
    estimatedNanoUsd: whole('estimated_nano_usd')
      .notNull()
      .default(sql`0`),
    unbaselinedNanoUsd: whole('unbaselined_nano_usd')
      .notNull()
      .default(sql`0`),
    savedRoutingNanoUsd: whole('saved_routing_nano_usd')
      .notNull()
      .default(sql`0`),
    savedLocalNanoUsd: whole('saved_local_nano_usd')
      .notNull()
      .default(sql`0`),
    savedCascadeNanoUsd: whole('saved_cascade_nano_usd')
      .notNull()
      .default(sql`0`),
    savedPromptCacheNanoUsd: whole('saved_prompt_cache_nano_usd')
      .notNull()
      .default(sql`0`),
    savedExactCacheNanoUsd: whole('saved_exact_cache_nano_usd')
      .notNull()
      .default(sql`0`),
    savedFailuresNanoUsd: whole('saved_failures_nano_usd')
      .notNull()
      .default(sql`0`),
    latency: bytes('latency').notNull(),
    firstToken: bytes('first_token').notNull(),
    /** Of days: their key and their sums once more, as `LINE` has them. */
    line: text('line'),
  },
  (table) => [primaryKey({ columns: [table.grain, table.bucketMs, table.keyId] })],
);

/** One row: where the writer is, written in each transaction, so that a snapshot can be put in order with what still waits. */
export const ledgerState = sqliteTable('ledger_state', {
  id: count('id').primaryKey(),
  /** Transactions in the database's life. */
  commits: count('commits').notNull(),
  /** The last operation in the database's life: what the journal holds beyond it is missing here. */
  lastOperation: count('last_operation').notNull(),
  /** Runs that started before are deleted, all but their sums. */
  prunedBeforeMs: count('pruned_before_ms').notNull(),
  /** Roll-ups by the minute and by the hour are kept from here on. */
  minutesFromMs: count('minutes_from_ms').notNull(),
  hoursFromMs: count('hours_from_ms').notNull(),
  /** Quarters of an hour are kept from here on; null: not yet. */
  quartersFromMs: count('quarters_from_ms'),
});
