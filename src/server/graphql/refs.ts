// Refs: each output type by name with the shape of its value, so that the files that define them need not import each other.
import type {
  CostBucket,
  CostChange,
  CostStats,
  Forecast,
  SpendPace,
  Savings,
  SavingsSum,
  Spend,
} from '../../ledger/stats/port.ts';
import type { Caller } from '../../engine/budget/port.ts';
import type { BudgetView } from '../../engine/budget/port.ts';
import type { Problem } from '../../errors/problem.ts';
import type { Begun, DryRun, InputProblem, RunResult, Refused } from '../../engine/execution/port.ts';
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import type { AttemptRecord, RunError, StepRecord } from '../../engine/execution/records.ts';
import type { Note } from '../../engine/providers/port.ts';
import type { ApiKeyRecord, RevisionRecord } from '../../ledger/port.ts';
import type { Json } from '../../common/json.ts';
import type { PlanTask } from '../../language/plan/types.ts';
import type { RouteDecision, Skip } from '../../engine/routing/port.ts';
import type { SpendSwitch } from '../../engine/budget/guards/port.ts';
import type { Builder } from './builder.ts';
import type { NumberedEvent } from './live/journal.ts';
import type { ProviderModelStatus, ProviderStatus, ServerNode } from './services.ts';
import type { RunShape } from './types/run-shape.ts';

type BudgetUnit = BudgetView['budget']['limit']['unit'];
export type RefusalOf<Kind extends RunResult['kind']> = Extract<RunResult, { kind: Kind }>;

/** A task by name; null: no task of that name is in the active revision. */
export interface TaskTypeShape {
  readonly name: string;
  readonly task: PlanTask | null;
}

/** A provider by name; null: not in the active revision. */
export interface ProviderShape {
  readonly name: string;
  readonly status: ProviderStatus | null;
}

/** A revision by hash; null: the ledger does not know it (yet). */
export interface RevisionShape {
  readonly hash: string;
  readonly record: RevisionRecord | null;
}

export interface CallerShape {
  readonly name: string;
  readonly team: string | null;
  readonly tier: string | null;
  readonly session?: string;
  /** Only of the viewer itself. */
  readonly self: Caller | null;
}

/** A task's output, with the type that shows it. */
export interface OutputShape {
  readonly typename: string;
  readonly value: Json;
}

export function createRefs(builder: Builder) {
  return {
    alert: builder.objectRef<AlertRecord>('Alert'),
    apiKey: builder.objectRef<ApiKeyRecord>('ApiKey'),
    attempt: builder.objectRef<AttemptRecord>('Attempt'),
    budget: builder.objectRef<BudgetView>('Budget'),
    budgetExceeded: builder.objectRef<RefusalOf<'budget_exceeded'>>('BudgetExceeded'),
    caller: builder.objectRef<CallerShape>('Caller'),
    candidate: builder.objectRef<RouteDecision['candidates'][number]>('Candidate'),
    costBucket: builder.objectRef<CostBucket>('CostBucket'),
    costChange: builder.objectRef<CostChange>('CostChange'),
    costGroup: builder.objectRef<CostStats['groups'][number]>('CostGroup'),
    costPoint: builder.objectRef<CostBucket['perMinute'][number]>('CostPoint'),
    costStats: builder.objectRef<CostStats>('CostStats'),
    forecast: builder.objectRef<Forecast & { readonly unit: BudgetUnit }>('BudgetForecast'),
    pace: builder.objectRef<SpendPace>('Pace'),
    savings: builder.objectRef<Savings>('Savings'),
    savingsSum: builder.objectRef<SavingsSum>('SavingsSum'),
    spend: builder.objectRef<Spend>('Spend'),
    dryRun: builder.objectRef<{ readonly kind: 'dry_run'; readonly dryRun: DryRun }>('DryRun'),
    inputProblem: builder.objectRef<InputProblem>('InputProblem'),
    invalidInput: builder.objectRef<RefusalOf<'invalid_input'>>('InvalidInput'),
    loopDetected: builder.objectRef<RefusalOf<'loop_detected'>>('LoopDetected'),
    noProviderAvailable: builder.objectRef<RefusalOf<'no_provider_available'>>('NoProviderAvailable'),
    notFound: builder.objectRef<Refused & { readonly kind: 'not_found'; readonly id: string }>('NotFound'),
    notRunning: builder.objectRef<Refused & { readonly kind: 'not_running'; readonly run: RunShape }>(
      'NotRunning',
    ),
    note: builder.objectRef<Note>('Note'),
    problem: builder.objectRef<Problem>('Problem'),
    provider: builder.objectRef<ProviderShape>('Provider'),
    providerModel: builder.objectRef<ProviderModelStatus>('ProviderModel'),
    refusal: builder.interfaceRef<Refused>('Refusal'),
    refusedRun: builder.interfaceRef<Begun>('RefusedRun'),
    revision: builder.objectRef<RevisionShape>('Revision'),
    routeDecision: builder.objectRef<RouteDecision>('RouteDecision'),
    run: builder.objectRef<RunShape>('Run'),
    runError: builder.objectRef<RunError>('RunError'),
    runEvent: builder.interfaceRef<NumberedEvent>('RunEvent'),
    skip: builder.objectRef<Skip>('Skip'),
    spendSwitch: builder.objectRef<SpendSwitch>('SpendSwitch'),
    serverNode: builder.objectRef<ServerNode>('ServerNode'),
    spendingPaused: builder.objectRef<RefusalOf<'spending_paused'>>('SpendingPaused'),
    stepRun: builder.objectRef<StepRecord>('StepRun'),
    tag: builder.objectRef<{ readonly key: string; readonly value: string }>('Tag'),
    taskType: builder.objectRef<TaskTypeShape>('TaskType'),
    unauthorized: builder.objectRef<RefusalOf<'unauthorized'>>('Unauthorized'),
  };
}

export type Refs = ReturnType<typeof createRefs>;
