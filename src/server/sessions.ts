// /session: where the page signs in (POST, with a key) and out (DELETE).
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from './admission.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { setSessionCookie } from './keys/session.ts';
import { isJson, readJsonBody } from './read-body.ts';
import { unauthenticated, WRONG_SESSION_METHOD, WRONG_TYPE } from './refusals.ts';
import { sendRefusal } from './refuse.ts';
import type { HttpRefusal } from './refuse.ts';

export const SESSION_PATH = '/session';
/** `{"key": "hg_…"}` and room for white space. */
const LIMITS = { maxBodyBytes: 1024, maxJsonDepth: 4, maxJsonValues: 16 };

export interface SessionParts {
  readonly keys: KeyRing;
  readonly admission: Admission;
  readonly trustProxy: boolean;
}

/** Answers 204 with the cookie, or a refusal; a key is read from the body alone, never from an address. */
export function createSessions({ keys, admission, trustProxy }: SessionParts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refuse = (refusal: HttpRefusal): void => sendRefusal(response, refusal, request.headers.accept);
    const answer = (token: string): void => {
      response.setHeader('Set-Cookie', setSessionCookie(token, isSecure(request, trustProxy)));
      response.setHeader('Cache-Control', 'no-store');
      response.writeHead(204).end();
    };
    const refusal = admission.place(request);
    if (refusal !== undefined) return refuse(refusal);
    if (request.method === 'DELETE') return answer('');
    if (request.method !== 'POST') return refuse(WRONG_SESSION_METHOD);
    if (!isJson(request.headers['content-type'])) return refuse(WRONG_TYPE);
    const body = await readJsonBody(request, LIMITS).catch(() => undefined);
    const key = typeof body === 'object' && body !== null && 'key' in body ? body.key : undefined;
    const opened = keys.openSession(typeof key === 'string' ? key.trim() : '');
    return 'token' in opened ? answer(opened.token) : refuse(unauthenticated(opened.reason));
  };
}

function isSecure({ socket, headers }: IncomingMessage, trustProxy: boolean): boolean {
  return 'encrypted' in socket || (trustProxy && headers['x-forwarded-proto'] === 'https');
}
