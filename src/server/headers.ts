// Headers that every answer carries, with those of CORS for the origins that are let in.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** GraphiQL's page is one file with its scripts inside; it starts workers from blobs of its own. */
const GRAPHIQL_POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'";

const ALWAYS = ['X-Content-Type-Options', 'nosniff', 'Referrer-Policy', 'no-referrer'] as const;
const OWN_ORIGIN = ['Cross-Origin-Resource-Policy', 'same-origin'] as const;

/** Name, value, name, value …: as `writeHead` takes them without another copy. */
export type HeaderList = readonly string[];

/** Of an answer that is no page, for this server's own pages and for programs. */
export const CLOSED: HeaderList = [...ALWAYS, 'Content-Security-Policy', CLOSED_POLICY, ...OWN_ORIGIN];
export const GRAPHIQL: HeaderList = [...ALWAYS, 'Content-Security-Policy', GRAPHIQL_POLICY, ...OWN_ORIGIN];

/** Of an answer that is no page; a page of an allowed origin may read it. */
export function closedHeaders(
  { headers: { origin } }: IncomingMessage,
  allowed: ReadonlySet<string>,
): HeaderList {
  if (origin === undefined || !allowed.has(origin.toLowerCase())) return CLOSED;
  return [
    ...ALWAYS,
    'Content-Security-Policy',
    CLOSED_POLICY,
    'Cross-Origin-Resource-Policy',
    'cross-origin',
    'Access-Control-Allow-Origin',
    origin,
    'Vary',
    'Origin',
  ];
}

/** What a page of an allowed origin asks for before it sends a request. */
export const PREFLIGHT: HeaderList = [
  'Access-Control-Allow-Methods',
  'GET, POST',
  'Access-Control-Allow-Headers',
  'authorization, content-type, accept, last-event-id',
  'Access-Control-Max-Age',
  '600',
];

export function setHeaders(response: ServerResponse, headers: HeaderList): void {
  for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
}
