// The `anthropic` adapter: the Messages API, of Anthropic and of servers that speak it.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { LearntLacks } from '../shared/refused-parameter.ts';
import type { PreparedRequest, Protocol } from '../shared/remote.ts';
import type { SdkSettings } from '../shared/sdk-client.ts';
import { clientsOf } from './client.ts';
import { anthropicExchange } from './exchange.ts';
import { hostedClients, hostSecrets, missingSdk } from './hosted.ts';
import { messageBody, messageReader } from './messages.ts';
import { claudePromptCache } from './prompt-cache.ts';
import { structuredMode } from './structured.ts';

export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com';

/** The SDK adds `/v1/messages` itself; a base URL with it, or with `/v1`, as OpenAI's has it, means the same. */
export function anthropicBaseUrl(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '').replace(/\/v1(?:\/messages)?$/, '');
}

export function createAnthropicProtocol(
  settings: SdkSettings,
  { lacks, vendor }: Pick<PlanProvider, 'lacks' | 'vendor'>,
): Protocol {
  const host = vendor === 'bedrock' || vendor === 'vertex' ? vendor : undefined;
  const own = host === undefined ? { ...settings, baseUrl: anthropicBaseUrl(settings.baseUrl) } : settings;
  const learnt = new LearntLacks(lacks);

  const prepare = (asked: ModelRequest): PreparedRequest => {
    const lacking = learnt.lacks(asked);
    const request = learnt.without(asked);
    const mode = structuredMode(request, lacking, host !== undefined);
    const sent = new Set([
      ...(request.temperature === null ? [] : (['temperature'] as const)),
      ...(mode === null || mode.kind === 'words' ? [] : (['structuredOutput'] as const)),
      ...(request.constant?.asked === true ? (['promptCache'] as const) : []),
      ...(request.system === null || lacking.includes('systemRole') ? [] : (['systemRole'] as const)),
    ]);
    return {
      path: '/v1/messages',
      body: messageBody(request, lacking, mode),
      reader: messageReader(mode?.kind === 'tool'),
      restore: (json) => json,
      learn: (failure) => learnt.learn(request, sent, failure),
      notes: learnt.notes(asked),
    };
  };

  const shared = {
    prepare,
    promptCache: (model: string) => (learnt.takesPromptCache(model) ? claudePromptCache(model) : undefined),
  };
  // A client's own body cannot be sent there as it is: the model stands in the address, and the version in the body.
  return host === undefined
    ? { ...shared, ...clientsOf(own), requestIdHeader: 'request-id', exchange: anthropicExchange() }
    : {
        ...shared,
        ...hostedClients(host, own),
        requestIdHeader: host === 'bedrock' ? 'x-amzn-requestid' : 'request-id',
        optionalSecrets: hostSecrets(host),
        missing: () => missingSdk(host),
      };
}
