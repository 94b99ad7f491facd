// Refusals before GraphQL: an answer in GraphQL's own form, with a stable code and a remedy.
import type { ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';

export interface HttpRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryAfterMs?: number;
  readonly headers?: { readonly [name: string]: string };
}

/** The same, for an operation on a connection that stays open. */
export function refusalError({ code, message, remedy, retryAfterMs }: HttpRefusal): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, remedy, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

export function sendRefusal(
  response: ServerResponse,
  refusal: HttpRefusal,
  accept: string | undefined,
): void {
  const { status, code, message, remedy, retryAfterMs, headers } = refusal;
  const body = JSON.stringify({
    errors: [
      { message, extensions: { code, remedy, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } },
    ],
  });
  const type =
    accept?.includes('application/graphql-response+json') === true
      ? 'application/graphql-response+json'
      : 'application/json';
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
    ...headers,
  });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
