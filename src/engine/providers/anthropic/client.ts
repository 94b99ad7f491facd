// The Anthropic SDK's client for one provider: loaded before the first call.
import { createRequire } from 'node:module';
import type * as Module from '@anthropic-ai/sdk';
import { loadedOnce } from '../../../common/loaded.ts';
import { sdkOptions, type SdkSettings } from '../shared/sdk-client.ts';
import type { SdkClients } from '../shared/sdk-request.ts';

type Sdk = typeof Module;

const sdk = loadedOnce<Sdk>(
  () => import('@anthropic-ai/sdk'),
  () => createRequire(import.meta.url)('@anthropic-ai/sdk') as Sdk,
);

export function clientsOf(settings: SdkSettings): SdkClients {
  return {
    load: () => sdk.load(),
    async createClient(credentials) {
      const { Anthropic: Client } = await sdk.get();
      return new Client({
        ...settings.sdkOptions,
        // Everything that the SDK would otherwise read from the environment or the disk is said here (INV-6).
        webhookKey: null,
        openTelemetry: false,
        ...sdkOptions(settings, credentials),
      });
    },
  };
}
