// What is said in a stream that has begun and cannot be finished: the protocol's own event, after which no client takes the answer for whole.
import type { ClientProtocol } from '../../engine/providers/exchange-port.ts';
import { refusalBody } from './protocol.ts';
import type { DoorRefusal } from './protocol.ts';

export function failureEvent(protocol: ClientProtocol, refusal: DoorRefusal): string {
  switch (protocol) {
    case 'messages':
    case 'count_tokens':
      return `event: error\ndata: ${JSON.stringify(refusalBody('anthropic', refusal))}\n\n`;
    case 'responses':
      return `event: response.failed\ndata: ${JSON.stringify(failedResponse(refusal))}\n\n`;
    case 'chat':
    case 'embeddings':
      return `data: ${JSON.stringify(refusalBody('openai', refusal))}\n\n`;
  }
}

/** Of all codes that a response can fail with this is the one after which clients do not ask again. */
const NOT_AGAIN = 'invalid_prompt';

function failedResponse({ message, code }: DoorRefusal): object {
  return {
    type: 'response.failed',
    sequence_number: 0,
    response: {
      id: 'resp_failed',
      object: 'response',
      created_at: 0,
      status: 'failed',
      error: { code: NOT_AGAIN, message: `${message.replaceAll('"', "'")} (${code})` },
      incomplete_details: null,
      model: '',
      output: [],
      usage: null,
    },
  };
}
