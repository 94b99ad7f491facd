// The refusals before GraphQL: each with a stable code, what happened, and what to do about it.
import { HeadgateError } from '../errors/headgate-error.ts';
import type { HttpRefusal } from './refuse.ts';

const UNAUTHENTICATED = {
  missing: 'This server asks for an API key.',
  malformed: 'This is no key of this server: those look like "Bearer hg_…".',
  unknown: 'This API key is not known here.',
  revoked: 'This API key was revoked.',
  expired: 'This API key has expired.',
} as const;

export function unauthenticated(reason: keyof typeof UNAUTHENTICATED): HttpRefusal {
  return {
    status: 401,
    code: 'UNAUTHENTICATED',
    message: UNAUTHENTICATED[reason],
    remedy: 'Send "Authorization: Bearer hg_…" with a key from: headgate keys create.',
    headers: { 'WWW-Authenticate': 'Bearer realm="headgate"' },
  };
}

export function forbidden(scope: string): HttpRefusal {
  return {
    status: 403,
    code: 'UNAUTHORIZED',
    message: `This needs the scope "${scope}".`,
    remedy: `Use a key that has it: headgate keys create --scope ${scope}.`,
  };
}

export function crossSite(origin: string): HttpRefusal {
  return {
    status: 403,
    code: 'CROSS_SITE_REQUEST',
    message: `A request from ${origin} is not let in.`,
    remedy: 'Start the server with that origin allowed (corsOrigins), if the page is yours.',
  };
}

export function unknownHost(host: string): HttpRefusal {
  return {
    status: 403,
    code: 'UNKNOWN_HOST',
    message: `This server runs open on loopback and does not answer as "${host}".`,
    remedy: 'Ask for 127.0.0.1 or localhost, or make an API key: headgate keys create.',
  };
}

export function tooOften(perMinute: number, retryAfterMs: number): HttpRefusal {
  return {
    status: 429,
    code: 'TOO_MANY_REQUESTS',
    message: `This key may send ${perMinute} requests a minute.`,
    remedy: 'Wait as long as Retry-After says.',
    retryAfterMs,
  };
}

export const WRONG_TYPE: HttpRefusal = {
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  message: 'The body has to be JSON, and be said to be.',
  remedy: 'Send "Content-Type: application/json".',
};

export const NOT_ACCEPTABLE: HttpRefusal = {
  status: 406,
  code: 'NOT_ACCEPTABLE',
  message: 'Nothing that this request accepts is given here.',
  remedy:
    'Send "Accept: application/graphql-response+json" or "application/json"; for a subscription "text/event-stream", or connect with the WebSocket protocol graphql-transport-ws.',
};

export const NOT_FOUND: HttpRefusal = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'There is nothing here.',
  remedy: 'The API is at /graphql; /health/live, /health/ready and /metrics are beside it.',
};

export const WRONG_METHOD: HttpRefusal = {
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  message: 'This is read with GET.',
  remedy: 'Send a GET.',
  headers: { Allow: 'GET, HEAD' },
};

export const WRONG_SESSION_METHOD: HttpRefusal = {
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  message: 'A session is opened with POST and ended with DELETE.',
  remedy: 'Send a POST of {"key": "hg_…"}.',
  headers: { Allow: 'POST, DELETE' },
};

export const FAILED: HttpRefusal = {
  status: 500,
  code: 'INTERNAL_SERVER_ERROR',
  message: 'Unexpected error.',
  remedy: "Look in the server's log.",
};

export function refuseOpen(host: string): HeadgateError {
  return new HeadgateError(
    'OPEN_SERVER_REFUSED',
    `Refusing to listen on ${host} while no API key exists: anyone who reaches it could spend.`,
    'Make one first: headgate keys create --caller NAME --scope admin; or listen on 127.0.0.1.',
  );
}

export function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): HeadgateError {
  const [code, message, remedy] = whyNot(error, host, port);
  return new HeadgateError(code, message, remedy, { cause: error });
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): readonly [string, string, string] {
  switch (error.code) {
    case 'EADDRINUSE':
      return [
        'PORT_IN_USE',
        `Port ${port} on ${host} is in use.`,
        `Stop what uses it, or choose another: --port ${port + 1}.`,
      ];
    case 'EACCES':
      return [
        'PORT_NOT_ALLOWED',
        `Port ${port} may not be opened by this user.`,
        'Choose one above 1023: --port 4000.',
      ];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [
        'NO_SUCH_ADDRESS',
        `${host} is not an address of this machine.`,
        'Listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses.',
      ];
    default:
      return [
        'CANNOT_LISTEN',
        `Cannot listen on ${host}:${port}: ${error.message}.`,
        'Choose another --host or --port.',
      ];
  }
}
