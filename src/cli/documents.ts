// The GraphQL documents of the command line; typed by codegen.
import { graphql } from './generated/gql.ts';

export const RunTask = graphql(`
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
`);

export const TaskInputs = graphql(`
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
`);

export const ActivateRevision = graphql(`
  mutation CliActivateRevision($hash: ID!) {
    activateRevision(hash: $hash) {
      hash
      commit
      subject
      pinned
    }
  }
`);

export const ReleaseRevision = graphql(`
  mutation CliReleaseRevision {
    releaseRevision {
      hash
      commit
      subject
      pinned
    }
  }
`);

export const CreateKey = graphql(`
  mutation CliCreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      secret
      apiKey {
        id
      }
    }
  }
`);

export const TaskNames = graphql(`
  query CliTaskNames {
    taskTypes {
      name
    }
  }
`);

export const ListKeys = graphql(`
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
`);

export const RevokeKey = graphql(`
  mutation CliRevokeKey($id: ID!) {
    revokeApiKey(id: $id) {
      id
      revokedAt
    }
  }
`);

export const Unreconciled = graphql(`
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
`);

export const Estimates = graphql(`
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
`);

export const ReconcileAttempt = graphql(`
  mutation CliReconcileAttempt($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {
    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {
      cost
    }
  }
`);

export const AdjustLedger = graphql(`
  mutation CliAdjustLedger($input: AdjustLedgerInput!) {
    adjustLedger(input: $input) {
      id
      cost
    }
  }
`);

export const Stats = graphql(`
  query CliStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {
    costStats(window: $window, by: $by, filter: $filter) {
      ...CliStatsFields
    }
  }
`);

export const WatchStats = graphql(`
  subscription CliWatchStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {
    costStats(window: $window, by: $by, filter: $filter, everyMs: 1000) {
      ...CliStatsFields
    }
  }
`);

graphql(`
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
`);

export const WhyRun = graphql(`
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
`);

export const SavingsOf = graphql(`
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
`);

graphql(`
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
`);

export const WhyCost = graphql(`
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
`);

export const BudgetForecasts = graphql(`
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
`);

export const ListAlerts = graphql(`
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
`);

export const TestAlerts = graphql(`
  mutation CliTestAlerts {
    testAlerts {
      name
      kind
      failure
    }
  }
`);

/** Oldest first: the last page, then the one before its first row. No text is asked for. */
export const TrafficPage = graphql(`
  query CliTraffic($from: DateTime!, $to: DateTime!, $last: Int!, $before: String) {
    runs(filter: { startedFrom: $from, startedTo: $to }, last: $last, before: $before) {
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
`);

export const AskAgain = graphql(`
  mutation CliAskAgain($name: String!, $input: JSON!, $key: String!) {
    runTaskJson(name: $name, input: $input, options: { idempotencyKey: $key }) {
      __typename
      ... on Run {
        status
      }
    }
  }
`);

export const ClusterNodes = graphql(`
  query CliClusterNodes {
    nodes {
      place
    }
  }
`);

export const NamesToPause = graphql(`
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
`);

export const PauseSpending = graphql(`
  mutation CliPauseSpending($scope: SpendScopeInput!, $reason: String!) {
    pauseSpending(scope: $scope, reason: $reason) {
      scope
      reason
      by
      since
    }
  }
`);

export const ResumeSpending = graphql(`
  mutation CliResumeSpending($scope: SpendScopeInput!) {
    resumeSpending(scope: $scope) {
      scope
      reason
      by
      since
    }
  }
`);

export const WhatIsPaused = graphql(`
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
`);

export const ListRuns = graphql(`
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
`);

export const SpendOf = graphql(`
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
`);

graphql(`
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
`);

export const Top = graphql(`
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
`);

export const DearestRuns = graphql(`
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
`);
