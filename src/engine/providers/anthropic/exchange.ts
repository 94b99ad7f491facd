// Clients' own bodies to Anthropic and to servers that speak its protocol: what little is changed in them, and the reading of the answers.
import { isWithin } from '../client-limits.ts';
import type { ExchangeProtocol } from '../shared/exchanger.ts';
import { emptyReading, NO_PIECE } from '../shared/reading.ts';
import type { AnswerReader } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import { messageReader } from './messages.ts';

/** The version in which an API key is sent as `x-api-key`; the next takes it as a bearer. */
const BEFORE_BEARER = '2023-06-01';

export function anthropicExchange(): ExchangeProtocol {
  return {
    speaks: ['messages', 'count_tokens'],
    path: (protocol) => (protocol === 'count_tokens' ? '/v1/messages/count_tokens' : '/v1/messages'),
    body({ body, model, protocol, maxOutputTokens }) {
      const lowers =
        protocol === 'messages' &&
        maxOutputTokens !== null &&
        !isWithin(body.value['max_tokens'], maxOutputTokens);
      return body.with({
        model: JSON.stringify(model),
        ...(lowers ? { max_tokens: String(maxOutputTokens) } : {}),
      });
    },
    hidesUsage: () => false,
    keyHeaders(headers, key) {
      const { authorization, ...rest } = headers;
      const isOld = headers['anthropic-version'] === BEFORE_BEARER;
      return isOld && authorization === `Bearer ${key}` ? { ...rest, 'x-api-key': key } : headers;
    },
    reader: (protocol) => (protocol === 'count_tokens' ? countReader() : messageReader(false)),
  };
}

function countReader(): AnswerReader {
  const reading = emptyReading(new UsageReport(true));
  return {
    reading,
    isAnswer: (body) => typeof body['input_tokens'] === 'number',
    whole(body) {
      if (typeof body['input_tokens'] === 'number') reading.finishReason = 'stop';
    },
    event: () => NO_PIECE,
  };
}
