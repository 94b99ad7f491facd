// What the clients of both SDKs have in common: settings, options, and that one is kept as long as the key stays the same. They put requests
// together; sending is ours (see sdk-request.ts).
import type { JsonObject } from '../../common/json.ts';

export interface SdkSettings {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly sdkOptions: JsonObject;
}

/** The SDKs insist on a key even where none is sent, or look for profiles on disk. */
const NO_KEY = 'none';

/** Options by the names that both SDKs have for them. */
export function sdkOptions(settings: SdkSettings, key: string | null) {
  return {
    apiKey: key ?? NO_KEY,
    baseURL: settings.baseUrl,
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
