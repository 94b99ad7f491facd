// The OpenAI SDK's client for one provider: loaded before the first call.
import { createRequire } from 'node:module';
import type * as Module from 'openai';
import { loadedOnce } from '../../../common/loaded.ts';
import { sdkOptions, type SdkSettings } from '../shared/sdk-client.ts';
import type { SdkClients } from '../shared/sdk-request.ts';

type Sdk = typeof Module;

const sdk = loadedOnce<Sdk>(
  () => import('openai'),
  () => createRequire(import.meta.url)('openai') as Sdk,
);

export function clientsOf(settings: SdkSettings): SdkClients {
  return {
    load: () => sdk.load(),
    async createClient(credentials) {
      const { OpenAI: Client } = await sdk.get();
      return new Client({
        organization: null,
        project: null,
        ...settings.sdkOptions,
        // Everything that the SDK would otherwise read from the environment is said here (INV-6).
        adminAPIKey: null,
        webhookSecret: null,
        ...sdkOptions(settings, credentials),
      });
    },
  };
}

/** Azure's own: the deployment stands in the address, the version in the query, the key in `api-key`. */
export function azureClientsOf(settings: SdkSettings): SdkClients {
  const baseUrl = azureBaseUrl(settings.baseUrl);
  return {
    load: () => sdk.load(),
    targetsByModel: true,
    async createClient(credentials) {
      const { AzureOpenAI: Client } = await sdk.get();
      return new Client({
        ...settings.sdkOptions,
        adminAPIKey: null,
        webhookSecret: null,
        ...sdkOptions({ ...settings, baseUrl }, credentials),
      });
    },
  };
}

/** The address of a resource, as the portal shows it, and with the `/openai` that the SDK wants. */
function azureBaseUrl(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null) return baseUrl;
  const bare = baseUrl.replace(/\/+$/, '');
  return /^\/*$/.test(url.pathname) ? `${bare}/openai` : bare;
}
