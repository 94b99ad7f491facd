// A request as an SDK puts it together, sent by our own pool: the SDK's own sending is made for its retries, timers and logs, which are ours here.
import type { Pool, WireResponse, WireTarget } from './http-pool.ts';
import type { Credentials } from './remote.ts';

/** What both SDKs' clients have for it. */
export interface RequestBuilder {
  buildRequest(
    options: {
      readonly method: 'post';
      readonly path: string;
      readonly body: object;
      readonly stream: boolean;
    },
    more: { readonly retryCount: number },
  ): Promise<{ readonly url: string; readonly req: { readonly headers: Headers } }>;
}

/** A vendor's SDK, which puts requests together. */
export interface SdkClients {
  /** undefined: it is loaded. */
  load(): Promise<void> | undefined;
  createClient(credentials: Credentials): Promise<RequestBuilder>;
  /** The address depends on the model too; left out: it does not. */
  readonly targetsByModel?: true;
}

/** An answer that refuses, in the form of the SDKs' errors: `error` is its body, as JSON where it is JSON. */
export class RefusedByProvider extends Error {
  override readonly name = 'RefusedByProvider';
  readonly status: number;
  readonly headers: WireResponse['headers'];
  readonly error: unknown;

  constructor({ status, headers }: WireResponse, body: string) {
    super(`${status} ${body === '' ? 'no reason given' : body}`);
    this.status = status;
    this.headers = headers;
    this.error = jsonOr(body);
  }
}

export interface SdkRequests {
  /** Gives the raw answer as soon as its headers are there; rejects with RefusedByProvider for any status but 2xx. */
  send(
    path: string,
    body: object,
    call: {
      readonly stream: boolean;
      readonly credentials: Credentials;
      readonly signal: AbortSignal;
      readonly beforeSend: () => Promise<void>;
    },
  ): Promise<WireResponse>;
  /** Loads the SDK and the HTTP client; undefined: they are there. */
  load(): Promise<void> | undefined;
}

/** What tells one set of credentials from another. */
export function credentialsText({ key, headers }: Credentials): string {
  const named = Object.entries(headers).flat();
  return named.length === 0 ? (key ?? '') : [key ?? '', ...named].join('\n');
}

export function createSdkRequests(pool: Pool, sdk: SdkClients): SdkRequests {
  /** By the credentials: made at the first call with them. The keys of a pool take turns; one that was replaced is forgotten with the rest. */
  const clients = new Map<string, Kept>();
  return {
    load() {
      const loading = [sdk.load(), pool.load()].filter((each) => each !== undefined);
      return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
    },
    async send(path, body, { stream, credentials, signal, beforeSend }) {
      const of = credentialsText(credentials);
      let kept = clients.get(of);
      if (kept === undefined) {
        kept = { client: await sdk.createClient(credentials), targets: new Map() };
        if (clients.size >= MAX_CLIENTS) clients.clear();
        clients.set(of, kept);
      }
      const { client, targets } = kept;
      const kind = `${stream ? 'stream ' : ''}${path}${sdk.targetsByModel ? ` ${modelIn(body)}` : ''}`;
      let target = targets.get(kind);
      if (target === undefined) targets.set(kind, (target = await build(client, path, body, stream)));
      const response = await pool.post(target, JSON.stringify(body), { stream, signal, beforeSend });
      if (response.status >= 200 && response.status < 300) return response;
      throw new RefusedByProvider(response, await response.text().catch(() => ''));
    },
  };
}

/** More keys than a pool has. */
const MAX_CLIENTS = 64;

interface Kept {
  readonly client: RequestBuilder;
  /** By the kind of request: an address and headers depend on nothing else. */
  readonly targets: Map<string, WireTarget>;
}

function modelIn(body: object): string {
  return 'model' in body && typeof body.model === 'string' ? body.model : '';
}

async function build(
  client: RequestBuilder,
  path: string,
  body: object,
  stream: boolean,
): Promise<WireTarget> {
  const { url, req } = await client.buildRequest({ method: 'post', path, body, stream }, { retryCount: 0 });
  const { origin, pathname, search } = new URL(url);
  return { origin, path: `${pathname}${search}`, headers: [...req.headers].flat() };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
