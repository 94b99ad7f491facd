// The protocols that clients speak at `/v1`: which path is whose, and how each of them words a refusal.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { sendBody } from './send.ts';

/** Whose words a client understands. */
export type Dialect = 'openai' | 'anthropic';

export interface DoorRefusal {
  readonly status: number;
  /** `budget_exceeded`: what a program reads. */
  readonly code: string;
  /** What a person reads: clients show it as it is, as a part of raw JSON. */
  readonly message: string;
  readonly headers?: { readonly [name: string]: string };
  /** The same request may well succeed in a moment. Left out: a client that tried again would be told the same. */
  readonly mayRetry?: true;
}

/** Messages have a protocol of their own; the list of models is asked for by clients of both, and Anthropic's say which version they speak. */
export function dialectOf(path: string, headers: IncomingHttpHeaders): Dialect {
  if (path === '/v1/messages' || path.startsWith('/v1/messages/')) return 'anthropic';
  const isModels = path === '/v1/models' || path.startsWith('/v1/models/');
  return isModels && headers['anthropic-version'] !== undefined ? 'anthropic' : 'openai';
}

const OPENAI_TYPES: { readonly [status: number]: string } = {
  402: 'billing_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
};
const ANTHROPIC_TYPES: { readonly [status: number]: string } = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'api_error',
};
/** Told as 400 where a client would go on with 402: what it is stays in the type. */
const BILLING = new Set(['budget_exceeded', 'spending_paused']);

/** The body of a refusal, as an object. */
export function refusalBody(dialect: Dialect, { status, code, message }: DoorRefusal): object {
  const types = dialect === 'openai' ? OPENAI_TYPES : ANTHROPIC_TYPES;
  const type = BILLING.has(code) ? 'billing_error' : (types[status] ?? 'invalid_request_error');
  // Clients print what they got: a quotation mark in it would come out with a backslash.
  const text = message.replaceAll('"', "'");
  return dialect === 'openai'
    ? { error: { message: text, type, param: null, code } }
    : { type: 'error', error: { type, message: text, code } };
}

export function sendDoorRefusal(response: ServerResponse, dialect: Dialect, refusal: DoorRefusal): void {
  // Without this word the SDKs ask again by themselves, and their users wait for nothing.
  if (refusal.mayRetry === undefined) response.setHeader('x-should-retry', 'false');
  for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value);
  sendBody(response, refusal.status, refusalBody(dialect, refusal));
}
