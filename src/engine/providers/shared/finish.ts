// Why an answer ended, by the names of OpenAI, Anthropic, Gemini, Mistral, Cohere, Bedrock, TGI, LM Studio and those who write them otherwise.
import type { FinishReason } from '../port.ts';

/** Gemini's finish reasons have more after `content_filter`; Zhipu says `sensitive`, Cohere `ERROR_TOXIC`. */
const WITHHELD =
  /^(?:(?:image_)?(?:content_?filter|content_policy|safety|prohibited_content|recitation)|blocklist|spii|sensitive|moderation|model_armor|guardrail|refusal|error_toxic)/;
/** Ends that are no answer: OpenRouter, vLLM, DeepSeek, Zhipu, Gemini, Bedrock. */
const FAILED =
  /^(?:error|abort|aborted|cancelled|user_cancel|network_error|insufficient_system_resource|server_error|unexpected_tool_call|malformed_(?:function_call|response|model_output|tool_use))$/;
const STOPPED =
  /^(?:stop|stop_(?:sequence|token|string|string_found|word)|eos|eos_(?:token|found)|end|end_turn|ended|done|complete|completed|finished)$/;
const CUT =
  /(?:^|_)(?:length|truncated|max_(?:\w+_)?tokens?|(?:token|output|error)_limit|context_window)(?:_|$)/;

/** A name is shorter. */
const MOST_NAME = 200;

export type Ending = FinishReason | 'failed';

/** `maxTokens`, `max-tokens` and `FINISH_REASON_MAX_TOKENS` are `max_tokens`. */
export function endingOf(reason: string): Ending {
  const name = reason
    .slice(0, MOST_NAME)
    .trim()
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll(/[-\s]/g, '_')
    .toLowerCase()
    .replace(/^finish_reason_/, '');
  if (WITHHELD.test(name)) return 'content_filter';
  if (FAILED.test(name)) return 'failed';
  if (STOPPED.test(name)) return 'stop';
  return CUT.test(name) ? 'length' : 'other';
}
