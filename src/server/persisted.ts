// Persisted operations: documents known by their hash, so that a client need not send them, and a server may take no others.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GraphQLError } from 'graphql';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface PersistedOperations {
  /** SHA-256 of the document's text, hexadecimal → the text. */
  readonly documents: ReadonlyMap<string, string>;
  /** No other documents are taken. */
  readonly required: boolean;
}

/** What a request may carry, in either of the two forms that clients have. */
export interface OperationParams {
  readonly query?: string | null | undefined;
  /** `sha256:…`, as the GraphQL-over-HTTP appendix on persisted documents has it. */
  readonly documentId?: unknown;
  readonly extensions?: { readonly persistedQuery?: { readonly sha256Hash?: unknown } } | null | undefined;
}

/** The document's text; undefined: the request has none, which is for others to say. Throws a GraphQLError for what is not known here. */
export function resolveDocument(
  params: OperationParams,
  persisted: PersistedOperations | undefined,
): string | undefined {
  const hash = hashIn(params);
  const { query } = params;
  if (hash === undefined) {
    if (typeof query === 'string' && persisted?.required === true && !persisted.documents.has(sha256(query)))
      throw notPersisted();
    return query ?? undefined;
  }
  if (persisted === undefined) throw notSupported();
  const text = persisted.documents.get(hash);
  if (text === undefined) throw unknownDocument(hash);
  return text;
}

function hashIn({ query, documentId, extensions }: OperationParams): string | undefined {
  // graphql-ws asks for a query in every message: there, an empty one stands for none.
  if (typeof query === 'string' && query !== '') return undefined;
  if (typeof documentId === 'string') return documentId.replace(/^sha256:/, '').toLowerCase();
  const hash = extensions?.persistedQuery?.sha256Hash;
  return typeof hash === 'string' ? hash.toLowerCase() : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** By this message Apollo's clients know that they have to send the text, now and from now on. */
function notSupported(): GraphQLError {
  return new GraphQLError('PersistedQueryNotSupported', {
    extensions: {
      code: 'PERSISTED_QUERY_NOT_SUPPORTED',
      remedy:
        'Send the document itself as `query`; only a server that was started with --persisted takes hashes.',
      http: { status: 400 },
    },
  });
}

function unknownDocument(hash: string): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: {
      code: 'PERSISTED_QUERY_NOT_FOUND',
      documentId: hash.slice(0, 64),
      remedy: "Add the document to the server's persisted operations.",
      http: { status: 400 },
    },
  });
}

function notPersisted(): GraphQLError {
  return new GraphQLError('This server takes persisted operations only.', {
    extensions: {
      code: 'PERSISTED_OPERATION_REQUIRED',
      remedy: 'Send the hash of one as documentId, or as extensions.persistedQuery.sha256Hash.',
      http: { status: 400 },
    },
  });
}

/** Reads `{ "<sha256>": "<document>" }`, as graphql-codegen's client preset writes it. Rejects with a HeadgateError. */
export async function readPersistedOperations(file: string, required: boolean): Promise<PersistedOperations> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new HeadgateError(
      'PERSISTED_OPERATIONS_UNREADABLE',
      `${file} cannot be read.`,
      'Name the file that codegen wrote: persisted-documents.json.',
      { cause: error },
    );
  });
  const documents = new Map<string, string>();
  for (const [hash, document] of Object.entries(JSON.parse(text) as { readonly [hash: string]: string })) {
    if (sha256(document) !== hash.replace(/^sha256:/, '')) {
      throw new HeadgateError(
        'PERSISTED_OPERATION_WRONG',
        `In ${file}, ${hash.slice(0, 16)}… is not the SHA-256 of its document.`,
        'Generate it with hashAlgorithm: sha256.',
      );
    }
    documents.set(hash.replace(/^sha256:/, ''), document);
  }
  return { documents, required };
}
