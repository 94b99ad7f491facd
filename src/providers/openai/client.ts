// The OpenAI SDK's client for one provider: loaded at the first call, kept as long as the key stays the same.
import type { OpenAI } from 'openai';
import type { JsonObject } from '../../common/json.ts';

export interface OpenAiSettings {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly sdkOptions: JsonObject;
  readonly fetch: typeof fetch;
}

/** The longest delay a timer takes: the SDK's own timeout must never be the first to strike, the attempt's policy is. */
const NEVER_MS = 2_147_483_647;

/** The SDK insists on a key even where none is sent. */
const NO_KEY = 'none';

export function createClientSource(settings: OpenAiSettings): (key: string | null) => Promise<OpenAI> {
  let client: OpenAI | undefined;
  let clientKey: string | null | undefined;
  return async (key) => {
    if (client !== undefined && key === clientKey) return client;
    const { OpenAI: Client } = await import('openai');
    client = new (withFixedHeaders(Client))({
      organization: null,
      project: null,
      ...settings.sdkOptions,
      // Everything that the SDK would otherwise read from the environment is said here (INV-6).
      adminAPIKey: null,
      webhookSecret: null,
      apiKey: key ?? NO_KEY,
      baseURL: settings.baseUrl,
      fetch: settings.fetch,
      maxRetries: 0,
      timeout: NEVER_MS,
      // Its debug log would print headers and bodies.
      logLevel: 'off',
      defaultHeaders: {
        ...(key === null ? { Authorization: null } : {}),
        // Nothing here unpacks: without this header a server may choose any coding (RFC 9110, 12.5.3).
        'Accept-Encoding': 'identity',
        ...settings.headers,
      },
    });
    clientKey = key;
    return client;
  };
}

type BuiltRequest = Awaited<ReturnType<OpenAI['buildRequest']>>;

/**
 * The SDK's class, building the address and the headers of a kind of request once: they depend on nothing but the client, which is made anew
 * for another key, and merging them from five sources costs a quarter of a call.
 */
function withFixedHeaders(Client: typeof OpenAI): typeof OpenAI {
  return class extends Client {
    readonly #built = new Map<string, BuiltRequest>();

    override async buildRequest(
      ...[options, context]: Parameters<OpenAI['buildRequest']>
    ): Promise<BuiltRequest> {
      const kind = `${options.method} ${options.path} ${String(options.stream === true)}`;
      const built = this.#built.get(kind);
      if (built === undefined) {
        const first = await super.buildRequest(options, context);
        this.#built.set(kind, first);
        return first;
      }
      const { method, headers } = built.req;
      const req = { method, headers, body: JSON.stringify(options.body), ...options.fetchOptions };
      // The headers are those that the SDK has finalized; the body is built as it builds it.
      return { url: built.url, timeout: built.timeout, req: req as BuiltRequest['req'] };
    }
  };
}
