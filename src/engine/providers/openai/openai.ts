// The `openai` adapter: OpenAI itself, and every server that speaks its protocol.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { Pool } from '../shared/http-pool.ts';
import type { Protocol } from '../shared/remote.ts';
import { chatBody, chatReader } from './chat.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { createSdkRequests } from '../shared/sdk-request.ts';
import { createClient } from './client.ts';
import { OutputLimitNames } from './output-limit.ts';
import { responsesBody, responsesReader } from './responses.ts';
import { restoreJson } from './schema.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

/** `api` chooses between Chat Completions and Responses; `lacks` says what a compatible server cannot do. */
export function createOpenAiProtocol(
  settings: SdkSettings,
  pool: Pool,
  { api, lacks }: Pick<PlanProvider, 'api' | 'lacks'>,
): Protocol {
  const requests = createSdkRequests(pool, (key) => createClient(settings, key));
  const limits = new OutputLimitNames(settings.baseUrl, lacks);
  return {
    requestIdHeader: 'x-request-id',
    send(request, key, signal) {
      const call = { stream: request.stream, key, signal };
      return api === 'chat'
        ? requests.send('/chat/completions', chatBody(request, lacks, limits.of(request.model)), call)
        : requests.send('/responses', responsesBody(request, lacks), call);
    },
    reader: () => (api === 'chat' ? chatReader() : responsesReader()),
    learn: (request, { status, message }) =>
      api === 'chat' && status !== null && limits.learn(request.model, status, message),
    restore: (request, json) => restoreJson(request, lacks, json),
  };
}
