// Claude at Amazon Bedrock and Google Vertex AI, by Anthropic's SDKs for them: they put each request into the host's form, sign it and unpack what comes.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pathToFileURL } from 'node:url';
import { loadedOnce } from '../../../common/loaded.ts';
import type { Pool, WireResponse } from '../shared/http-pool.ts';
import type { Credentials } from '../shared/remote.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { NoCredentials, RefusedByProvider } from '../shared/sdk-request.ts';
import type { RequestBuilder, SdkClients, SignedCall } from '../shared/sdk-request.ts';
import { WireHeaders } from '../shared/wire-headers.ts';

export type Host = 'bedrock' | 'vertex';

/** What is used of both SDKs' clients; neither is a dependency of ours, so that its types are not here. */
interface HostedClient extends RequestBuilder {
  post(
    path: string,
    options: { readonly body: object; readonly stream: boolean; readonly signal: AbortSignal },
  ): { asResponse(): Promise<Response> };
}
type ClientClass = new (options: { readonly [name: string]: unknown }) => HostedClient;

const HOSTS: {
  readonly [host in Host]: {
    readonly sdk: string;
    readonly client: string;
    readonly secrets: readonly string[];
    /** Where nothing proves who calls. */
    readonly remedy: string;
  };
} = {
  bedrock: {
    sdk: '@anthropic-ai/bedrock-sdk',
    client: 'AnthropicBedrock',
    secrets: ['AWS_BEARER_TOKEN_BEDROCK', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
    remedy:
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give the machine a role, or name a key of Bedrock as `apiKey`',
  },
  vertex: {
    sdk: '@anthropic-ai/vertex-sdk',
    client: 'AnthropicVertex',
    secrets: [],
    remedy: 'set GOOGLE_APPLICATION_CREDENTIALS, log the machine in, or name a token as `apiKey`',
  },
};

/** Beside us, or in the folder that the server was started in: `npx` keeps us elsewhere. */
function resolverOf(sdk: string): NodeJS.Require | undefined {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]) {
    const require = createRequire(from);
    try {
      require.resolve(sdk);
      return require;
    } catch {
      // The next may have it.
    }
  }
  return undefined;
}

const sdks = {
  bedrock: loadedOnce(() => loadSdk('bedrock')),
  vertex: loadedOnce(() => loadSdk('vertex')),
};

interface LoadedSdk {
  readonly Client: ClientClass;
  /** Loads one of the SDK's own dependencies. */
  readonly load: NodeJS.Require;
}

async function loadSdk(host: Host): Promise<LoadedSdk> {
  const { sdk, client } = HOSTS[host];
  const require = resolverOf(sdk);
  if (require === undefined) throw new Error(howToInstall(host));
  const path = require.resolve(sdk);
  const module = (await import(pathToFileURL(path).href)) as { readonly [name: string]: unknown };
  const from = (module[client] ?? (module['default'] as typeof module | undefined)?.[client]) as ClientClass;
  return { Client: from, load: createRequire(path) };
}

function howToInstall(host: Host): string {
  return `run \`npm install ${HOSTS[host].sdk}\` where Headgate is started, and start it again`;
}

/** undefined: its SDK is there. Looked up until it is found. */
export function missingSdk(host: Host): string | undefined {
  if (sdks[host].value() !== undefined || installed.has(host)) return undefined;
  if (resolverOf(HOSTS[host].sdk) === undefined) return howToInstall(host);
  installed.add(host);
  return undefined;
}
const installed = new Set<Host>();

/** Secrets that are read where they are set, by the names that everyone has for them. */
export function hostSecrets(host: Host): readonly string[] {
  return HOSTS[host].secrets;
}

/** Where it is reached in a region, as the SDKs have it. */
export function hostAddress(host: Host, region: string): string {
  if (host === 'bedrock') return `https://bedrock-runtime.${region}.amazonaws.com`;
  if (region === 'global') return 'https://aiplatform.googleapis.com/v1';
  return region === 'us' || region === 'eu'
    ? `https://aiplatform.${region}.rep.googleapis.com/v1`
    : `https://${region}-aiplatform.googleapis.com/v1`;
}

interface Sending extends SignedCall {
  readonly pool: Pool;
  answer?: WireResponse;
  failure?: { readonly error: unknown };
}

export function hostedClients(host: Host, settings: SdkSettings): SdkClients {
  const sdk = sdks[host];
  /** The SDK knows one `fetch` for all calls of a client. */
  const sending = new AsyncLocalStorage<Sending>();
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const call = sending.getStore();
    if (call === undefined) throw new Error('asked for outside of a call');
    try {
      return await sendBy(call, url, init);
    } catch (error) {
      call.failure = { error };
      throw error;
    }
  };
  return {
    load: () => sdk.load(),
    async createClient(credentials) {
      const { Client, load } = await sdk.get();
      return new Client({
        baseURL: settings.baseUrl,
        // Without this header a server may choose any coding (RFC 9110, 12.5.3).
        defaultHeaders: { 'Accept-Encoding': 'identity', ...settings.headers, ...credentials.headers },
        ...(host === 'bedrock'
          ? awsOptions(settings, credentials, load)
          : googleOptions(settings, credentials, load)),
        openTelemetry: false,
        maxRetries: 0,
        timeout: LONGEST_TIMEOUT_MS,
        fetch,
      });
    },
    async sendSigned(client, pool, path, body, call) {
      const own: Sending = { ...call, pool };
      const { stream, signal } = call;
      try {
        const response = await untilAborted(
          signal,
          sending.run(own, () => (client as HostedClient).post(path, { body, stream, signal }).asResponse()),
        );
        return unpacked(own.answer, response);
      } catch (error) {
        // The SDK puts its own error around what our pool says.
        if (own.failure !== undefined) throw own.failure.error;
        throw own.answer === undefined && !signal.aborted ? noCredentials(host, error) : error;
      }
    },
  };
}

