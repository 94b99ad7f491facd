// The `builtin` adapter: models that run in this process, without a key and without cost.
import { fail, succeed } from '../../../common/outcome.ts';
import type { Provider, ProviderError } from '../port.ts';
import { providerError } from '../shared/provider-error.ts';
import { summarize } from './extract.ts';
import { readTask } from './task.ts';

const EXTRACT_MODEL = 'extract';

export function createBuiltinProvider(name: string): Provider {
  return {
    name,
    unavailable: () => undefined,
    async call(request, { signal, onText, onProgress }) {
      const refused = refusal(name, request.model, request.structured !== null);
      if (refused) return fail(refused);
      const task = readTask(request.prompt, request.system);
      const text = await summarize(task.text, {
        sentences: task.sentences,
        maxCharacters: request.maxOutputTokens * 4,
        signal,
      });
      if (text === undefined)
        return fail(
          providerError({
            class: 'cancelled',
            advice: 'give-up',
            billed: 'no',
            message: `${name}: cancelled`,
          }),
        );
      if (request.stream && text !== '') {
        onProgress?.('token');
        onText?.(text);
      }
      return succeed({
        text,
        json: undefined,
        model: request.model,
        finishReason: 'stop',
        usage: {
          inputTokens: estimateTokens(request.prompt) + estimateTokens(request.system ?? ''),
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          outputTokens: estimateTokens(text),
          reasoningTokens: 0,
        },
        requestId: null,
        rateLimits: [],
      });
    },
    close: () => Promise.resolve(),
  };
}

function refusal(name: string, model: string, isStructured: boolean): ProviderError | undefined {
  if (model !== EXTRACT_MODEL) {
    return providerError({
      class: 'model_not_found',
      advice: 'elsewhere',
      billed: 'no',
      message: `${name}: there is no model ${model}; use ${name}/${EXTRACT_MODEL}`,
    });
  }
  if (isStructured) {
    return providerError({
      class: 'invalid_request',
      advice: 'elsewhere',
      billed: 'no',
      message: `${name}: ${model} gives text only; leave the step's output out or route it to another model`,
    });
  }
  return undefined;
}

/** For usage that costs nothing: four characters a token, as English averages. */
function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
