// Which proxy a server is reached through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case, as curl and Go read them.
import { BlockList, isIP } from 'node:net';

export interface ProxySettings {
  /** For `http:` addresses; null: none. */
  readonly http: string | null;
  readonly https: string | null;
  /** Hosts that are called directly. */
  readonly except: readonly string[];
}

/** The lower case wins, as it does for curl. An empty variable means none. */
export function proxySettings(env: { readonly [name: string]: string | undefined }): ProxySettings {
  const read = (name: string): string | null => (env[name.toLowerCase()] ?? env[name])?.trim() || null;
  const list = read('NO_PROXY') ?? '';
  return {
    http: withScheme(read('HTTP_PROXY')),
    https: withScheme(read('HTTPS_PROXY')),
    except: list.split(/[\s,]+/).filter((entry) => entry !== ''),
  };
}

/** `proxy.corp:3128` is a proxy that is spoken to over HTTP. */
function withScheme(proxy: string | null): string | null {
  return proxy === null || /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/**
 * The proxy's address, or null where the server is called directly: because no proxy is set for its scheme, NO_PROXY lists it, or it is this machine
 * (`localhost`, 127.0.0.0/8, ::1), which no proxy could reach.
 */
export function proxyFor(baseUrl: string, { http, https, except }: ProxySettings): string | null {
  const url = URL.parse(baseUrl);
  const proxy = url?.protocol === 'https:' ? https : http;
  if (url === null || proxy === null) return null;
  const host = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)) return null;
  return except.some((entry) => covers(entry.toLowerCase(), host, port)) ? null : proxy;
}

function isLoopback(host: string): boolean {
  return (isIP(host) === 4 && host.startsWith('127.')) || host === '::1';
}

/** `*`, `corp.example` and `.corp.example` with all below them, `10.0.0.0/8`, each also with `:port`. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const range = /^\[?([0-9a-f:.]+)\]?\/(\d{1,3})$/.exec(entry);
  if (range !== null) return inRange(host, range[1] ?? '', Number(range[2]));
  const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
  const isPlainIpv6 = isIP(entry) === 6;
  const name = (isPlainIpv6 || withPort === null ? entry : (withPort[1] ?? ''))
    .replace(/^\[|\]$/g, '')
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  if (!isPlainIpv6 && withPort !== null && withPort[2] !== port) return false;
  return name !== '' && (host === name || (isIP(host) === 0 && host.endsWith(`.${name}`)));
}

function inRange(host: string, network: string, prefix: number): boolean {
  const [family, kind] = [isIP(host), isIP(network)];
  if (family === 0 || family !== kind || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