/** Who looks for credentials on the machine hears of no signal. */
async function untilAborted<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    promise.catch(() => undefined);
  }
}

function noCredentials(host: Host, error: unknown): NoCredentials {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) ({ cause } = cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NoCredentials(`${HOSTS[host].remedy} (${why})`, { cause: error });
}

/** The policies bound a call. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;
const AWS_STREAM = 'application/vnd.amazon.eventstream';

async function sendBy(call: Sending, url: string, init: RequestInit): Promise<Response> {
  const { origin, pathname, search } = new URL(url);
  const headers = [...new Headers(init.headers)].filter(([name]) => name !== 'content-length').flat();
  const text = typeof init.body === 'string' ? init.body : '';
  const answer = await call.pool.post({ origin, path: `${pathname}${search}`, headers }, text, call);
  if (answer.status < 200 || answer.status >= 300)
    throw new RefusedByProvider(answer, await answer.text().catch(() => ''));
  call.answer = answer;
  const isPacked = answer.headers.get('content-type')?.includes(AWS_STREAM) === true;
  // What needs no unpacking is read from our own connection.
  if (!isPacked) return new Response(null, { status: 200 });
  return new Response(Readable.toWeb(answer.body()) as unknown as ConstructorParameters<typeof Response>[0], {
    status: 200,
    headers: { 'content-type': AWS_STREAM },
  });
}

function unpacked(answer: WireResponse | undefined, response: Response): WireResponse {
  if (answer === undefined) throw new Error('the SDK sent nothing');
  const { body } = response;
  if (body === null) return answer;
  return {
    status: answer.status,
    headers: new WireHeaders({
      ...Object.fromEntries(answer.headers.entries()),
      'content-type': 'text/event-stream',
    }),
    text: () => response.text(),
    body: () => Readable.fromWeb(body as unknown as ReadableStream<Uint8Array>),
  };
}

type Options = { readonly [name: string]: unknown };

/** A key of Bedrock's own; else keys that sign; else what the machine has: a profile, a role. Nothing is read from the environment behind our back (INV-6). */
function awsOptions(
  { sdkOptions: { region } }: SdkSettings,
  { key, also = {} }: Credentials,
  load: NodeJS.Require,
): Options {
  const apiKey = key ?? also['AWS_BEARER_TOKEN_BEDROCK'] ?? null;
  const { AWS_ACCESS_KEY_ID: awsAccessKey, AWS_SECRET_ACCESS_KEY: awsSecretKey } = also;
  const signs = awsAccessKey !== undefined && awsSecretKey !== undefined;
  return {
    awsRegion: region,
    apiKey,
    ...(signs ? { awsAccessKey, awsSecretKey, awsSessionToken: also['AWS_SESSION_TOKEN'] ?? null } : {}),
    providerChainResolver: chainOf(load),
  };
}

/** Asked once for as long as what it gives is good: the SDK's own would ask the machine at each call. */
function chainOf(load: NodeJS.Require): () => Promise<unknown> {
  let chain: unknown;
  return () => {
    const { fromNodeProviderChain } = load('@aws-sdk/credential-providers') as {
      fromNodeProviderChain: () => unknown;
    };
    return Promise.resolve((chain ??= fromNodeProviderChain()));
  };
}

/** A token that is written; else what the machine has: `GOOGLE_APPLICATION_CREDENTIALS`, its login, its metadata server. */
function googleOptions(
  { sdkOptions: { region, project } }: SdkSettings,
  { key }: Credentials,
  load: NodeJS.Require,
): Options {
  return {
    region,
    projectId: project ?? null,
    authClient: key === null ? googleLogin(load) : { getRequestHeaders: () => Promise.resolve(bearer(key)) },
  };
}

function bearer(key: string): Headers {
  return new Headers({ authorization: `Bearer ${key}` });
}

/** Looked up at the first call, and again after one that found nothing. */
function googleLogin(load: NodeJS.Require): { getRequestHeaders(): Promise<Headers> } {
  interface Login {
    getClient(): Promise<{ getRequestHeaders(): Promise<Headers> }>;
  }
  let login: Login | undefined;
  return {
    async getRequestHeaders() {
      const { GoogleAuth } = load('google-auth-library') as {
        GoogleAuth: new (options: { scopes: string }) => Login;
      };
      login ??= new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });
      try {
        return await (await login.getClient()).getRequestHeaders();
      } catch (error) {
        login = undefined;
        throw error;
      }
    },
  };
}
