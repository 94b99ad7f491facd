// The OpenAI SDK's client for one provider: loaded at the first call.
import type { OpenAI } from 'openai';
import { sdkOptions, type SdkSettings } from '../shared/sdk-client.ts';

export async function createClient(settings: SdkSettings, key: string | null): Promise<OpenAI> {
  const { OpenAI: Client } = await import('openai');
  return new Client({
    organization: null,
    project: null,
    ...settings.sdkOptions,
    // Everything that the SDK would otherwise read from the environment is said here (INV-6).
    adminAPIKey: null,
    webhookSecret: null,
    ...sdkOptions(settings, key),
  });
}
