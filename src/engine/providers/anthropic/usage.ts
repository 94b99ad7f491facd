// Anthropic's usage → ours: merged over the events of a stream, where counts are cumulative.
import type { Usage } from '../port.ts';
import { countOf, members } from '../shared/reading.ts';

/** Input tokens are reported in three disjoint parts; output tokens include thinking. */
export class MessageUsage {
  #fresh: number | null = null;
  #cacheRead = 0;
  #cacheWrite = 0;
  #output: number | null = null;
  #thinking = 0;

  /** A later report replaces what it mentions: `message_start` tells the input, `message_delta` the final output. */
  add(reported: unknown): void {
    const usage = members(reported);
    if (usage === undefined) return;
    this.#fresh = countOf(usage['input_tokens']) ?? this.#fresh;
    this.#cacheRead = countOf(usage['cache_read_input_tokens']) ?? this.#cacheRead;
    this.#cacheWrite = countOf(usage['cache_creation_input_tokens']) ?? this.#cacheWrite;
    this.#output = countOf(usage['output_tokens']) ?? this.#output;
    this.#thinking = countOf(members(usage['output_tokens_details'])?.['thinking_tokens']) ?? this.#thinking;
  }

  /** null until both sides have been reported. */
  total(): Usage | null {
    if (this.#fresh === null || this.#output === null) return null;
    return {
      inputTokens: this.#fresh + this.#cacheRead + this.#cacheWrite,
      cachedInputTokens: this.#cacheRead,
      cacheWriteTokens: this.#cacheWrite,
      outputTokens: this.#output,
      reasoningTokens: Math.min(this.#output, this.#thinking),
    };
  }
}
