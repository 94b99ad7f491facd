// What limits an answer in each protocol of clients.
import type { ClientProtocol } from './exchange-port.ts';

/** The names of the limit of output; a body of chat may have the older and the newer. */
export const OUTPUT_LIMITS: {
  readonly [protocol in Exclude<ClientProtocol, 'embeddings'>]: readonly string[];
} = {
  chat: ['max_completion_tokens', 'max_tokens'],
  responses: ['max_output_tokens'],
  messages: ['max_tokens'],
  count_tokens: [],
};
