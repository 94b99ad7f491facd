// Known operations: a document that yoga has taken before is executed without yoga's hooks and its fetch API, which cost more than the run.
import type { ServerResponse } from 'node:http';
import { normalizedExecutor } from '@graphql-tools/executor';
import { Kind, OperationTypeNode, validateSubscriptionArgs } from 'graphql';
import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { processRegularResult } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { RequestContext } from './graphql/context.ts';
import { formatResult } from './format-error.ts';
import { explainResult } from './explain-error.ts';
import type { HeaderList } from './headers.ts';
import type { createComplexityCheck } from './guards/complexity.ts';
import type { Operations } from './operations.ts';
import type { ServerContext } from './request-context.ts';
import { subscribeTo } from './subscriptions/results.ts';
import type { SubscribeResult } from './subscriptions/shared.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';

export interface KnownOperationsParts {
  readonly schema: () => GraphQLSchema;
  readonly complexity: ReturnType<typeof createComplexityCheck>;
  readonly operations: Operations;
  readonly subscriptions: Subscriptions;
  readonly maskError: (error: unknown) => GraphQLError;
}

export interface KnownOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly variableValues: { readonly [name: string]: unknown } | undefined;
}

/** Where an answer goes. */
export interface Recipient {
  readonly response: ServerResponse;
  readonly mediaType: string;
  /** Beside those of the answer itself. */
  readonly headers: HeaderList;
}

interface KnownDocument {
  readonly document: DocumentNode;
  /** Of its operation. */
  readonly name: string | undefined;
  readonly isSubscription: boolean;
}

const MAX_KNOWN = 1024;

/** What a plain request may have; what is in `extensions` is for those who send no document. */
const PARAMETERS: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

function isRecordOrNone(value: unknown): value is { readonly [name: string]: unknown } | null | undefined {
  return (typeof value === 'object' && !Array.isArray(value)) || value === undefined;
}

/** What clients say that they take, where the answer is a whole one; anything else is yoga's to weigh. */
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ['*/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/json, */*', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json', 'application/graphql-response+json'],
  ['application/graphql-response+json,application/json', 'application/graphql-response+json'],
]);

/** The media type of the answer to a request that accepts this; undefined: it is not a plain one. */
export function plainMediaType(accept: string | undefined): string | undefined {
  return MEDIA_TYPES.get(accept ?? '*/*');
}

export class KnownOperations {
  readonly #parts: KnownOperationsParts;
  #schema: GraphQLSchema | undefined;
  readonly #documents = new LRUCache<string, KnownDocument>({ max: MAX_KNOWN });

  constructor(parts: KnownOperationsParts) {
    this.#parts = parts;
  }

  /** Notes a document that was parsed, validated and let through, where it is of one operation. */
  learn(schema: GraphQLSchema, text: string, document: DocumentNode): void {
    if (schema !== this.#parts.schema()) return;
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const [operation] = operations;
    if (operations.length !== 1 || operation?.kind !== Kind.OPERATION_DEFINITION) return;
    if (schema !== this.#schema) {
      this.#schema = schema;
      this.#documents.clear();
    }
    const isSubscription = operation.operation === OperationTypeNode.SUBSCRIPTION;
    this.#documents.set(text, { document, name: operation.name?.value, isSubscription });
  }

  /** undefined: it is not known, or asks for more than a document and its variables, or for the other kind of answer; then it is yoga's. */
  find(body: unknown, asStream: boolean): KnownOperation | undefined {
    const schema = this.#parts.schema();
    if (schema !== this.#schema || typeof body !== 'object' || body === null) return undefined;
    for (const name in body) if (!PARAMETERS.has(name)) return undefined;
    const { query, variables, operationName, extensions } = body as { readonly [name: string]: unknown };
    if (typeof query !== 'string' || !isRecordOrNone(variables) || !isRecordOrNone(extensions))
      return undefined;
    const known = this.#documents.get(query);
    if (known === undefined || known.isSubscription !== asStream) return undefined;
    if ((operationName ?? known.name) !== known.name) return undefined;
    return { schema, document: known.document, variableValues: variables ?? undefined };
  }

  /** Executes and answers, as yoga would. */
  async answer(operation: KnownOperation, contextValue: RequestContext, to: Recipient): Promise<void> {
    const { complexity, operations } = this.#parts;
    const refused = complexity({ ...operation, contextValue }) ?? operations.begin(contextValue);
    if (refused !== undefined) return send(to, { errors: [refused] });
    let result: ExecutionResult;
    try {
      result = this.#masked((await normalizedExecutor({ ...operation, contextValue })) as ExecutionResult);
    } catch (error) {
      result = { errors: [this.#parts.maskError(error)] };
    }
    operations.end(contextValue);
    send(to, result);
  }

  /** A stream of results, or the only one that there is; undefined: yoga has the words for what is wrong with its variables. */
  async subscribe(
    operation: KnownOperation,
    contextValue: ServerContext,
  ): Promise<SubscribeResult | undefined> {
    const { subscriptions, maskError } = this.#parts;
    const args = { ...operation, contextValue };
    const validated = validateSubscriptionArgs(args);
    if (!('schema' in validated)) return undefined;
    const refused = subscriptions.refusal(args, contextValue);
    if (refused !== undefined) return { errors: [refused] };
    try {
      return await subscriptions.begin(args, contextValue, () => subscribeTo(validated));
    } catch (error) {
      return { errors: [maskError(error)] };
    }
  }

  /** The text of one of a stream's results. */
  readonly resultText = (result: ExecutionResult): string =>
    JSON.stringify(result.errors === undefined ? result : formatResult(this.#masked(result)));

  #masked(result: ExecutionResult): ExecutionResult {
    return result.errors === undefined
      ? result
      : { ...result, errors: result.errors.map(this.#parts.maskError) };
  }
}

interface Init {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
}

/** What yoga makes of a result, kept as it is: a fetch Response would be taken apart again at once. */
class PlainResponse {
  readonly body: string;
  readonly init: Init;

  constructor(body: string, init: Init) {
    this.body = body;
    this.init = init;
  }
}
const PLAIN = { Response: PlainResponse } as never;

function send({ response, mediaType, headers }: Recipient, result: ExecutionResult): void {
  if (result.errors !== undefined) explainResult(result);
  const { body, init } = processRegularResult(result, PLAIN, mediaType) as unknown as PlainResponse;
  const all = [...headers, 'Content-Length', String(Buffer.byteLength(body))];
  for (const name in init.headers) all.push(name, init.headers[name] ?? '');
  response.writeHead(init.status, all);
  response.end(body);
}
