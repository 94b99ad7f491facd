// The `anthropic` adapter: the Messages API, of Anthropic and of servers that speak it.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { Protocol } from '../shared/remote.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { createClient } from './client.ts';
import { messageBody, messageReader } from './messages.ts';
import { structuredMode } from './structured.ts';

export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com';

/** The SDK adds `/v1/messages` itself; a base URL with `/v1`, as OpenAI's has it, means the same. */
export function anthropicBaseUrl(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
}

export function createAnthropicProtocol(
  settings: SdkSettings,
  { lacks }: Pick<PlanProvider, 'lacks'>,
): Protocol {
  const own = { ...settings, baseUrl: anthropicBaseUrl(settings.baseUrl) };
  return {
    requestIdHeader: 'request-id',
    createClient: (key) => createClient(own, key),
    put: (request) => ({ path: '/v1/messages', body: messageBody(request, lacks) }),
    reader: (request) => messageReader(structuredMode(request, lacks)?.kind === 'tool'),
    learn: () => false,
    restore: (_request, json) => json,
  };
}
