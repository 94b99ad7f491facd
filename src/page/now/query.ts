// What the first screen asks for.
import { graphql } from '../generated/gql.ts';

export const spendNow = graphql(`
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
`);

export const todayQuery = graphql(`
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
`);

export const changedQuery = graphql(`
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
`);

export const forecastsQuery = graphql(`
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
`);

export const inFlightQuery = graphql(`
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
`);

export const cancelRun = graphql(`
  mutation CancelRun($id: ID!) {
    cancelRun(id: $id) {
      __typename
      ... on Refusal {
        message
      }
    }
  }
`);

export const switchesQuery = graphql(`
  query Switches {
    spendSwitches {
      scope
      paused
      reason
      by
      since
    }
  }
`);

export const pauseSpending = graphql(`
  mutation PauseSpending($scope: SpendScopeInput!, $reason: String!) {
    pauseSpending(scope: $scope, reason: $reason) {
      scope
      paused
    }
  }
`);

export const resumeSpending = graphql(`
  mutation ResumeSpending($scope: SpendScopeInput!) {
    resumeSpending(scope: $scope) {
      scope
      paused
    }
  }
`);

export const scopesQuery = graphql(`
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
`);

export const alertsQuery = graphql(`
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
`);

export const alertsLive = graphql(`
  subscription AlertRaised {
    alerts {
      id
    }
  }
`);

export const healthQuery = graphql(`
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
`);

export const nodesQuery = graphql(`
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
`);
