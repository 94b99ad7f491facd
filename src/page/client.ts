// The page's way to the API: queries and mutations over HTTP, subscriptions over one WebSocket that comes back by itself.
import { createClient as createSocket } from 'graphql-ws';
import { type CombinedError, useMutation, useQuery, useSubscription } from 'urql';
import {
  cacheExchange,
  createClient,
  fetchExchange,
  subscriptionExchange,
  type AnyVariables,
  type Client,
} from 'urql';
import type { TypedDocumentString } from './generated/graphql.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export interface PageApi {
  readonly client: Client;
  /** Another one takes its place: whatever its connection still says is not heard. */
  end(): void;
}

/** `onConnection` hears of the WebSocket; `onSignedOut` of an answer that asks for a key. */
export function createApi(onConnection: (state: Connection) => void, onSignedOut: () => void): PageApi {
  let isOver = false;
  const socket = createSocket({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    // Connected in every view, so that each shows at once when the server or the key is gone.
    lazy: false,
    onNonLazyError: () => {},
    retryAttempts: Number.POSITIVE_INFINITY,
    // A restart takes a second: it is tried again soon, and never given up.
    retryWait: (retries) =>
      new Promise((resolve) =>
        setTimeout(resolve, Math.min(250 * 2 ** retries, 5000) * (0.75 + Math.random() / 2)),
      ),
    shouldRetry: (event) => !isClosedTo(event),
    on: {
      connecting: () => onConnection('connecting'),
      connected: () => onConnection('live'),
      closed: (event) => {
        if (isOver) return;
        onConnection('lost');
        if (isClosedTo(event)) onSignedOut();
      },
    },
  });
  const client = createClient({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (response.status === 401) onSignedOut();
      return response;
    },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }, { context }) => ({
          subscribe: (sink) => {
            let stop = (): void => {};
            const begin = (): void => {
              stop = socket.subscribe(
                { query, variables },
                {
                  next: (value) => sink.next(value as never),
                  error: (error) => sink.error(error),
                  complete: () => (context['live'] === true ? again() : sink.complete()),
                },
              );
            };
            // A server that stops ends what it serves in order; what is live goes on with the next.
            const again = (): void => {
              const timer = setTimeout(begin, AGAIN_MS);
              stop = () => clearTimeout(timer);
            };
            begin();
            return { unsubscribe: () => stop() };
          },
        }),
      }),
    ],
  });
  const end = (): void => {
    isOver = true;
    void socket.dispose();
  };
  return { client, end };
}

/** 4403: the key was revoked. 4401: it was never one. */
function isClosedTo(event: unknown): boolean {
  return event instanceof CloseEvent && (event.code === 4403 || event.code === 4401);
}

/** Before what has ended is asked for again. */
const AGAIN_MS = 1000;
const LIVE = { live: true };

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

export function useData<Data, Variables extends AnyVariables>(
  document: Document<Data, Variables>,
  variables: Variables,
  options: { readonly pause?: boolean } = {},
) {
  return useQuery<Data, Variables>({ query: document.toString(), variables, ...options });
}

export function useLive<Data, Variables extends AnyVariables>(
  document: Document<Data, Variables>,
  variables: Variables,
  options: { readonly pause?: boolean } = {},
): Data | undefined {
  const [{ data }] = useSubscription<Data, Data, Variables>({
    query: document.toString(),
    variables,
    context: LIVE,
    ...options,
  });
  return data;
}

export function useAction<Data, Variables extends AnyVariables>(document: Document<Data, Variables>) {
  return useMutation<Data, Variables>(document.toString());
}

/** What to tell a person: the API's own sentence and its remedy. */
export function errorText(error: CombinedError | undefined): string | undefined {
  if (error === undefined) return undefined;
  const [first] = error.graphQLErrors;
  if (first === undefined) return 'The server cannot be reached; the page tries again.';
  const remedy = first.extensions?.['remedy'];
  return typeof remedy === 'string' ? `${first.message} ${remedy}` : first.message;
}
