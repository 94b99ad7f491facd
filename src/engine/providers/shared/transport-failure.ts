// What a failed connection means: from the error codes of Node and undici, wherever an SDK has wrapped them.
import type { FailureClass } from './classify.ts';
import { Undecodable } from './decoded.ts';
import { KeptConnectionBroke } from './http-pool.ts';

/** The connection was never there: nothing was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'EAI_AGAIN',
  // This machine is out of file descriptors.
  'EMFILE',
  'ENFILE',
]);
/** And will not be there in a second either: a wrong name or a certificate. */
const WRONG_ADDRESS =
  /^(?:ENOTFOUND|CERT_|ERR_TLS|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO|ERR_SSL|ERR_INVALID_URL|UND_ERR_INVALID_ARG)/;

export interface TransportFailure extends FailureClass {
  /** The code and the words of the innermost cause. */
  readonly message: string;
  readonly keptConnection?: true;
}

/** The innermost cause tells; the SDKs' own wrappers say only "Connection error". */
export function classifyTransport(error: unknown): TransportFailure {
  const cause = innermost(error);
  const code = codeOf(cause);
  const message = describe(cause, code);
  if (cause instanceof Undecodable)
    return { class: 'malformed_stream', advice: 'elsewhere', billed: 'maybe', message };
  const refusedByProxy = /^Proxy response \((\d+)\)/.exec(message)?.[1];
  if (refusedByProxy !== undefined) {
    const told = `the proxy answered ${refusedByProxy} in place of a tunnel`;
    return { class: 'connection', advice: 'elsewhere', billed: 'no', message: told };
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return { class: 'malformed_stream', advice: 'elsewhere', billed: 'maybe', message };
  if (WRONG_ADDRESS.test(code)) return { class: 'connection', advice: 'elsewhere', billed: 'no', message };
  if (NEVER_SENT.has(code)) return { class: 'connection', advice: 'retry', billed: 'no', message };
  // Neither Node nor undici fails without a code: this comes from elsewhere (an option that an SDK refuses, a header that is none).
  if (code === '') return { class: 'unknown', advice: 'elsewhere', billed: 'maybe', message };
  const broken = { class: 'connection', advice: 'retry', billed: 'maybe', message } as const;
  return error instanceof KeptConnectionBroke ? { ...broken, keptConnection: true } : broken;
}

function innermost(error: unknown): unknown {
  let current = error;
  // Bounded: a cause may be made to point at itself.
  for (let depth = 0; depth < 8; depth += 1) {
    if (!(current instanceof Error)) return current;
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else if (current.cause !== undefined) current = current.cause;
    else return current;
  }
  return current;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function describe(error: unknown, code: string): string {
  const words = error instanceof Error ? error.message : String(error);
  return code === '' || words.includes(code) ? words : `${words} (${code})`;
}
