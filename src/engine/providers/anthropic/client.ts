// The Anthropic SDK's client for one provider: loaded at the first call.
import type { Anthropic } from '@anthropic-ai/sdk';
import { sdkOptions, type SdkSettings } from '../shared/sdk-client.ts';

export async function createClient(settings: SdkSettings, key: string | null): Promise<Anthropic> {
  const { Anthropic: Client } = await import('@anthropic-ai/sdk');
  return new Client({
    ...settings.sdkOptions,
    // Everything that the SDK would otherwise read from the environment or the disk is said here (INV-6).
    webhookKey: null,
    openTelemetry: false,
    ...sdkOptions(settings, key),
  });
}
