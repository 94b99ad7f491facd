// Sessions of the page: a key traded for a cookie that a browser keeps and no script can read.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const COOKIE = 'headgate_session';
const SESSION_MS = 7 * 24 * 3600 * 1000;

/** What a session's token says, once it is known to be true. */
export interface SessionClaim {
  readonly keyId: string;
  readonly expiresAtMs: number;
  readonly seal: Buffer;
}

/**
 * `keyId.expiry.seal`: sealed with the hash of the key, which the ledger keeps anyway. So nothing more is stored, a session outlives a
 * restart and is known on every server of the ledger, and it dies with its key.
 */
export function sessionToken(keyId: string, keyHash: Buffer, nowMs: number): string {
  const expiresAtMs = nowMs + SESSION_MS;
  return `${keyId}.${expiresAtMs}.${sealOf(keyId, expiresAtMs, keyHash).toString('base64url')}`;
}

export function readSessionToken(token: string): SessionClaim | undefined {
  const match = /^([\w-]{1,64})\.(\d{1,16})\.([\w-]{43})$/.exec(token);
  if (match === null) return undefined;
  const [, keyId = '', expiry, seal = ''] = match;
  return { keyId, expiresAtMs: Number(expiry), seal: Buffer.from(seal, 'base64url') };
}

export function isSealed({ keyId, expiresAtMs, seal }: SessionClaim, keyHash: Buffer): boolean {
  return timingSafeEqual(sealOf(keyId, expiresAtMs, keyHash), seal);
}

function sealOf(keyId: string, expiresAtMs: number, keyHash: Buffer): Buffer {
  return createHmac('sha256', keyHash).update(`headgate session\n${keyId}\n${expiresAtMs}`).digest();
}

/** The session's token among a request's cookies. */
export function sessionCookie({ headers: { cookie } }: IncomingMessage): string | undefined {
  if (cookie === undefined || !cookie.includes(COOKIE)) return undefined;
  return cookie
    .split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === COOKIE)?.[1];
}

/** The header that gives a browser the session, or with an empty token takes it away. */
export function setSessionCookie(token: string, secure: boolean): string {
  const maxAge = token === '' ? 0 : SESSION_MS / 1000;
  return `${COOKIE}=${token}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
