// The Anthropic SDK's client for one provider: loaded at the first call, kept as long as the key stays the same.
import type { Anthropic } from '@anthropic-ai/sdk';
import type { JsonObject } from '../../common/json.ts';

export interface AnthropicSettings {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly sdkOptions: JsonObject;
  readonly fetch: typeof fetch;
}

/** The longest delay a timer takes: the SDK's own timeout must never be the first to strike, the attempt's policy is. */
const NEVER_MS = 2_147_483_647;

/** Without a key or token the SDK would look for profiles on disk. */
const NO_KEY = 'none';

export function createClientSource(settings: AnthropicSettings): (key: string | null) => Promise<Anthropic> {
  let client: Anthropic | undefined;
  let clientKey: string | null | undefined;
  return async (key) => {
    if (client !== undefined && key === clientKey) return client;
    const { Anthropic: Client } = await import('@anthropic-ai/sdk');
    client = new Client({
      ...settings.sdkOptions,
      // Everything that the SDK would otherwise read from the environment or the disk is said here (INV-6).
      apiKey: key ?? NO_KEY,
      webhookKey: null,
      baseURL: settings.baseUrl,
      fetch: settings.fetch,
      maxRetries: 0,
      timeout: NEVER_MS,
      openTelemetry: false,
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
