// A client of Headgate: typed documents, errors as data, live spend, streamed text.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { graphql } from '../../generated/gql.ts';
import type { TypedDocumentString } from '../../generated/graphql.ts';

const server = process.env['HEADGATE_URL'] ?? 'http://127.0.0.1:4000';
const key = process.env['HEADGATE_KEY'];
const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };

async function ask<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (data === undefined || errors !== undefined)
    throw new Error(errors?.[0]?.message ?? `HTTP ${response.status}`);
  return data;
}

const SummarizeText = graphql(`
  mutation SummarizeText($text: String!) {
    runTask(task: { summarize: { text: $text } }, options: { tags: [{ key: "app", value: "docs" }] }) {
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
`);

async function summarize(text: string): Promise<void> {
  const { runTask } = await ask(SummarizeText, { text });
  switch (runTask.__typename) {
    case 'Run':
      console.log(`${runTask.output?.summary ?? ''} ($${runTask.cost})`);
      break;
    case 'InvalidInput':
      for (const { path, message } of runTask.problems) console.log(`${path}: ${message}`);
      break;
    default:
      if ('remedy' in runTask) console.log(`${runTask.message} ${runTask.remedy}`);
  }
}

const SpendToday = graphql(`
  subscription SpendToday {
    costStats(window: DAY, everyMs: 1000) {
      total {
        runs
        cost
      }
    }
  }
`);

const sockets = createClient({
  url: `${server.replace('http', 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: headers,
});

/** Shows today's spend, now and when it changes, until it has seen that many runs. */
async function watchSpend(runs: number): Promise<void> {
  const states = sockets.iterate<ReturnType<NonNullable<(typeof SpendToday)['__apiType']>>>({
    query: SpendToday.toString(),
  });
  for await (const { data } of states) {
    const { total } = data?.costStats ?? {};
    console.log(`${total?.runs ?? 0} runs, $${total?.cost ?? '0'}`);
    if (total !== undefined && total.runs >= runs) break;
  }
}

await summarize(
  'The harbour froze in January. Ships waited outside for nine days. On the tenth day an icebreaker cut a channel.',
);
await summarize('');
await watchSpend(1);
await sockets.dispose();
