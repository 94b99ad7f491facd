/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** OPEN: called, not answered yet. UNRECONCILED: its process died; it may have been billed, and is held at its worst case. */
export const AttemptStatus = {
  Cancelled: 'CANCELLED',
  Failed: 'FAILED',
  Open: 'OPEN',
  Succeeded: 'SUCCEEDED',
  Unreconciled: 'UNRECONCILED'
} as const;

export type AttemptStatus = typeof AttemptStatus[keyof typeof AttemptStatus];
export const RunStatus = {
  Cancelled: 'CANCELLED',
  Failed: 'FAILED',
  Queued: 'QUEUED',
  Running: 'RUNNING',
  Succeeded: 'SUCCEEDED'
} as const;

export type RunStatus = typeof RunStatus[keyof typeof RunStatus];
export type SummarizeTextMutationVariables = Exact<{
  text: string;
}>;


export type SummarizeTextMutation = { runTask:
    | { __typename: 'BudgetExceeded', budget: string, resetsAt: string | null, code: string, message: string, remedy: string }
    | { __typename: 'DryRun' }
    | { __typename: 'InvalidInput', code: string, message: string, remedy: string, problems: Array<{ path: string, message: string }> }
    | { __typename: 'LoopDetected', code: string, message: string, remedy: string }
    | { __typename: 'NoProviderAvailable', code: string, message: string, remedy: string }
    | { __typename: 'Run', id: string, cost: string, output:
        | { summary: string }
        | Record<PropertyKey, never>
       | null }
    | { __typename: 'SpendingPaused', code: string, message: string, remedy: string }
    | { __typename: 'Unauthorized', code: string, message: string, remedy: string }
   };

export type SpendTodaySubscriptionVariables = Exact<{ [key: string]: never; }>;


export type SpendTodaySubscription = { costStats: { total: { runs: number, cost: string } } };

export type SummarizeMutationVariables = Exact<{
  text: string;
}>;


export type SummarizeMutation = { runTask:
    | { __typename: 'BudgetExceeded' }
    | { __typename: 'DryRun' }
    | { __typename: 'InvalidInput', code: string, problems: Array<{ path: string, message: string }> }
    | { __typename: 'LoopDetected' }
    | { __typename: 'NoProviderAvailable', code: string, message: string, remedy: string }
    | { __typename: 'Run', id: string, status: RunStatus, outputJson: unknown, cost: string, latencyMs: number | null, attempts: Array<{ status: AttemptStatus, errorClass: string | null, model: string, inputTokens: number, outputTokens: number, cost: string, provider: { name: string } }> }
    | { __typename: 'SpendingPaused' }
    | { __typename: 'Unauthorized' }
   };

export type TaskNamesQueryVariables = Exact<{ [key: string]: never; }>;


export type TaskNamesQuery = { taskTypes: Array<{ name: string }> };

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

export const SummarizeTextDocument = new TypedDocumentString(`
    mutation SummarizeText($text: String!) {
  runTask(
    task: { summarize: { text: $text } }
    options: { tags: [{ key: "app", value: "docs" }] }
  ) {
    __typename
    ... on Run {
      id
      cost
      output {
        ... on SummarizeOutput {
          summary
        }
      }
    }
    ... on InvalidInput {
      problems {
        path
        message
      }
    }
    ... on BudgetExceeded {
      budget
      resetsAt
    }
    ... on Refusal {
      code
      message
      remedy
    }
  }
}
    `) as unknown as TypedDocumentString<SummarizeTextMutation, SummarizeTextMutationVariables>;
export const SpendTodayDocument = new TypedDocumentString(`
    subscription SpendToday {
  costStats(window: DAY, everyMs: 1000) {
    total {
      runs
      cost
    }
  }
}
    `) as unknown as TypedDocumentString<SpendTodaySubscription, SpendTodaySubscriptionVariables>;
export const SummarizeDocument = new TypedDocumentString(`
    mutation Summarize($text: String!) {
  runTask(task: { summarize: { text: $text, sentences: 2 } }) {
    __typename
    ... on Run {
      id
      status
      outputJson
      cost
      latencyMs
      attempts {
        status
        errorClass
        model
        provider {
          name
        }
        inputTokens
        outputTokens
        cost
      }
    }
    ... on InvalidInput {
      code
      problems {
        path
        message
      }
    }
    ... on NoProviderAvailable {
      code
      message
      remedy
    }
  }
}
    `) as unknown as TypedDocumentString<SummarizeMutation, SummarizeMutationVariables>;
export const TaskNamesDocument = new TypedDocumentString(`
    query TaskNames {
  taskTypes {
    name
  }
}
    `) as unknown as TypedDocumentString<TaskNamesQuery, TaskNamesQueryVariables>;