// WebSocket: graphql-transport-ws on the same path, with the same schema, callers and limits; a reader that stops reading is dropped.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import type { ExecutionArgs } from 'graphql';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { createContext } from './graphql/context.ts';
import type { GraphqlServices } from './graphql/services.ts';
import type { Caller } from '../engine/budget/port.ts';
import type { Admission } from './admission.ts';
import { sessionCookie } from './keys/session.ts';
import { explained } from './explain-error.ts';
import { formatError, formatResult } from './format-error.ts';
import type { createMaskError } from './mask-error.ts';
import type { ServerLimits } from './options.ts';
import { resolveDocument } from './persisted.ts';
import type { PersistedOperations } from './persisted.ts';
import { refusalError } from './refuse.ts';
import { directly, isAsyncIterable, send } from './subscriptions/direct-frames.ts';
import type { SlowReaders } from './subscriptions/slow-readers.ts';
import type { BytesInFlight } from './guards/bytes-in-flight.ts';
import { passedJsonLimit } from './guards/json-size.ts';
import { RequestRates } from './guards/rate.ts';
import { inexactNumberIn, tooMuchJson } from './read-body.ts';
import { withinMs } from './within.ts';
import type { GraphqlServer } from './yoga.ts';

export interface WebSocketParts {
  readonly yoga: GraphqlServer;
  readonly services: GraphqlServices;
  readonly limits: ServerLimits;
  readonly log: Logger;
  readonly maskError: ReturnType<typeof createMaskError>;
  readonly admission: Admission;
  readonly readers: SlowReaders;
  readonly bytesInFlight: BytesInFlight;
  readonly persisted: PersistedOperations | undefined;
}

interface Connection {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  readonly gone: AbortController;
  authorization: string | undefined;
  caller: Caller | null;
}

type Enveloped = ReturnType<GraphqlServer['getEnveloped']>;

/** Beyond what the protocol names: the close code of a subscriber that was dropped. */
const SLOW_READER = 4413;
/** A close frame waits behind what the peer does not read: after this the socket is cut. */
const CLOSE_GRACE_MS = 1000;
/** Of one that sends too much: pings, or bytes that there is no room for. */
const TOO_MANY = 4429;

