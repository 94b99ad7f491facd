// ServerOptions: what createServer takes, and the limits it holds clients to.
import type { GraphQLSchema } from 'graphql';
import type { Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { ExchangerOf } from './doors/count-tokens.ts';
import type { GraphqlServices } from './graphql/services.ts';
import type { Plan } from '../language/plan/types.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { PersistedOperations } from './persisted.ts';

export interface ServerOptions {
  /** `keys` is the ring that also answers who a request is from. */
  readonly services: GraphqlServices & { readonly keys: KeyRing };
  /** The schema of a plan; called once at the start and once per swap. */
  readonly schemaFor: (plan: Plan) => GraphQLSchema;
  /** Default `127.0.0.1`. Any other than a loopback address asks for at least one API key. */
  readonly host?: string;
  /** Default 4000; 0: any free one. */
  readonly port?: number;
  /** `development`: GraphiQL and introspection. Default `production`. */
  readonly mode?: 'development' | 'production';
  /** Default: as `mode` says. */
  readonly introspection?: boolean;
  /** Default: as `mode` says. */
  readonly graphiql?: boolean;
  readonly limits?: Partial<ServerLimits>;
  /** Origins of web pages that may call from a browser: `https://dash.example.com`. Default: none but the server's own. */
  readonly corsOrigins?: readonly string[];
  /** Names besides the address itself by which the server may be asked for while it runs open: guards against DNS rebinding. */
  readonly allowedHosts?: readonly string[];
  /** The proxy in front sets X-Forwarded-For, -Proto and -Host, and nobody else can. Default false. */
  readonly trustProxy?: boolean;
  /** The provider of a plan, where it takes clients' own bodies: asked for its count of tokens. Default: none is asked. */
  readonly exchangerOf?: ExchangerOf;
  /** Operations that may be sent by their hash alone; `required`: no others. */
  readonly persistedOperations?: PersistedOperations;
  /** Files of a web page to serve at `/`: a folder. Default: none. */
  readonly staticDir?: string;
  /** With it, `POST /webhooks/reload` reads the workflows again for whoever signs with this secret. Default: there is no such path. */
  readonly webhookSecret?: string;
  readonly log?: Logger;
  /** Where spans go. Default: to the SDK that is loaded, if any. */
  readonly tracer?: Tracer;
  /** Is the ledger able to write? Asked by `/health/ready`. Default: it can be read. */
  readonly ledgerHealth?: () => Promise<{ readonly ok: boolean; readonly detail: string }>;
}

/** Each limit refuses what is beyond it with an error that names it. */
export interface ServerLimits {
  /** Bytes of a request's body. An e-mail with attachments for `email-parse` may have 2 MB. */
  readonly maxBodyBytes: number;
  /** How deep the JSON of a body or a message may nest; counted before it is parsed. */
  readonly maxJsonDepth: number;
  /** Values in the JSON of a body or a message: members and items together, counted before it is parsed. One text is one value, whatever its length. */
  readonly maxJsonValues: number;
  /** The same of a request for embeddings, whose texts may come as hundreds of thousands of numbers. */
  readonly maxEmbeddedValues: number;
  /** Bytes of bodies and messages that are read, or whose answer is not sent yet. */
  readonly maxBytesInFlight: number;
  readonly maxBytesInFlightPerCaller: number;
  /** Operations in one HTTP request; 1: batches are refused. */
  readonly maxBatch: number;
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** Operations and fragments: validating compares the fragments of a selection in pairs. */
  readonly maxDefinitions: number;
  /** Fields after fragments are expanded. */
  readonly maxFields: number;
  /** Costs of fields, added up with how often they may come: see docs/reference/api.md. */
  readonly maxComplexity: number;
  /** Operations that one caller may have under way, subscriptions not counted. */
  readonly maxOperationsPerCaller: number;
  readonly maxSubscriptionsPerCaller: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly maxConnections: number;
  /** Bytes that may wait in the socket of a subscriber that does not read. */
  readonly maxBufferedBytes: number;
  /** How long a subscriber's socket may stay full. */
  readonly slowReaderMs: number;
  /** How long a WebSocket may take to say who it is. */
  readonly connectionInitMs: number;
  /** Between pings on a WebSocket; a peer that does not answer within as long is dropped. */
  readonly keepAliveMs: number;
  /** Pings that a WebSocket's client may send a minute beyond its key's requests; it is closed when it sends more. */
  readonly maxPingsPerMinute: number;
}

export const defaultLimits: ServerLimits = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxJsonDepth: 200,
  maxJsonValues: 100_000,
  maxEmbeddedValues: 1_000_000,
  maxBytesInFlight: 128 * 1024 * 1024,
  maxBytesInFlightPerCaller: 32 * 1024 * 1024,
  maxBatch: 1,
  maxTokens: 4000,
  maxDepth: 14,
  maxAliases: 50,
  maxDirectives: 50,
  maxDefinitions: 100,
  maxFields: 1000,
  maxComplexity: 10_000,
  maxOperationsPerCaller: 4096,
  maxSubscriptionsPerCaller: 10_000,
  maxSubscriptionsPerConnection: 1000,
  maxConnections: 20_000,
  maxBufferedBytes: 1024 * 1024,
  slowReaderMs: 30_000,
  connectionInitMs: 3000,
  keepAliveMs: 12_000,
  maxPingsPerMinute: 120,
};
