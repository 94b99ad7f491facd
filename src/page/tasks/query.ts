// What the views of tasks ask for.
import { graphql } from '../generated/gql.ts';

export const tasksQuery = graphql(`
  query Tasks {
    taskTypes {
      id
      name
      description
      deprecated
      file
      worstCase
      steps {
        key
        kind
        after
        route
      }
    }
    costStats(window: MONTH, by: [TASK]) {
      groups {
        key
        bucket {
          cost
          runs
          errorRate
          latencyP50Ms
          latencyP95Ms
        }
      }
    }
  }
`);

export const taskQuery = graphql(`
  query OneTask($name: String!) {
    taskType(name: $name) {
      id
      name
      description
      file
      plan
      worstCase
      revision
      source {
        text
        revision {
          hash
          commit
          subject
          author
          dirty
        }
      }
      inputSchema
      steps {
        key
        kind
        after
        route
      }
    }
    viewer {
      scopes
    }
  }
`);

export const tryTask = graphql(`
  subscription TryTask($name: String!, $input: JSON!) {
    streamTaskJson(name: $name, input: $input) {
      __typename
      runId
      ... on RunText {
        path
        delta
      }
      ... on RunTextRestarted {
        path
      }
      ... on RunSettled {
        attempt {
          model
          cost
        }
      }
      ... on RunFinished {
        result {
          __typename
          ... on Run {
            id
            status
            cost
            latencyMs
            outputJson
            error {
              code
              message
              remedy
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
              message
            }
          }
        }
      }
    }
  }
`);
