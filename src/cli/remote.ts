// A running server, asked over GraphQL with typed documents.
import type { TypedDocumentString } from './generated/graphql.ts';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface Remote {
  query<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data>;
  /** The states of a subscription over server-sent events, until the signal is aborted. */
  subscribe<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): AsyncIterable<Data>;
}

interface GraphqlAnswer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly remedy?: string };
  }[];
}

/** `server`: its address, with or without `/graphql`; `key`: an API key, or undefined for an open server. */
export function createRemote(server: string, key: string | undefined): Remote {
  const url = endpointOf(server);
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };

  async function post(body: string, accept: string, signal?: AbortSignal): Promise<Response> {
    try {
      return await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, ...authorization },
        body,
        signal: signal ?? null,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new HeadgateError(
        'SERVER_UNREACHABLE',
        `there is no server at ${url}`,
        'Start one with "headgate serve", or name another with --server URL.',
        { cause: error },
      );
    }
  }

  function dataOf<Data>({ data, errors }: GraphqlAnswer<Data>): Data {
    const [error] = errors ?? [];
    if (error?.extensions?.code === 'UNAUTHENTICATED')
      throw new HeadgateError(
        'SERVER_ERROR',
        `the server answers: ${error.message}`,
        'Give a key in HEADGATE_KEY, or with --key.',
      );
    if (error)
      throw new HeadgateError(
        'SERVER_ERROR',
        `the server answers: ${error.message}`,
        error.extensions?.remedy ?? 'See its log.',
      );
    if (data === null || data === undefined)
      throw new HeadgateError(
        'SERVER_ERROR',
        `the server at ${url} gave no data`,
        'Is it a Headgate server?',
      );
    return data;
  }

  return {
    async query(document, variables) {
      const response = await post(
        JSON.stringify({ query: document.toString(), variables }),
        'application/graphql-response+json, application/json',
      );
      const text = await response.text();
      try {
        return dataOf(JSON.parse(text) as GraphqlAnswer<never>);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw new HeadgateError(
          'SERVER_ERROR',
          `${url} answers ${response.status} and no JSON`,
          'Is it a Headgate server?',
          { cause: error },
        );
      }
    },
    async *subscribe(document, variables, signal) {
      const response = await post(
        JSON.stringify({ query: document.toString(), variables }),
        'text/event-stream',
        signal,
      );
      if (!response.ok || response.body === null) {
        dataOf((await response.json().catch(() => ({}))) as GraphqlAnswer<never>);
        return;
      }
      let waiting = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        waiting += chunk;
        const events = waiting.split('\n\n');
        waiting = events.pop() ?? '';
        for (const event of events) {
          if (/^event: complete$/m.test(event)) return;
          const data = /^data: (.+)$/m.exec(event)?.[1];
          if (data !== undefined && /^event: next$/m.test(event))
            yield dataOf(JSON.parse(data) as GraphqlAnswer<never>);
        }
      }
    },
  };
}

function endpointOf(server: string): string {
  if (!URL.canParse(server))
    throw new HeadgateError(
      'SERVER_ADDRESS',
      `"${server}" is not an address`,
      'Write it like http://127.0.0.1:4000.',
    );
  const url = new URL(server);
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/graphql';
  return url.href;
}
