// What the views of operation ask for: providers, keys, alerts, attempts of unknown outcome.
import { graphql } from '../generated/gql.ts';

export const resetCircuit = graphql(`
  mutation ResetCircuit($provider: ID!) {
    resetCircuit(provider: $provider) {
      id
    }
  }
`);

export const keysQuery = graphql(`
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
`);

export const createKey = graphql(`
  mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      secret
      apiKey {
        id
        caller
      }
    }
  }
`);

export const revokeKey = graphql(`
  mutation RevokeKey($id: ID!) {
    revokeApiKey(id: $id) {
      id
      revokedAt
    }
  }
`);

export const unreconciledQuery = graphql(`
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
`);

export const estimatesQuery = graphql(`
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
`);

export const reconcile = graphql(`
  mutation Reconcile($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {
    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {
      id
      cost
    }
  }
`);

export const alertListQuery = graphql(`
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
`);

export const acknowledge = graphql(`
  mutation Acknowledge($id: ID!) {
    acknowledgeAlert(id: $id) {
      id
      acknowledgedBy
      acknowledgedAt
    }
  }
`);

export const runAgain = graphql(`
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
`);
