// The input types that do not come from tasks: run options, filters, scopes, keys.
import type { RunOptions } from '../../engine/execution/port.ts';
import type { RunFilter } from '../../ledger/port.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { RunStatus } from '../../engine/execution/records.ts';
import type { StatsUnit, SpanRequest, SpendQuery, StatsWindow } from '../../ledger/stats/port.ts';
import type { Builder } from './builder.ts';
import type { Enums } from './types/enums.ts';

export function createInputs(builder: Builder, enums: Enums) {
  const tag = builder.inputType('TagInput', {
    fields: (t) => ({ key: t.string({ required: true }), value: t.string({ required: true }) }),
  });
  const speakFor = builder.inputType('CallerInput', {
    description: 'Another caller to run in the name of; needs the scope "caller:*".',
    fields: (t) => ({ name: t.string({ required: true }), team: t.string(), tier: t.string() }),
  });
  const runOptions = builder.inputType('RunOptions', {
    fields: (t) => ({
      idempotencyKey: t.string({
        description:
          'The same caller with the same key gets the same run. A run with a key goes on when its client goes away.',
      }),
      tags: t.field({
        type: [tag],
        description: 'Kept with the run; budgets and statistics can tell runs apart by them.',
      }),
      maxCost: t.field({ type: 'USD', description: "Tightens the task's own allowance; never loosens it." }),
      deadlineMs: t.int({ description: "Tightens the task's own deadline; never loosens it." }),
      dryRun: t.boolean({ description: 'Answers with DryRun: the decision and the hold; nobody is called.' }),
      noCache: t.boolean({ description: 'Runs even where an earlier answer to the same input is at hand.' }),
      caller: t.field({ type: speakFor }),
    }),
  });
  const runFilter = builder.inputType('RunFilter', {
    fields: (t) => ({
      task: t.string(),
      caller: t.string(),
      session: t.string({
        description: "What a run's client said that it belongs to: a coding agent's session.",
      }),
      status: t.field({ type: enums.runStatus }),
      provider: t.string({ description: 'Runs with an attempt on this provider.' }),
      revision: t.string(),
      tag: t.field({ type: tag }),
      startedFrom: t.field({ type: 'DateTime', description: 'Inclusive.' }),
      startedTo: t.field({ type: 'DateTime', description: 'Exclusive.' }),
      minCost: t.field({ type: 'USD' }),
    }),
  });
  const spendFilter = builder.inputType('SpendFilter', {
    fields: (t) => ({
      task: t.string(),
      caller: t.string(),
      team: t.string(),
      session: t.string({
        description: "What a run's client said that it belongs to: a coding agent's session.",
      }),
      provider: t.string(),
      model: t.string({ description: '`provider/model`.' }),
      revision: t.string(),
      tag: t.field({ type: tag }),
    }),
  });
  const span = builder.inputType('SpanInput', {
    description:
      'A calendar unit in a time zone, or a rolling window, or an instant from and one to; an empty one is all that there is.',
    fields: (t) => ({
      from: t.field({ type: 'DateTime', description: 'Inclusive.' }),
      to: t.field({ type: 'DateTime', description: 'Exclusive; left out: now.' }),
      calendar: t.field({ type: enums.calendarUnit }),
      ago: t.int({ description: 'Of the calendar units: 0 is the one that holds now, 1 the one before it.' }),
      timeZone: t.string({ description: 'IANA name, such as `Europe/Berlin`; left out: UTC.' }),
      window: t.field({ type: enums.statsWindow }),
    }),
  });
  const spendScope = builder.inputType('SpendScopeInput', {
    description: 'Exactly one of its fields.',
    isOneOf: true,
    fields: (t) => ({
      all: t.boolean({ description: 'Always `true`.' }),
      provider: t.string(),
      model: t.string({ description: '`provider/model`.' }),
      task: t.string(),
      caller: t.string(),
    }),
  });
  const createApiKey = builder.inputType('CreateApiKeyInput', {
    fields: (t) => ({
      caller: t.string({ required: true, description: 'Whose name its runs carry.' }),
      team: t.string(),
      tier: t.string(),
      tags: t.field({ type: [tag] }),
      scopes: t.stringList({
        required: true,
        description: '`run:summarize`, `run:*`, `read:stats`, `read:all`, `caller:*`, `admin`.',
      }),
      expiresAt: t.field({ type: 'DateTime' }),
      requestsPerMinute: t.int(),
      maxBodyBytes: t.int({ description: 'What a request may have at /v1; 32 MB at most.' }),
    }),
  });
  const adjustLedger = builder.inputType('AdjustLedgerInput', {
    description: 'Spending that is in no row of the ledger.',
    fields: (t) => ({
      cost: t.field({ type: 'USD', required: true }),
      reason: t.string({ required: true, description: 'Kept with it.' }),
      provider: t.string({ required: true, description: 'Who billed it.' }),
      model: t.string({ description: 'Without its provider; left out: none in particular.' }),
      task: t.string({ description: 'Left out: none in particular.' }),
      caller: t.string({ description: 'Whose it was; left out: yours.' }),
      team: t.string(),
      tier: t.string(),
      tags: t.field({ type: [tag] }),
    }),
  });
  return { tag, runOptions, runFilter, spendFilter, span, spendScope, createApiKey, adjustLedger };
}

