// createServer: HTTP, SSE and WebSocket around one GraphQL schema that can be swapped under them.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import { pino } from 'pino';
import type { Caller } from '../budget/port.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { createContext } from '../graphql/context.ts';
import { createComplexityCheck } from './guards/complexity.ts';
import { createParse } from './guards/document.ts';
import { foreignOrigin, isLoopback, isOwnHost, isSimpleContentType } from './guards/origin.ts';
import { RequestRates } from './guards/rate.ts';
import { setCorsHeaders, setSecurityHeaders } from './headers.ts';
import { readableLedger, sendLive, sendReady } from './health.ts';
import { createMaskError } from './mask-error.ts';
import { Operations } from './operations.ts';
import { defaultLimits } from './options.ts';
import type { ServerLimits, ServerOptions } from './options.ts';
import { sendRefusal, unauthenticated } from './refuse.ts';
import type { HttpRefusal } from './refuse.ts';
import { createWebSocketServer } from './websocket.ts';
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

/** Listens, or rejects with a HeadgateError that says in one line why not and what to do. */
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  const {
    services,
    host = '127.0.0.1',
    port = 4000,
    mode = 'production',
    log = pino({ level: 'silent' }),
  } = options;
  const { keys } = services;
  if (!isLoopback(host) && !keys.closed) throw refuseOpen(host);

  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  const graphiql = options.graphiql ?? mode === 'development';
  const rules = {
    allowed: new Set((options.corsOrigins ?? []).map((origin) => origin.toLowerCase())),
    trustProxy: options.trustProxy ?? false,
  };
  const allowedHosts = new Set((options.allowedHosts ?? []).map((name) => name.toLowerCase()));
  const maskError = createMaskError(log);
  const operations = new Operations(limits);
  const rates = new RequestRates(services.clock);
  const ledgerHealth = options.ledgerHealth ?? readableLedger(services);
  let draining = false;

  let schema = options.schemaFor(services.revisions.active().plan);
  const stopFollowing = services.revisions.onChange((change) => {
    if (change.kind === 'activated') schema = options.schemaFor(change.revision.plan);
  });

  const yoga = createGraphqlServer({
    schema: () => schema,
    limits,
    introspection: options.introspection ?? mode === 'development',
    graphiql,
    parse: createParse(limits),
    complexity: createComplexityCheck(limits.maxComplexity),
    maskError,
    operations,
  });

  /** Who sends it, or why it is not let in. */
  function admit(request: IncomingMessage): Caller | HttpRefusal {
    if (!keys.closed && !isOwnHost(request, allowedHosts)) return rebound(request);
    const foreign = foreignOrigin(request, rules);
    if (foreign !== undefined) return crossSite(foreign);
    const identity = keys.identify(request.headers.authorization);
    if (identity.kind === 'refused') return unauthenticated(identity.reason);
    const { caller, requestsPerMinute } = identity;
    if (requestsPerMinute !== null && caller.keyId !== null) {
      const retryAfterMs = rates.take(caller.keyId, requestsPerMinute);
      if (retryAfterMs > 0) return tooOften(requestsPerMinute, retryAfterMs);
    }
    return caller;
  }

  async function graphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setCorsHeaders(request, response, rules.allowed);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { Allow: 'GET, POST, OPTIONS' }).end();
      return;
    }
    const page =
      graphiql && request.method === 'GET' && request.headers.accept?.includes('text/html') === true;
    setSecurityHeaders(response, page ? 'graphiql' : 'none');
    if (page) {
      await loadGraphiql();
      await yoga(request, response, { req: request, res: response } as never);
      return;
    }
    const admitted = admit(request);
    if ('status' in admitted) {
      sendRefusal(response, admitted, request.headers.accept);
      return;
    }
    if (request.method === 'POST' && isSimpleContentType(request.headers['content-type'])) {
      sendRefusal(response, WRONG_TYPE, request.headers.accept);
      return;
    }
    const context = createContext({
      services,
      caller: admitted,
      signal: () => signalOf(response),
      transport: 'http',
    });
    await yoga(request, response, Object.assign(context, { req: request, res: response }) as never);
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    if (path === '/graphql') return graphql(request, response);
    setSecurityHeaders(response, 'none');
    if (path === '/health/live') return sendLive(response);
    if (path === '/health/ready') return sendReady(response, services, ledgerHealth, draining);
    sendRefusal(response, NOT_FOUND, request.headers.accept);
  }

  const http = createHttpServer(
    { keepAliveTimeout: 65_000, requestTimeout: 300_000 },
    (request, response) => {
      route(request, response).catch((error: unknown) => {
        log.error({ err: error, path: pathOf(request) }, 'request failed');
        if (!response.headersSent) sendRefusal(response, FAILED, request.headers.accept);
        else response.destroy();
      });
    },
  );

  const webSockets = createWebSocketServer({
    yoga,
    services,
    limits,
    log,
    maskError,
    identify: (authorization) => {
      const identity = keys.identify(authorization);
      return identity.kind === 'caller' ? identity.caller : null;
    },
    onDropped: () => {},
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const foreign = foreignOrigin(request, rules);
    if (pathOf(request) !== '/graphql') refuseUpgrade(socket, 404);
    else if (foreign !== undefined || (!keys.closed && !isOwnHost(request, allowedHosts)))
      refuseUpgrade(socket, 403);
    else if (draining || webSockets.connections() >= limits.maxConnections) refuseUpgrade(socket, 503);
    else webSockets.accept(request, socket, head);
  });

  const boundPort = await listen(http, host, port);
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${boundPort}`,
    port: boundPort,
    open: !keys.closed,
    schema: () => schema,
    async close(graceMs = 5000) {
      draining = true;
      stopFollowing();
      const closed = new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
      http.closeIdleConnections();
      const cut = setTimeout(() => http.closeAllConnections(), graceMs);
      await Promise.all([closed, webSockets.close(graceMs)]);
      clearTimeout(cut);
      await yoga.dispose();
    },
  };
}

/** Made when it is first asked for: most operations never do. */
function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  });
  return gone.signal;
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function listen(http: ReturnType<typeof createHttpServer>, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port));
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): HeadgateError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new HeadgateError(
        'PORT_IN_USE',
        `Port ${port} on ${host} is in use.`,
        `Stop what uses it, or choose another: --port ${port + 1}.`,
        { cause: error },
      );
    case 'EACCES':
      return new HeadgateError(
        'PORT_NOT_ALLOWED',
        `Port ${port} may not be opened by this user.`,
        'Choose one above 1023: --port 4000.',
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HeadgateError(
        'NO_SUCH_ADDRESS',
        `${host} is not an address of this machine.`,
        'Listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses.',
        { cause: error },
      );
    default:
      return new HeadgateError(
        'CANNOT_LISTEN',
        `Cannot listen on ${host}:${port}: ${error.message}.`,
        'Choose another --host or --port.',
        { cause: error },
      );
  }
}

function refuseOpen(host: string): HeadgateError {
  return new HeadgateError(
    'OPEN_SERVER_REFUSED',
    `Refusing to listen on ${host} while no API key exists: anyone who reaches it could spend.`,
    'Make one first: headgate keys create --caller NAME --scope admin; or listen on 127.0.0.1.',
  );
}

function refuseUpgrade(socket: Duplex, status: 403 | 404 | 503): void {
  const text = { 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' }[status];
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const WRONG_TYPE: HttpRefusal = {
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  message: 'The body has to be JSON, and be said to be.',
  remedy: 'Send "Content-Type: application/json".',
};
const NOT_FOUND: HttpRefusal = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'There is nothing here.',
  remedy: 'The API is at /graphql; /health/live, /health/ready and /metrics are beside it.',
};
const FAILED: HttpRefusal = {
  status: 500,
  code: 'INTERNAL_SERVER_ERROR',
  message: 'Unexpected error.',
  remedy: "Look in the server's log.",
};

function crossSite(origin: string): HttpRefusal {
  return {
    status: 403,
    code: 'CROSS_SITE_REQUEST',
    message: `A request from ${origin} is not let in.`,
    remedy: 'Start the server with that origin allowed (corsOrigins), if the page is yours.',
  };
}

function rebound(request: IncomingMessage): HttpRefusal {
  return {
    status: 403,
    code: 'UNKNOWN_HOST',
    message: `This server runs open on loopback and does not answer as "${request.headers.host ?? ''}".`,
    remedy: 'Ask for 127.0.0.1 or localhost, or make an API key: headgate keys create.',
  };
}

function tooOften(perMinute: number, retryAfterMs: number): HttpRefusal {
  return {
    status: 429,
    code: 'TOO_MANY_REQUESTS',
    message: `This key may send ${perMinute} requests a minute.`,
    remedy: 'Wait as long as Retry-After says.',
    retryAfterMs,
  };
}
