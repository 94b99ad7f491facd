// The `openai` adapter: OpenAI itself, and every server that speaks its protocol.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { Protocol } from '../shared/remote.ts';
import { chatBody, chatReader } from './chat.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { createClient } from './client.ts';
import { OutputLimitNames } from './output-limit.ts';
import { responsesBody, responsesReader } from './responses.ts';
import { restoreJson } from './schema.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

/** `api` chooses between Chat Completions and Responses; `lacks` says what a compatible server cannot do. */
export function createOpenAiProtocol(
  settings: SdkSettings,
  { api, lacks }: Pick<PlanProvider, 'api' | 'lacks'>,
): Protocol {
  const limits = new OutputLimitNames(settings.baseUrl, lacks);
  return {
    requestIdHeader: 'x-request-id',
    createClient: (key) => createClient(settings, key),
    put: (request) =>
      api === 'chat'
        ? { path: '/chat/completions', body: chatBody(request, lacks, limits.of(request.model)) }
        : { path: '/responses', body: responsesBody(request, lacks) },
    reader: () => (api === 'chat' ? chatReader() : responsesReader()),
    learn: (request, { status, message }) =>
      api === 'chat' && status !== null && limits.learn(request.model, status, message),
    restore: (request, json) => restoreJson(request, lacks, json),
  };
}
