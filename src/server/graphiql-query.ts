// What GraphiQL opens with: something that runs with the workflows that are served.
import type { Plan } from '../language/plan/types.ts';

/** The README's, which needs no key; a question that every server answers, where there is no such task. */
export function firstQuery({ tasks }: Pick<Plan, 'tasks'>): string {
  return tasks['summarize'] === undefined ? TASKS : SUMMARIZE;
}

const TASKS = `{
  taskTypes {
    name
    description
  }
}
`;

const SUMMARIZE = `mutation {
  runTask(
    task: {
      summarize: {
        text: "The harbour froze in January. Ships waited outside for nine days. Coal ran short in the town, and the council opened the school as a warm room. On the tenth day an icebreaker came from the south. It cut a channel by noon. The first ship in carried coal. The council has since bought an icebreaker of its own."
        sentences: 2
      }
    }
  ) {
    __typename
    ... on Run {
      id
      output {
        ... on SummarizeOutput {
          summary
        }
      }
      cost
      latencyMs
      attempts {
        provider {
          name
        }
        model
      }
    }
    ... on NoProviderAvailable {
      code
      message
      remedy
    }
  }
}
`;
