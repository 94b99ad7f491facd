// createServer: HTTP, SSE and WebSocket around one GraphQL schema that can be swapped under them.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import { pino } from 'pino';
import type { Caller } from '../engine/budget/port.ts';
import { createContext } from './graphql/context.ts';
import { parseEventId } from './graphql/live/journal.ts';
import { hasScope, READ_STATS } from '../engine/execution/scopes.ts';
import { Admission } from './admission.ts';
import { createDoors, DOORS_PATH } from './doors/doors.ts';
import { isAcceptable } from './guards/accept.ts';
import { BytesInFlight } from './guards/bytes-in-flight.ts';
import { createComplexityCheck } from './guards/complexity.ts';
import { createParse } from './guards/document.ts';
import { isLoopback, isSimpleContentType } from './guards/origin.ts';
import { CLOSED, closedHeaders, GRAPHIQL, PREFLIGHT, setHeaders } from './headers.ts';
import { readableLedger, sendLive, sendReady } from './health.ts';
import { listen, urlOf } from './listen.ts';
import { KnownOperations, plainMediaType } from './known-operations.ts';
import { createMaskError } from './mask-error.ts';
import { Metrics } from './observe/metrics.ts';
import { firstQuery } from './graphiql-query.ts';
import { logRuns } from './observe/run-log.ts';
import { traceRuns } from './observe/traces.ts';
import { Operations } from './operations.ts';
import { defaultLimits } from './options.ts';
import type { ServerLimits, ServerOptions } from './options.ts';
import { isJson, readJsonBody } from './read-body.ts';
import {
  FAILED,
  forbidden,
  NOT_ACCEPTABLE,
  NOT_FOUND,
  refuseOpen,
  WRONG_METHOD,
  WRONG_TYPE,
} from './refusals.ts';
import { sendRefusal } from './refuse.ts';
import type { HttpRefusal } from './refuse.ts';
import { createSessions, SESSION_PATH } from './sessions.ts';
import { readStaticFiles, sendStaticFile } from './static-files.ts';
import type { StaticFile, StaticFiles } from './static-files.ts';
import { sendEvents } from './subscriptions/event-stream.ts';
import { SlowReaders } from './subscriptions/slow-readers.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { createReloadWebhook, WEBHOOK_PATH } from './webhook.ts';
import { createWebSocketServer } from './websocket.ts';
import { withinMs } from './within.ts';
import { createGraphqlServer, loadGraphiql } from './yoga.ts';

export interface RunningServer {
  /** `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** No key exists: whoever reaches the address may do everything. */
  readonly open: boolean;
  /** The schema that the next operation gets. */
  schema(): GraphQLSchema;
  /** Takes no more requests, lets those under way end for `graceMs` (default 5,000), then cuts them. */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_GRACE_MS = 5000;
/** How long a client may take to read the end of its answer while the server is being stopped. */
const LAST_BYTES_MS = 500;

/** Listens, or rejects with a HeadgateError that says in one line why not and what to do. */
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  const { services, host = '127.0.0.1', mode = 'production', log = pino({ level: 'silent' }) } = options;
  const { keys, clock } = services;
  if (!isLoopback(host) && !keys.closed) throw refuseOpen(host);

  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  const graphiql = options.graphiql ?? mode === 'development';
  const origins = { allowed: lowerCase(options.corsOrigins), trustProxy: options.trustProxy ?? false };
  const admission = new Admission({ keys, clock, origins, allowedHosts: lowerCase(options.allowedHosts) });
  const ledgerHealth = options.ledgerHealth ?? readableLedger(services);
  const operations = new Operations(limits);
  const bytesInFlight = new BytesInFlight(limits);
  const readers = new SlowReaders(clock, limits, (reason) => metrics.dropped(reason));
  const maskError = createMaskError(log);
  const pages: StaticFiles =
    options.staticDir === undefined ? new Map() : await readStaticFiles(options.staticDir);
  let draining = false;

  let schema = options.schemaFor(services.revisions.active().plan);
  const stopFollowing = services.revisions.onChange((change) => {
    if (change.kind === 'activated') schema = options.schemaFor(change.revision.plan);
  });

