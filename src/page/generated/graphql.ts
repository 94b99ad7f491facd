/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type AlertKind =
  | 'BUDGET_EXHAUSTED'
  | 'BUDGET_OVERRUN'
  | 'BUDGET_WARN'
  | 'CIRCUIT'
  | 'LOOP'
  | 'PAUSED'
  | 'RESUMED'
  | 'REVISION_PINNED'
  | 'REVISION_REFUSED'
  | 'REVISION_RELEASED'
  | 'REVISION_RENAMED'
  | 'SURGE'
  | 'UNRECONCILED';

export type AlertSeverity =
  | 'CRITICAL'
  | 'INFO'
  | 'WARNING';

/** OPEN: called, not answered yet. UNRECONCILED: its process died; it may have been billed, and is held at its worst case. */
export type AttemptStatus =
  | 'CANCELLED'
  | 'FAILED'
  | 'OPEN'
  | 'SUCCEEDED'
  | 'UNRECONCILED';

/** What happens to a call that does not fit. */
export type BudgetAction =
  /** Only candidates that still fit are tried. */
  | 'DOWNGRADE'
  /** It is refused. */
  | 'REJECT'
  /** It goes through, and an alert is raised. */
  | 'WARN';

/** What a budget counts. */
export type BudgetUnit =
  | 'CALLS'
  | 'TOKENS'
  | 'USD';

export type CircuitState =
  | 'CLOSED'
  | 'HALF_OPEN'
  | 'OPEN';

/** Exactly one of its fields. */
export type SpendScopeInput =
  {   /** Always `true`. */
  all: boolean; caller?: never; model?: never; provider?: never; task?: never; }
  |  { all?: never;   caller: string; model?: never; provider?: never; task?: never; }
  |  { all?: never; caller?: never;   /** `provider/model`. */
  model: string; provider?: never; task?: never; }
  |  { all?: never; caller?: never; model?: never;   provider: string; task?: never; }
  |  { all?: never; caller?: never; model?: never; provider?: never;   task: string; };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { name: string, keyId: string | null, scopes: Array<string> | null, pinnedRevision: { hash: string } | null } };

export type SpendNowSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type SpendNowSubscription = { costStats: { at: string, total: { cost: string, saved: string, runs: number, attempts: number, errors: number, errorRate: number, latencyP50Ms: number | null, latencyP95Ms: number | null, perMinute: Array<{ at: string, cost: string, runs: number }> }, groups: Array<{ key: string, bucket: { cost: string, runs: number } }>, budgets: Array<{ id: string, name: string, account: string, scope: string, unit: BudgetUnit, limit: string, spent: string, held: string, per: string, then: BudgetAction, resetsAt: string | null, windowStartedAt: string }> } };

export type TodayQueryVariables = Exact<{ [key: string]: never; }>;


export type TodayQuery = { costStats: { total: { cost: string, saved: string, runs: number, errors: number } } };

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


export type RecentAlertsQuery = { alerts: { edges: Array<{ node: { id: string, at: string, kind: AlertKind, severity: AlertSeverity, scope: string, message: string, remedy: string, run: { id: string } | null } }> } };

export type AlertRaisedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type AlertRaisedSubscription = { alerts: { id: string } };

export type ProviderHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type ProviderHealthQuery = { providers: Array<{ id: string, name: string, available: boolean, unavailable: string | null, models: Array<{ key: string, model: string, circuit: CircuitState, circuitRetryAfterMs: number, inFlight: number, queued: number, latencyMs: number | null, latencyP95Ms: number | null, requestHeadroom: number | null, tokenHeadroom: number | null, rateClosedForMs: number }> }> };

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
    }
  }
}
    `) as unknown as TypedDocumentString<SpendNowSubscription, SpendNowSubscriptionVariables>;
export const TodayDocument = new TypedDocumentString(`
    query Today {
  costStats(window: DAY) {
    total {
      cost
      saved
      runs
      errors
    }
  }
}
    `) as unknown as TypedDocumentString<TodayQuery, TodayQueryVariables>;
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
        run {
          id
        }
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