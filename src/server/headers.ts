// Headers that every answer carries, and those of CORS for the origins that are let in.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** GraphiQL's page is one file with its scripts inside; it starts workers from blobs of its own. */
const GRAPHIQL_POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'";

export function setSecurityHeaders(response: ServerResponse, page: 'graphiql' | 'none'): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Content-Security-Policy', page === 'graphiql' ? GRAPHIQL_POLICY : CLOSED_POLICY);
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
}

/** Lets a page of an allowed origin read the answer. */
export function setCorsHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: ReadonlySet<string>,
): void {
  const { origin } = request.headers;
  if (origin === undefined || !allowed.has(origin.toLowerCase())) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Vary', 'Origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  if (request.method !== 'OPTIONS') return;
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
  response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type, accept, last-event-id');
  response.setHeader('Access-Control-Max-Age', '600');
}
