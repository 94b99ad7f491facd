// The `openai` adapter: OpenAI itself, and every server that speaks its protocol.
import type { PlanProvider } from '../../plan/types.ts';
import { fetchOptionsFor } from '../shared/http-fetch.ts';
import type { WireResponse } from '../shared/http-fetch.ts';
import type { Protocol } from '../shared/remote.ts';
import { chatBody, chatReader } from './chat.ts';
import { createClientSource } from './client.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { OutputLimitNames } from './output-limit.ts';
import { responsesBody, responsesReader } from './responses.ts';
import { restoreJson } from './schema.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

/** `api` chooses between Chat Completions and Responses; `lacks` says what a compatible server cannot do. */
export function createOpenAiProtocol(
  settings: SdkSettings,
  { api, lacks }: Pick<PlanProvider, 'api' | 'lacks'>,
): Protocol {
  const clientFor = createClientSource(settings);
  const limits = new OutputLimitNames(settings.baseUrl, lacks);
  return {
    requestIdHeader: 'x-request-id',
    async send(request, key, signal) {
      const client = await clientFor(key);
      const fetchOptions = fetchOptionsFor(signal);
      const sent =
        api === 'chat'
          ? client.chat.completions.create(chatBody(request, lacks, limits.of(request.model)), {
              fetchOptions,
            })
          : client.responses.create(responsesBody(request, lacks), { fetchOptions });
      // What comes back is what our own `fetch` made.
      return (await sent.asResponse()) as unknown as WireResponse;
    },
    reader: () => (api === 'chat' ? chatReader() : responsesReader()),
    learn: (request, { status, message }) =>
      api === 'chat' && status !== null && limits.learn(request.model, status, message),
    restore: (request, json) => restoreJson(request, lacks, json),
  };
}
