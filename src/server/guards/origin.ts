// Origin: requests that a web page of someone else makes a visitor's browser send are refused (CSRF, WebSocket hijacking, DNS rebinding).
import type { IncomingMessage } from 'node:http';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host) || host.startsWith('127.') || host === '::ffff:127.0.0.1';
}

/** `localhost:4000` → `localhost`; `[::1]:4000` → `[::1]`. */
function hostName(header: string): string {
  const match = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(header.trim().toLowerCase());
  return match?.[1] ?? '';
}

/**
 * While the server runs open on loopback, a page that has pointed its own name at 127.0.0.1 must not get through:
 * its requests carry that name as their Host.
 */
export function isOwnHost(request: IncomingMessage, allowedHosts: ReadonlySet<string>): boolean {
  const name = hostName(request.headers.host ?? '');
  return LOOPBACK_NAMES.has(name) || /^127(\.\d{1,3}){3}$/.test(name) || allowedHosts.has(name);
}

export interface OriginRules {
  /** Lower-case origins that are let in: `https://dash.example.com`. */
  readonly allowed: ReadonlySet<string>;
  readonly trustProxy: boolean;
}

/** The origin of the page that sent it, when that is neither this server nor an allowed one; undefined: it may pass. */
export function foreignOrigin(request: IncomingMessage, rules: OriginRules): string | undefined {
  const { origin } = request.headers;
  if (origin !== undefined) {
    const from = origin.toLowerCase();
    return rules.allowed.has(from) || isSameHost(from, request, rules) ? undefined : origin;
  }
  // A simple GET of another site's page carries no Origin, but every current browser says where it comes from.
  const site = request.headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site' ? `a ${site} page` : undefined;
}

function isSameHost(origin: string, request: IncomingMessage, { trustProxy }: OriginRules): boolean {
  const forwarded = trustProxy ? request.headers['x-forwarded-host'] : undefined;
  const host = (typeof forwarded === 'string' ? forwarded : request.headers.host)?.toLowerCase();
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

const SIMPLE_TYPES = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);

/** Could a page send this without the browser asking first? Only types that need a preflight are read. */
export function isSimpleContentType(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  const type = contentType.split(/[;,]/)[0]?.trim().toLowerCase() ?? '';
  return SIMPLE_TYPES.has(type);
}