export type Inputs = ReturnType<typeof createInputs>;

type Maybe<Value> = Value | null | undefined;
export type TagValue = { readonly key: string; readonly value: string };

export function tagRecord(tags: Maybe<readonly TagValue[]>): { readonly [key: string]: string } {
  return Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value]));
}

export interface RunOptionsValue {
  readonly idempotencyKey?: Maybe<string>;
  readonly tags?: Maybe<readonly TagValue[]>;
  readonly maxCost?: Maybe<NanoUsd>;
  readonly deadlineMs?: Maybe<number>;
  readonly dryRun?: Maybe<boolean>;
  readonly noCache?: Maybe<boolean>;
  readonly caller?: Maybe<{
    readonly name: string;
    readonly team?: Maybe<string>;
    readonly tier?: Maybe<string>;
  }>;
}

export function runOptionsOf(value: RunOptionsValue): RunOptions {
  return {
    ...given('idempotencyKey', value.idempotencyKey),
    ...given('tags', value.tags && tagRecord(value.tags)),
    ...given('maxCostNanoUsd', value.maxCost),
    ...given('deadlineMs', value.deadlineMs),
    ...given('dryRun', value.dryRun),
    ...given('noCache', value.noCache),
  };
}

/** GraphQL's "null or absent" is the engine's "absent". */
export function given<Key extends string, Value>(
  key: Key,
  value: Maybe<Value>,
): { readonly [K in Key]?: Value } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
}

export interface SpanValue {
  readonly from?: Maybe<number>;
  readonly to?: Maybe<number>;
  readonly calendar?: Maybe<StatsUnit>;
  readonly ago?: Maybe<number>;
  readonly timeZone?: Maybe<string>;
  readonly window?: Maybe<StatsWindow>;
}

export function spanOf(value: SpanValue): SpanRequest {
  return {
    ...given('fromMs', value.from),
    ...given('toMs', value.to),
    ...given('calendar', value.calendar),
    ...given('ago', value.ago),
    ...given('timeZone', value.timeZone),
    ...given('window', value.window),
  };
}

export interface SpendFilterValue {
  readonly task?: Maybe<string>;
  readonly caller?: Maybe<string>;
  readonly session?: Maybe<string>;
  readonly team?: Maybe<string>;
  readonly provider?: Maybe<string>;
  readonly model?: Maybe<string>;
  readonly revision?: Maybe<string>;
  readonly tag?: Maybe<TagValue>;
}

export function spendFilterOf(value: Maybe<SpendFilterValue>): NonNullable<SpendQuery['filter']> {
  const filter = value ?? {};
  return {
    ...given('task', filter.task),
    ...given('caller', filter.caller),
    ...given('session', filter.session),
    ...given('team', filter.team),
    ...given('provider', filter.provider),
    ...given('model', filter.model),
    ...given('revision', filter.revision),
    ...given('tag', filter.tag),
  };
}

export interface RunFilterValue {
  readonly task?: Maybe<string>;
  readonly caller?: Maybe<string>;
  readonly session?: Maybe<string>;
  readonly status?: Maybe<RunStatus>;
  readonly provider?: Maybe<string>;
  readonly revision?: Maybe<string>;
  readonly tag?: Maybe<TagValue>;
  readonly startedFrom?: Maybe<number>;
  readonly startedTo?: Maybe<number>;
  readonly minCost?: Maybe<NanoUsd>;
}

export function runFilterOf(value: Maybe<RunFilterValue>): RunFilter {
  const filter = value ?? {};
  return {
    ...given('task', filter.task),
    ...given('caller', filter.caller),
    ...given('session', filter.session),
    ...given('status', filter.status),
    ...given('provider', filter.provider),
    ...given('revision', filter.revision),
    ...given('tag', filter.tag),
    ...given('startedFromMs', filter.startedFrom),
    ...given('startedToMs', filter.startedTo),
    ...given('minCostNanoUsd', filter.minCost),
  };
}
