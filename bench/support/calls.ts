// The same call in the two ways in which it is asked for, so that contenders are asked for the same.
import { post } from './http-load.ts';
import { inputText } from './workflows.ts';

const RUN =
  'mutation ($text: String!) { runTask(task: { answer: { text: $text } }) { __typename ... on Run { id status cost outputJson attempts { model inputTokens outputTokens } } } }';

export const CHAT_END = '"finish_reason":"stop"';
export const RUN_END = '"status":"SUCCEEDED"';

/** A GraphQL operation with the n-th text as its variable. */
export function graphqlCall(query: string): (index: number) => string {
  const start = `{"query":${JSON.stringify(query)},"variables":{"text":`;
  return (index) => post('/graphql', `${start}${JSON.stringify(inputText(index))}}}`);
}

export const runTask = graphqlCall(RUN);

/** `/v1/chat/completions` with the n-th text. */
export function chat(path = '/v1/chat/completions', headers = ''): (index: number) => string {
  return (index) => post(path, chatBody(inputText(index)), headers);
}

/** The same as a stream. */
export function streamedChat(index: number): string {
  return asEvents('/v1/chat/completions', chatBody(inputText(index), { stream: true }));
}

const SUBSCRIBE =
  'subscription ($text: String!) { streamTask(task: { answer: { text: $text } }) { __typename ... on RunText { delta } ... on RunFinished { result { __typename ... on Run { status } } } } }';

/** The same through GraphQL, as server-sent events. */
export function streamTask(index: number): string {
  return asEvents('/graphql', JSON.stringify({ query: SUBSCRIBE, variables: { text: inputText(index) } }));
}

function asEvents(path: string, body: string): string {
  return post(path, body, 'Accept: text/event-stream\r\n').replace('Accept: application/json\r\n', '');
}

/** The same with a prompt of so many bytes. */
export function longChat(bytes: number): (index: number) => string {
  const sentence = inputText(0);
  const rest = `${sentence} `.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes);
  return (index) => post('/v1/chat/completions', chatBody(`${index.toString(36)} ${rest}`));
}

/** `more`: further members, as `stream`. */
export function chatBody(text: string, more: object = {}): string {
  return JSON.stringify({
    model: 'bench-model',
    max_tokens: 200,
    ...more,
    messages: [
      { role: 'system', content: 'You answer questions. Use only what the text says.' },
      { role: 'user', content: `Answer in two sentences.\n<text>\n${text}\n</text>` },
    ],
  });
}
