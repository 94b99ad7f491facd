// What the views of runs ask for.
import { graphql } from '../generated/gql.ts';

export const runsQuery = graphql(`
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
`);

export const runQuery = graphql(`
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
`);

export const runEvents = graphql(`
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
`);

export const runAgain = graphql(`
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
`);