  const complexity = createComplexityCheck(limits.maxComplexity);
  const subscriptions = new Subscriptions(complexity, operations);
  const known = new KnownOperations({
    schema: () => schema,
    complexity,
    operations,
    subscriptions,
    maskError,
  });
  const yoga = createGraphqlServer({
    schema: () => schema,
    limits,
    introspection: options.introspection ?? mode === 'development',
    graphiql,
    parse: createParse(limits),
    complexity,
    known,
    maskError,
    operations,
    subscriptions,
    persisted: options.persistedOperations,
  });
  const webSockets = createWebSocketServer({
    yoga,
    services,
    limits,
    log,
    maskError,
    readers,
    admission,
    bytesInFlight,
    persisted: options.persistedOperations,
  });
  const metrics = new Metrics({
    services,
    operations: () => operations.running(),
    subscriptions: () => operations.subscribed(),
    connections: () => webSockets.connections(),
  });
  const webhook =
    options.webhookSecret === undefined
      ? undefined
      : createReloadWebhook({ secret: options.webhookSecret, revisions: services.revisions, log });
  const sessions = createSessions({ keys, admission, trustProxy: origins.trustProxy });
  const doors = createDoors({
    services,
    admission,
    operations,
    limits,
    bytesInFlight,
    exchangerOf: options.exchangerOf ?? (() => undefined),
    log,
  });
  const stopLogging = logRuns(services.written, log);
  const stopTracing = traceRuns(services.written, options.tracer);

