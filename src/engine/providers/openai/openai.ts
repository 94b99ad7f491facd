// The `openai` adapter: OpenAI itself, and every server that speaks its protocol.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import type { ReportedFailure } from '../shared/classify.ts';
import { LearntLacks } from '../shared/refused-parameter.ts';
import type { PreparedRequest, Protocol } from '../shared/remote.ts';
import { chatBody, chatReader } from './chat.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { azureClientsOf, clientsOf } from './client.ts';
import { openAiExchange } from './exchange.ts';
import { OutputLimitNames } from './output-limit.ts';
import { knowsPromptCache, openAiPromptCache } from './prompt-cache.ts';
import { responsesBody, responsesReader } from './responses.ts';
import { restoreJson, strictSchema } from './schema.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

/** The address of a call, as portals show it to be copied, stands for the API that it belongs to. */
function openAiBaseUrl(baseUrl: string): string {
  return baseUrl.replace(/\/(?:chat\/completions|responses|embeddings)\/?(?=$|[?#])/, '');
}

/** `api` chooses between Chat Completions and Responses; `lacks` says what a compatible server cannot do. */
export function createOpenAiProtocol(
  given: SdkSettings,
  { api, anyApi, lacks, vendor }: Pick<PlanProvider, 'api' | 'anyApi' | 'lacks' | 'vendor'>,
): Protocol {
  const settings = { ...given, baseUrl: openAiBaseUrl(given.baseUrl) };
  const limits = new OutputLimitNames(settings.baseUrl, lacks, ...(vendor === undefined ? [] : [vendor]));
  const learnt = new LearntLacks(lacks);
  const { baseUrl } = settings;
  const knowsCache = knowsPromptCache(baseUrl, vendor);

  const prepare = (asked: ModelRequest): PreparedRequest => {
    const lacking = learnt.lacks(asked);
    const request = learnt.without(asked);
    const isChat = api === 'chat';
    const sent = new Set([
      ...(request.temperature === null ? [] : (['temperature'] as const)),
      ...(strictSchema(request, lacking) === null ? [] : (['structuredOutput'] as const)),
      ...(isChat && request.stream && !lacking.includes('streamUsage') ? (['streamUsage'] as const) : []),
      ...(request.constant === undefined ? [] : (['promptCache'] as const)),
      ...(request.system === null || lacking.includes('systemRole') ? [] : (['systemRole'] as const)),
    ]);
    return {
      ...(isChat
        ? { path: '/chat/completions', body: chatBody(request, lacking, limits.of(request.model), baseUrl) }
        : { path: '/responses', body: responsesBody(request, lacking, baseUrl) }),
      reader: isChat ? chatReader() : responsesReader(),
      restore: (json) => restoreJson(request, lacking, json),
      learn(failure: ReportedFailure) {
        const { status, message } = failure;
        if (isChat && status !== null && limits.learn(request.model, status, message))
          return { learnt: true, remedy: null };
        return learnt.learn(request, sent, failure);
      },
      notes: learnt.notes(asked),
    };
  };

  const exchange = openAiExchange({ api, lacks, ...(anyApi ? { anyApi } : {}) }, limits);
  const clients = vendor === 'azure' ? azureClientsOf(settings) : clientsOf(settings);
  return {
    requestIdHeader: 'x-request-id',
    ...clients,
    prepare,
    promptCache: (model) =>
      knowsCache && learnt.takesPromptCache(model) ? openAiPromptCache(baseUrl, model) : undefined,
    exchange,
  };
}
