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
  /** The SDK signs each request and unpacks each answer, and sends by our pool; left out: a request is built once for all of its kind. */
  sendSigned?(
    client: RequestBuilder,
    pool: Pool,
    path: string,
    body: object,
    call: SignedCall,
  ): Promise<WireResponse>;
}

/** What proves who calls could not be had, so that nothing was sent. */
export class NoCredentials extends Error {
  override readonly name = 'NoCredentials';
}

export interface SignedCall {
  readonly stream: boolean;
  readonly signal: AbortSignal;
  readonly beforeSend: () => Promise<void>;
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

/** Where requests of a kind go, as the SDK would send them. */
export interface SdkTarget extends WireTarget {
  /** Of the headers those that the provider was given: its key, and what the workflows say. */
  readonly own: readonly (readonly [name: string, value: string])[];
}

interface Sent {
  readonly stream: boolean;
  readonly credentials: Credentials;
}

export interface SdkRequests {
  /** Of the body no more than the model counts. Made at the first request of a kind, else no promise. */
  target(path: string, body: object, sent: Sent): SdkTarget | Promise<SdkTarget>;
  /** Gives the raw answer as soon as its headers are there; rejects with RefusedByProvider for any status but 2xx. */
  send(
    path: string,
    body: object,
    call: Sent & { readonly signal: AbortSignal; readonly beforeSend: () => Promise<void> },
  ): Promise<WireResponse>;
  /** Loads the SDK and the HTTP client; undefined: they are there. */
  load(): Promise<void> | undefined;
}

/** What tells one set of credentials from another. */
export function credentialsText({ key, headers, also = {} }: Credentials): string {
  const named = [...Object.entries(headers), ...Object.entries(also)].flat();
  return named.length === 0 ? (key ?? '') : [key ?? '', ...named].join('\n');
}

export function createSdkRequests(pool: Pool, sdk: SdkClients): SdkRequests {
  /** By the credentials: made at the first call with them. The keys of a pool take turns; one that was replaced is forgotten with the rest. */
  const clients = new Map<string, Kept>();

  const keep = async (of: string, credentials: Credentials): Promise<Kept> => {
    const kept: Kept = { client: await sdk.createClient(credentials), targets: new Map() };
    if (clients.size >= MAX_CLIENTS) clients.clear();
    clients.set(of, kept);
    return kept;
  };

  const target: SdkRequests['target'] = (path, body, { stream, credentials }) => {
    const of = credentialsText(credentials);
    const kind = `${stream ? 'stream ' : ''}${path}${sdk.targetsByModel ? ` ${modelIn(body)}` : ''}`;
    const kept = clients.get(of);
    const known = kept?.targets.get(kind);
    if (known !== undefined) return known;
    return (async () => {
      const { client, targets } = kept ?? (await keep(of, credentials));
      const made = await build(client, path, body, stream);
      targets.set(kind, made);
      return made;
    })();
  };

  return {
    target,
    load() {
      const loading = [sdk.load(), pool.load()].filter((each) => each !== undefined);
      return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
    },
    async send(path, body, { stream, credentials, signal, beforeSend }) {
      if (sdk.sendSigned !== undefined) {
        const of = credentialsText(credentials);
        const { client } = clients.get(of) ?? (await keep(of, credentials));
        return sdk.sendSigned(client, pool, path, body, { stream, signal, beforeSend });
      }
      const made = target(path, body, { stream, credentials });
      const to = made instanceof Promise ? await made : made;
      const response = await pool.post(to, JSON.stringify(body), { signal, beforeSend });
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
  readonly targets: Map<string, SdkTarget>;
}

function modelIn(body: object): string {
  return 'model' in body && typeof body.model === 'string' ? body.model : '';
}

async function build(
  client: RequestBuilder,
  path: string,
  body: object,
  stream: boolean,
): Promise<SdkTarget> {
  const { url, req } = await client.buildRequest({ method: 'post', path, body, stream }, { retryCount: 0 });
  const { origin, pathname, search } = new URL(url);
  const headers = [...req.headers];
  return {
    origin,
    path: `${pathname}${search}`,
    headers: headers.flat(),
    own: headers.filter(([name]) => !OF_THE_SDK.test(name)),
  };
}

/** What the SDK says of itself, of the body and of the connection. */
const OF_THE_SDK = /^(?:accept|accept-encoding|content-type|content-length|user-agent|host|x-stainless-.*)$/;

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