  async function graphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { accept = '' } = request.headers;
    const headers = closedHeaders(request, origins.allowed);
    if (request.method === 'OPTIONS') {
      setHeaders(response, headers);
      if (response.hasHeader('Access-Control-Allow-Origin')) setHeaders(response, PREFLIGHT);
      response.writeHead(204, { Allow: 'GET, POST, OPTIONS' }).end();
      return;
    }
    const refuse = (refusal: HttpRefusal): void => {
      setHeaders(response, headers);
      sendRefusal(response, refusal, accept);
    };
    if (graphiql && request.method === 'GET' && accept.includes('text/html')) {
      const refusal = admission.place(request);
      if (refusal !== undefined) return refuse(refusal);
      await loadGraphiql(keys.closed, firstQuery(services.revisions.active().plan));
      setHeaders(response, GRAPHIQL);
      return respond(request, response, { req: request, res: response });
    }
    if (!isAcceptable(request.headers.accept)) return refuse(NOT_ACCEPTABLE);
    const admitted = admission.request(request);
    if (!admitted.ok) return refuse(admitted.refusal);
    if (request.method === 'POST' && isSimpleContentType(request.headers['content-type']))
      return refuse(WRONG_TYPE);
    const streams = accept.includes('text/event-stream');
    if (streams) watchStream(response, admitted.caller);
    const context = createContext({
      services,
      caller: admitted.caller,
      signal: () => signalOf(response),
      transport: streams ? 'sse' : 'http',
      resumeAt: streams ? parseEventId(lastEventId(request)) : undefined,
    });
    const isPosted = request.method === 'POST' && isJson(request.headers['content-type']);
    const held = bytesInFlight.hold(admitted.caller.name);
    response.once('close', () => held.release());
    const body = isPosted ? readJsonBody(request, limits, held) : undefined;
    const served = Object.assign(context, { req: request, res: response, body });
    const mediaType = streams ? undefined : plainMediaType(request.headers.accept);
    if (body !== undefined && (streams || mediaType !== undefined)) {
      const operation = known.find(await body.catch(() => undefined), streams);
      if (operation !== undefined && mediaType !== undefined)
        return await known.answer(operation, served, { mediaType, headers, response });
      if (operation !== undefined) {
        const result = await known.subscribe(operation, served);
        if (result !== undefined && Symbol.asyncIterator in result)
          return await sendEvents(result, known.resultText, headers, response);
        Object.assign(served, { result });
      }
    }
    setHeaders(response, headers);
    return respond(request, response, served);
  }

  async function respond(request: IncomingMessage, response: ServerResponse, context: object): Promise<void> {
    // yoga's type asks for the context that it makes itself; it takes this one as it is.
    await yoga(request, response, context as never);
  }

  /** An event stream that nobody reads keeps what was written in memory: it is cut. So is one whose key is no longer valid. */
  function watchStream(response: ServerResponse, caller: Caller): void {
    const forget = readers.add({
      buffered: () => response.writableLength,
      drop: (reason) => {
        log.warn({ reason, bufferedBytes: response.writableLength }, 'subscriber dropped');
        response.destroy();
      },
      tick: () => {
        if (!admission.isLive(caller)) response.destroy();
      },
    });
    response.once('close', forget);
  }

  async function sendMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admitted = admission.request(request);
    if (!admitted.ok) return sendRefusal(response, admitted.refusal, undefined);
    if (!hasScope(admitted.caller, READ_STATS))
      return sendRefusal(response, forbidden(READ_STATS), undefined);
    const text = await metrics.text();
    response.writeHead(200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' }).end(text);
  }

  /** A page of an allowed origin may come through it; headers that it may send are those of the clients, whichever they are. */
  async function throughDoor(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<void> {
    const headers = closedHeaders(request, origins.allowed);
    if (request.method === 'OPTIONS') {
      setHeaders(response, headers);
      if (response.hasHeader('Access-Control-Allow-Origin')) {
        setHeaders(response, PREFLIGHT);
        const asked = request.headers['access-control-request-headers'];
        if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
      }
      response.writeHead(204, { Allow: 'GET, POST, OPTIONS' }).end();
      return;
    }
    await doors.answer(request, response, path, headers);
  }

  /** What is asked for beside the API. */
  async function other(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    setHeaders(response, CLOSED);
    if (path === WEBHOOK_PATH && webhook !== undefined)
      return request.method === 'POST'
        ? webhook(request, response)
        : sendRefusal(response, WRONG_METHOD, undefined);
    if (path === SESSION_PATH && pages.size > 0) return sessions(request, response);
    const look = beside[path];
    const file = pages.get(path) ?? (look === undefined ? viewOf(path, request) : undefined);
    if (look === undefined && file === undefined) return sendRefusal(response, NOT_FOUND, undefined);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendRefusal(response, WRONG_METHOD, undefined);
    if (file !== undefined) return sendStaticFile(file, path, request, response);
    return look?.(request, response);
  }

  /** The page shows its views by its own addresses, `/runs/run_…`: a browser that opens one gets the page. */
  function viewOf(path: string, { headers: { accept = '' } }: IncomingMessage): StaticFile | undefined {
    return accept.includes('text/html') && !/^\/(?:assets|v1|webhooks|health)\//.test(path)
      ? pages.get('/')
      : undefined;
  }

  /** What is beside the API. */
  const beside: {
    readonly [path: string]: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  } = {
    '/health/live': (_request, response) => sendLive(response),
    '/health/ready': (_request, response) => sendReady(response, services, ledgerHealth, draining),
    '/metrics': sendMetrics,
  };

  const http = createHttpServer(
    { keepAliveTimeout: 65_000, requestTimeout: 300_000 },
    (request, response) => {
      const path = pathOf(request);
      if (draining) response.setHeader('Connection', 'close');
      response.on('close', () =>
        metrics.request(
          path in beside || path === '/graphql'
            ? path
            : path.startsWith(DOORS_PATH)
              ? 'v1'
              : pages.has(path)
                ? 'page'
                : 'other',
          response.statusCode,
        ),
      );
      const answered =
        path === '/graphql'
          ? graphql(request, response)
          : path.startsWith(DOORS_PATH)
            ? throughDoor(request, response, path)
            : other(request, response, path);
      answered.catch((error: unknown) => {
        // Who has gone away before the end made no mistake of ours.
        if (request.destroyed && !request.complete) log.debug({ path }, 'the client went away');
        else log.error({ err: error, path }, 'request failed');
        if (response.headersSent) response.destroy();
        else sendRefusal(response, FAILED, request.headers.accept);
      });
    },
  );
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (pathOf(request).startsWith(DOORS_PATH)) doors.refuseUpgrade(socket);
    else if (pathOf(request) !== '/graphql') refuseUpgrade(socket, '404 Not Found');
    else if (admission.place(request) !== undefined) refuseUpgrade(socket, '403 Forbidden');
    else if (draining || webSockets.connections() >= limits.maxConnections)
      refuseUpgrade(socket, '503 Service Unavailable');
    else webSockets.accept(request, socket, head);
  });

  const port = await listen(http, host, options.port ?? 4000);
  return {
    url: urlOf(host, port),
    port,
    open: !keys.closed,
    schema: () => schema,
    async close(graceMs = DEFAULT_GRACE_MS) {
      draining = true;
      stopFollowing();
      // It listens on meanwhile: who comes is told 503, by health too, and not left to guess from a refused connection.
      await withinMs(operations.stop(), graceMs);
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      // What has been answered is on its way; what has not is cut, and its runs are recorded as cancelled.
      http.closeIdleConnections();
      const cut = setTimeout(() => http.closeAllConnections(), LAST_BYTES_MS);
      await Promise.all([closed, webSockets.close(LAST_BYTES_MS)]);
      clearTimeout(cut);
      for (const stop of [stopLogging, stopTracing, () => readers.stop(), () => metrics.close()]) stop();
      await yoga.dispose();
    },
  };
}

function lowerCase(texts: readonly string[] = []): ReadonlySet<string> {
  return new Set(texts.map((text) => text.toLowerCase()));
}

/** Made when it is first asked for: most operations never do. */
function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  });
  return gone.signal;
}

function lastEventId(request: IncomingMessage): string | undefined {
  const header = request.headers['last-event-id'];
  return Array.isArray(header) ? header[0] : header;
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
