// The session that a call says it belongs to: of a coding agent and its sub-agents, of an app's conversation. A claim, and nothing more.
import type { IncomingHttpHeaders } from 'node:http';
import { sha256Hex } from '../../common/json.ts';

/** In this order: what a client says on purpose comes before what happens to tell conversations apart. */
const HEADERS = ['x-claude-code-session-id', 'session-id', 'session_id', 'x-session-id'] as const;

const MOST_CHARACTERS = 128;

/** Of letters, digits and `._:@-`; undefined: it says nothing. */
export function sessionOf(
  headers: IncomingHttpHeaders,
  body: { readonly [name: string]: unknown },
): string | undefined {
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value.trim() !== '') return clean(value);
  }
  const { prompt_cache_key: cacheKey, metadata } = body;
  if (typeof cacheKey === 'string' && cacheKey.trim() !== '') return clean(cacheKey);
  const user = (metadata as { readonly user_id?: unknown } | null | undefined)?.user_id;
  return typeof user === 'string' && user.trim() !== '' ? clean(sessionIn(user)) : undefined;
}

/** Claude Code sends a user, an account and a session in one: as JSON, or joined by underscores. */
function sessionIn(user: string): string {
  const joined = /_session_([\w-]+)$/.exec(user)?.[1];
  if (joined !== undefined) return joined;
  try {
    const { session_id: session } = JSON.parse(user) as { readonly session_id?: unknown };
    return typeof session === 'string' && session !== '' ? session : user;
  } catch {
    return user;
  }
}

/** What is too long to be shown is told apart all the same. */
function clean(text: string): string {
  const session = text.trim().replaceAll(/[^A-Za-z0-9._:@-]/g, '_');
  return session.length <= MOST_CHARACTERS ? session : sha256Hex(text);
}
