// What the clients of both SDKs have in common: settings and options. They put requests together; sending is ours (see sdk-request.ts).
import type { JsonObject } from '../../../common/json.ts';

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
