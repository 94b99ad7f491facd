// OpenAI's two forms of usage → ours.
import type { Usage } from '../port.ts';
import { countOf, members } from '../shared/reading.ts';
import type { JsonMembers } from '../shared/reading.ts';

interface Names {
  readonly input: string;
  readonly output: string;
}

const CHAT: Names = { input: 'prompt_tokens', output: 'completion_tokens' };
const RESPONSES: Names = { input: 'input_tokens', output: 'output_tokens' };

export function chatUsage(usage: unknown): Usage | null {
  return read(members(usage), CHAT);
}

export function responsesUsage(usage: unknown): Usage | null {
  return read(members(usage), RESPONSES);
}

function read(usage: JsonMembers | undefined, names: Names): Usage | null {
  const input = countOf(usage?.[names.input]);
  if (usage === undefined || input === null) return null;
  const output = countOf(usage[names.output]) ?? 0;
  const inputDetails = members(usage[`${names.input}_details`]);
  const reasoning = countOf(members(usage[`${names.output}_details`])?.['reasoning_tokens']) ?? 0;
  const total = countOf(usage['total_tokens']);
  // Some compatible servers count reasoning beside the output instead of within it; the total tells.
  const isBeside = reasoning > 0 && total === input + output + reasoning;
  return {
    inputTokens: input,
    cachedInputTokens: Math.min(input, countOf(inputDetails?.['cached_tokens']) ?? 0),
    cacheWriteTokens: Math.min(input, countOf(inputDetails?.['cache_write_tokens']) ?? 0),
    outputTokens: isBeside ? output + reasoning : output,
    reasoningTokens: isBeside ? reasoning : Math.min(output, reasoning),
  };
}
