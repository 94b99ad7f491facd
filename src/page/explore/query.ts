// What Explore asks for: any span, by any dimension, and another span beside it.
import { graphql } from '../generated/gql.ts';

export const spendQuery = graphql(`
  query ExploreSpend(
    $span: SpanInput!
    $by: [StatsDimension!]
    $filter: SpendFilter
    $every: CalendarUnit
    $tagKey: String
    $first: Int
  ) {
    spend(span: $span, by: $by, filter: $filter, every: $every, tagKey: $tagKey, first: $first) {
      from
      to
      complete
      total {
        cost
        estimated
        runs
        cachedRuns
        attempts
        errors
        errorRate
        inputTokens
        cachedInputTokens
        outputTokens
        latencyP50Ms
        latencyP95Ms
      }
      series {
        from
        bucket {
          cost
          runs
        }
      }
      groupCount
      groups {
        key
        keys {
          value
        }
        bucket {
          cost
          runs
          attempts
          errorRate
          inputTokens
          outputTokens
          latencyP50Ms
          latencyP95Ms
        }
      }
    }
  }
`);

/** What it is compared with: the same groups, and no more of them than their cost. */
export const spendBeforeQuery = graphql(`
  query ExploreBefore($span: SpanInput!, $by: [StatsDimension!], $filter: SpendFilter, $tagKey: String) {
    spend(span: $span, by: $by, filter: $filter, tagKey: $tagKey) {
      total {
        cost
      }
      groups {
        key
        bucket {
          cost
        }
      }
    }
  }
`);

export const savingsQuery = graphql(`
  query SavingsOf($span: SpanInput!, $by: [StatsDimension!], $filter: SpendFilter, $tagKey: String) {
    savings(span: $span, by: $by, filter: $filter, tagKey: $tagKey) {
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
      groups {
        key
        savings {
          net
        }
      }
    }
  }
`);