export function createWebSocketServer(parts: WebSocketParts) {
  const { yoga, limits, log, maskError } = parts;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxBodyBytes,
    perMessageDeflate: false,
    handleProtocols: (protocols) =>
      protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  });
  const executors = new WeakMap<object, Enveloped>();

  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: limits.connectionInitMs,
    onConnect: ({ extra, connectionParams }) => {
      extra.authorization = extra.request.headers.authorization ?? authorizationOf(connectionParams);
      const admitted = parts.admission.caller(extra.authorization, sessionCookie(extra.request));
      extra.caller = admitted.ok ? admitted.caller : null;
      return admitted.ok;
    },
    onSubscribe: async ({ extra, subscriptions }, _id, payload) => {
      const { variables, operationName } = payload;
      if (Object.keys(subscriptions).length > limits.maxSubscriptionsPerConnection) {
        return [
          new GraphQLError(
            `This connection has ${limits.maxSubscriptionsPerConnection} operations, which is all it may.`,
            {
              extensions: {
                code: 'TOO_MANY_OPERATIONS',
                remedy: 'Complete one before the next, or open a second connection.',
              },
            },
          ),
        ];
      }
      // Asked for each operation: a key may have been revoked since, and its requests a minute count here too.
      const admitted = parts.admission.caller(extra.authorization, sessionCookie(extra.request));
      if (!admitted.ok) return [refusalError(admitted.refusal)];
      const context = createContext({
        services: parts.services,
        caller: admitted.caller,
        signal: () => extra.gone.signal,
        transport: 'websocket',
      });
      const enveloped = yoga.getEnveloped(Object.assign(context, { req: extra.request, res: null }));
      try {
        const query = resolveDocument(payload, parts.persisted) ?? payload.query;
        const document = enveloped.parse(query);
        const errors = enveloped.validate(enveloped.schema, document);
        if (errors.length > 0)
          return errors.map((error: GraphQLError) => explained(error, 'GRAPHQL_VALIDATION_FAILED'));
        const args: ExecutionArgs = {
          schema: enveloped.schema,
          document,
          operationName,
          variableValues: variables,
          contextValue: await enveloped.contextFactory(),
        };
        executors.set(args, enveloped);
        return args;
      } catch (error) {
        return [explained(maskError(error), 'GRAPHQL_PARSE_FAILED')];
      }
    },
    execute: (args) => executors.get(args)?.execute(args),
    subscribe: (args) => executors.get(args)?.subscribe(args),
    onOperation: ({ extra: { socket } }, id, _payload, _args, result) =>
      isAsyncIterable(result) ? directly(socket, id, result) : undefined,
    onError: (_context, _id, _payload, errors) => errors.map((error) => formatError(maskError(meant(error)))),
    onNext: (_context, _id, _payload, _args, result) =>
      result.errors === undefined ? undefined : formatResult(result),
  });

  /** Operations whose last message has not left yet. */
  const handling = new Set<Promise<void>>();

  function onFailure(socket: WebSocket, error: Error): void {
    // A message of an unknown type is the client's mistake; anything else is ours.
    if (error.message.startsWith('Unexpected message of type')) {
      socket.close(CloseCode.BadRequest, error.message.slice(0, 120));
      return;
    }
    log.error({ err: error }, 'websocket message failed');
    socket.close(CloseCode.InternalServerError, 'Internal server error');
  }

  sockets.on('connection', (socket, request: IncomingMessage) => {
    const connection: Connection = {
      request,
      socket,
      gone: new AbortController(),
      authorization: undefined,
      caller: null,
    };
    const stopWatching = watch(connection);
    const pings = countPings(connection);
    socket.on('ping', () => pings.take());
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (message: Buffer) => {
            if (isPing(message) && !pings.take()) return;
            const passed = passedJsonLimit(message, limits);
            if (passed !== undefined)
              return socket.close(CloseCode.BadRequest, tooMuchJson(passed, limits[passed]).message);
            const text = String(message);
            const inexact = inexactNumberIn(text);
            if (inexact !== undefined) {
              const refused = refusedOperation(text, inexact);
              if (refused === undefined) socket.close(CloseCode.BadRequest, 'Invalid message received');
              else void send(socket, refused);
              return;
            }
            const held = parts.bytesInFlight.hold(connection.caller?.name ?? '');
            if (held.grow(message.length) !== undefined)
              return socket.close(TOO_MANY, 'Too many bytes at once');
            const handled = handle(text)
              .catch((error: unknown) => onFailure(socket, error as Error))
              .finally(() => {
                held.release();
                handling.delete(handled);
              });
            handling.add(handled);
          });
        },
      },
      connection,
    );
    socket.once('error', (error) => {
      log.debug({ err: error }, 'websocket failed');
      socket.terminate();
    });
    socket.once('close', (code, reason) => {
      stopWatching();
      connection.gone.abort(new Error('the client went away'));
      closed(code, String(reason)).catch((error: unknown) =>
        log.error({ err: error }, 'websocket close failed'),
      );
    });
  });

  /** A ping costs an answer: each counts as a request of the key, and beyond that there are only so many a minute. */
  function countPings(connection: Connection): { take(): boolean } {
    const rates = new RequestRates(parts.services.clock);
    return {
      take() {
        if (parts.admission.count(connection.authorization)) return true;
        if (rates.take('', limits.maxPingsPerMinute) === 0) return true;
        connection.socket.close(TOO_MANY, 'Too many pings');
        return false;
      },
    };
  }

  /** Pings, and drops who does not answer or does not read. */
  function watch(connection: Connection): () => void {
    const { socket } = connection;
    let alive = true;
    let pingedAtMs = parts.services.clock.monotonicMs();
    socket.on('pong', () => {
      alive = true;
    });
    return parts.readers.add({
      buffered: () => socket.bufferedAmount,
      drop: (reason) => {
        log.warn({ reason, bufferedBytes: socket.bufferedAmount }, 'subscriber dropped');
        socket.close(SLOW_READER, reason);
        setTimeout(() => socket.terminate(), CLOSE_GRACE_MS).unref();
      },
      tick: (nowMs) => {
        if (socket.readyState !== socket.OPEN) return;
        if (connection.caller !== null && !parts.admission.isLive(connection.caller)) {
          socket.close(CloseCode.Forbidden, 'The key is no longer valid');
          return;
        }
        if (nowMs - pingedAtMs < limits.keepAliveMs) return;
        if (!alive) {
          socket.terminate();
          return;
        }
        alive = false;
        pingedAtMs = nowMs;
        socket.ping();
      },
    });
  }

  return {
    /** Takes over an upgrade that was found to be ours and welcome. */
    accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      sockets.handleUpgrade(request, socket, head, (webSocket) =>
        sockets.emit('connection', webSocket, request),
      );
    },
    connections: (): number => sockets.clients.size,
    /** Lets what has ended be told, then tells every client that the server goes away; whoever does not leave is cut after `graceMs`. */
    async close(graceMs: number): Promise<void> {
      await withinMs(Promise.all(handling), graceMs);
      for (const client of sockets.clients) client.close(1001, 'Going away');
      const cut = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, graceMs);
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
      clearTimeout(cut);
    },
  };
}

/** The protocol's own, beside those of WebSocket itself. */
const PING = /^\s*\{\s*"type"\s*:\s*"p[io]ng"/;
const MOST_PING_BYTES = 4096;

function isPing(message: Buffer): boolean {
  return message.length <= MOST_PING_BYTES && PING.test(message.toString('latin1'));
}

/** `{ authorization: "Bearer hg_…" }`, in either case, as clients have it. */
function authorizationOf(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const value = params?.['authorization'] ?? params?.['Authorization'];
  return typeof value === 'string' ? value : undefined;
}

/** graphql-ws wraps what an iterator throws; what was thrown is what was meant. */
function meant(error: GraphQLError): unknown {
  return error.cause ?? error;
}

/** The answer to an operation that cannot be taken; undefined: the message is none of an operation. */
function refusedOperation(message: string, error: GraphQLError): string | undefined {
  try {
    const { id } = JSON.parse(message) as { readonly id?: unknown };
    return typeof id === 'string' ? JSON.stringify({ id, type: 'error', payload: [error] }) : undefined;
  } catch {
    return undefined;
  }
}
