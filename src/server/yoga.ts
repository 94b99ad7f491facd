// Yoga: GraphQL over HTTP and SSE, with the schema that is active when a request comes, and our limits around parse and execute.
import type { ServerResponse } from 'node:http';
import { GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { createYoga, isAsyncIterable } from 'graphql-yoga';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { explainResult } from './explain-error.ts';
import type { createParse } from './guards/document.ts';
import type { createComplexityCheck } from './guards/complexity.ts';
import type { createMaskError } from './mask-error.ts';
import type { ServerLimits } from './options.ts';
import type { Operations } from './operations.ts';
import { resolveDocument } from './persisted.ts';
import type { OperationParams, PersistedOperations } from './persisted.ts';
import type { KnownOperations } from './known-operations.ts';
import type { ServerContext } from './request-context.ts';
import { formatResult } from './format-error.ts';
import { EVENT_STREAM_HEADERS, eventStream } from './subscriptions/event-stream.ts';
import type { Subscribe } from './subscriptions/shared.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';

export interface YogaParts {
  readonly schema: () => GraphQLSchema;
  readonly limits: ServerLimits;
  readonly introspection: boolean;
  readonly graphiql: boolean;
  readonly parse: ReturnType<typeof createParse>;
  readonly complexity: ReturnType<typeof createComplexityCheck>;
  readonly maskError: ReturnType<typeof createMaskError>;
  readonly operations: Operations;
  readonly subscriptions: Subscriptions;
  readonly persisted: PersistedOperations | undefined;
  readonly known: KnownOperations;
}

/** Documents that are sent again are parsed and validated once; longer ones are inputs written in place, and would only fill memory (INV-14). */
const MAX_CACHED_DOCUMENT_CHARACTERS = 16_384;
const MAX_CACHED_DOCUMENTS = 1024;

function documentCache<Value extends object>() {
  const cache = new LRUCache<string, Value>({ max: MAX_CACHED_DOCUMENTS });
  return {
    get: (text: string) => cache.get(text),
    set: (text: string, value: Value) => {
      if (text.length <= MAX_CACHED_DOCUMENT_CHARACTERS) cache.set(text, value);
    },
  };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export function createGraphqlServer(parts: YogaParts) {
  return createYoga<{ req: ServerContext['req']; res: ServerResponse } & ServerContext>({
    graphqlEndpoint: '/graphql',
    plugins: [gate(parts)],
    batching: parts.limits.maxBatch > 1 ? { limit: parts.limits.maxBatch } : false,
    // The body is read by `readJsonBody`, which holds its own limit; yoga's would wrap every body in a stream.
    maxRequestBodySize: false,
    multipart: false,
    cors: false,
    landingPage: false,
    // Checked before yoga is asked: see health.ts.
    healthCheckEndpoint: '/graphql/-/live',
    graphiql: parts.graphiql ? { title: 'Headgate', subscriptionsProtocol: 'WS' } : false,
    renderGraphiQL: () => renderedGraphiql,
    extraParamNames: ['documentId'],
    maskedErrors: { maskError: parts.maskError },
    logging: SILENT,
    parserAndValidationCache: {
      documentCache: documentCache<DocumentNode>(),
      errorCache: documentCache<Error>(),
    },
  });
}

export type GraphqlServer = ReturnType<typeof createGraphqlServer>;

let renderedGraphiql = '';

/** The page is 5 MB of script: it is loaded when it is served, not at every start. */
export async function loadGraphiql(needsKey: boolean, defaultQuery: string): Promise<void> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  renderedGraphiql = renderGraphiQL({
    title: 'Headgate',
    subscriptionsProtocol: 'WS',
    defaultQuery,
    ...(needsKey ? { headers: KEY_HEADER, defaultHeaders: KEY_HEADER } : {}),
  });
}

/** Where to write the key. Only what a header may hold: an ellipsis would keep the page from sending anything. */
const KEY_HEADER = '{\n  "authorization": "Bearer hg_"\n}';

/** One plugin for all of it: each further one would cost every request its hooks. */
function gate({
  schema,
  introspection,
  parse,
  complexity,
  operations,
  subscriptions,
  persisted,
  known,
}: YogaParts): Plugin<ServerContext> {
  /** What yoga has let through is known from now on. */
  function learn({
    schema: validatedWith,
    document,
    contextValue,
  }: Pick<ExecutionArgs, 'schema' | 'document' | 'contextValue'>): void {
    const { params } = contextValue as { readonly params?: OperationParams };
    if (typeof params?.query === 'string' && params.query.length <= MAX_CACHED_DOCUMENT_CHARACTERS)
      known.learn(validatedWith, params.query, document);
  }

  return {
    // Not `schema: () => …` as an option: that breaks graphql-ws. Set here, a swap reaches the next operation and no running one.
    onEnveloped({ setSchema }) {
      setSchema(schema());
    },
    onRequestParse({ serverContext, setRequestParser }) {
      const { body } = serverContext as unknown as ServerContext;
      if (body !== undefined) setRequestParser(() => body as never);
    },
    onParams({ params, setParams }) {
      const query = resolveDocument(params as OperationParams, persisted);
      if (query !== undefined && query !== params.query) setParams({ ...params, query });
    },
    onParse({ setParseFn }) {
      setParseFn(parse);
    },
    onValidate({ addValidationRule }) {
      if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
    onExecute({ args, setResultAndStopExecution }) {
      const refused = complexity(args) ?? operations.begin(args.contextValue);
      if (refused !== undefined) {
        setResultAndStopExecution({ errors: [refused] });
        return undefined;
      }
      learn(args);
      return { onExecuteDone: () => operations.end(args.contextValue) };
    },
    onResultProcess(payload) {
      const { transport } = payload.serverContext as unknown as ServerContext;
      if (!isAsyncIterable(payload.result)) {
        explainResult(payload.result);
        return;
      }
      if (transport !== 'sse') return;
      payload.setResultProcessor(sendEventStream, EVENT_STREAM);
    },
    onSubscribe({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) {
      const context = args.contextValue as unknown as ServerContext;
      const given = args as unknown as ExecutionArgs;
      if (context.result !== undefined) {
        setResultAndStopExecution(context.result as never);
        return;
      }
      const refused = notAsStream(context) ?? subscriptions.refusal(given, context);
      if (refused !== undefined) {
        setResultAndStopExecution({ errors: [refused] } as never);
        return;
      }
      learn(args);
      const subscribe = subscribeFn as unknown as Subscribe;
      setSubscribeFn((one: ExecutionArgs) => subscriptions.begin(one, context, subscribe));
    },
  };
}

/** A subscription that was asked for as JSON or in parts (`multipart/mixed`), neither of which can be answered with what is still to come. */
function notAsStream({ transport }: ServerContext): GraphQLError | undefined {
  return transport === 'http'
    ? new GraphQLError(
        'A subscription is answered as server-sent events or over a WebSocket, and not in any other way.',
        {
          extensions: {
            code: 'NOT_ACCEPTABLE',
            remedy:
              'Send "Accept: text/event-stream", or connect to this address with the WebSocket protocol graphql-transport-ws.',
            http: { status: 406 },
          },
        },
      )
    : undefined;
}

const EVENT_STREAM = 'text/event-stream';

/** In the place of yoga's own, which knows of no place to come back to. */
function sendEventStream(result: unknown, fetchApi: FetchAPI): Response {
  const stream = eventStream(result as AsyncIterable<ExecutionResult>, (one) =>
    JSON.stringify(formatResult(one)),
  );
  return new fetchApi.Response(stream, {
    status: 200,
    headers: EVENT_STREAM_HEADERS,
  });
}
