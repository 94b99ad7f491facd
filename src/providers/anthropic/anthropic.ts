// The `anthropic` adapter: the Messages API, of Anthropic and of servers that speak it.
import type { PlanProvider } from '../../plan/types.ts';
import { fetchOptionsFor } from '../shared/http-fetch.ts';
import type { WireResponse } from '../shared/http-fetch.ts';
import type { Protocol } from '../shared/remote.ts';
import { createClientSource } from './client.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
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
  const clientFor = createClientSource({ ...settings, baseUrl: anthropicBaseUrl(settings.baseUrl) });
  return {
    requestIdHeader: 'request-id',
    async send(request, key, signal) {
      const client = await clientFor(key);
      const body = messageBody(request, lacks);
      // Not `client.messages.create`: that prints a warning at each call to a model that will be retired.
      const fetchOptions = fetchOptionsFor(signal);
      const sent = client.post('/v1/messages', { body, stream: request.stream, fetchOptions });
      // What comes back is what our own `fetch` made.
      return (await sent.asResponse()) as unknown as WireResponse;
    },
    reader: (request) => messageReader(structuredMode(request, lacks)?.kind === 'tool'),
    learn: () => false,
    restore: (_request, json) => json,
  };
}
