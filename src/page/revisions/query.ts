// What the view of revisions asks for.
import { graphql } from '../generated/gql.ts';

export const revisionsQuery = graphql(`
  query Revisions($after: String) {
    revisions(first: 30, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          id
          hash
          commit
          subject
          author
          dirty
          source
          compiledAt
          activeFrom
          activeTo
          active
          pinned
          problems {
            code
            severity
            file
            line
            column
            message
            remedy
            excerpt
          }
        }
      }
    }
    costStats(window: ALL, by: [REVISION]) {
      groups {
        key
        bucket {
          cost
          runs
          errorRate
          latencyP95Ms
        }
      }
    }
  }
`);

export const revisionsLive = graphql(`
  subscription RevisionTaken {
    revisions {
      hash
    }
  }
`);

export const differenceQuery = graphql(`
  query Difference($before: String!, $after: String!) {
    planDifference(before: $before, after: $after) {
      changes {
        subject
        message
        effects
      }
      worstCosts {
        task
        before
        after
      }
    }
  }
`);

export const pinRevision = graphql(`
  mutation PinRevision($hash: ID!) {
    activateRevision(hash: $hash) {
      hash
    }
  }
`);

export const releaseRevision = graphql(`
  mutation ReleaseRevision {
    releaseRevision {
      hash
    }
  }
`);
