// What the clients of both SDKs have in common: settings and options. They put requests together; sending is ours (see sdk-request.ts).
import type { JsonObject } from '../../../common/json.ts';
import type { Credentials } from './remote.ts';

export interface SdkSettings {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly sdkOptions: JsonObject;
}

/** The SDKs insist on a key even where none is sent, or look for profiles on disk. */
const NO_KEY = 'none';

/** Options by the names that both SDKs have for them. */
export function sdkOptions(settings: SdkSettings, { key, headers }: Credentials) {
  return {
    apiKey: key ?? NO_KEY,
    baseURL: settings.baseUrl,
    defaultHeaders: {
      ...(key === null ? { Authorization: null, 'X-Api-Key': null, 'api-key': null } : {}),
      // Without this header a server may choose any coding (RFC 9110, 12.5.3), and unpacking costs more than it saves.
      'Accept-Encoding': 'identity',
      ...settings.headers,
      ...headers,
    },
  };
}
