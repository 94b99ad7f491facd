// What the clients of both SDKs have in common: settings, options, and that one is kept as long as the key stays the same.
import type { JsonObject } from '../../common/json.ts';

export interface SdkSettings {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly sdkOptions: JsonObject;
  readonly fetch: typeof fetch;
}

/** The longest delay a timer takes: the SDK's own timeout must never be the first to strike, the attempt's policy is. */
const NEVER_MS = 2_147_483_647;

/** The SDKs insist on a key even where none is sent, or look for profiles on disk. */
const NO_KEY = 'none';

/** Options by the names that both SDKs have for them. */
export function sdkOptions(settings: SdkSettings, key: string | null) {
  return {
    apiKey: key ?? NO_KEY,
    baseURL: settings.baseUrl,
    fetch: settings.fetch,
    maxRetries: 0,
    timeout: NEVER_MS,
    // Its debug log would print headers and bodies.
    logLevel: 'off' as const,
    defaultHeaders: {
      ...(key === null ? { Authorization: null } : {}),
      // Nothing here unpacks: without this header a server may choose any coding (RFC 9110, 12.5.3).
      'Accept-Encoding': 'identity',
      ...settings.headers,
    },
  };
}

/** Makes a client at the first call, and another when the key has changed. */
export function keptPerKey<Client>(
  make: (key: string | null) => Promise<Client>,
): (key: string | null) => Promise<Client> {
  let kept: { readonly client: Client; readonly key: string | null } | undefined;
  return async (key) => {
    if (kept === undefined || kept.key !== key) kept = { client: await make(key), key };
    return kept.client;
  };
}
