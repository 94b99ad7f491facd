// Clients' own bodies to OpenAI and to servers that speak its protocols: what little is changed in them, and the reading of the answers.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ClientProtocol, ExchangeRequest } from '../exchange-port.ts';
import { isObject } from '../client-body.ts';
import { isWithin, OUTPUT_LIMITS } from '../client-limits.ts';
import type { ExchangeProtocol } from '../shared/exchanger.ts';
import { emptyReading, members, NO_PIECE, textOf } from '../shared/reading.ts';
import type { AnswerReader } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import { chatReader } from './chat.ts';
import type { OutputLimitNames } from './output-limit.ts';
import { responsesReader } from './responses.ts';

const PATHS: { readonly [protocol in ClientProtocol]?: string } = {
  chat: '/chat/completions',
  responses: '/responses',
  embeddings: '/embeddings',
};

export function openAiExchange(
  { api, anyApi, lacks }: Pick<PlanProvider, 'api' | 'anyApi' | 'lacks'>,
  limits: OutputLimitNames,
): ExchangeProtocol {
  const speaks: ClientProtocol[] = anyApi ? ['chat', 'responses', 'embeddings'] : [api, 'embeddings'];
  return {
    speaks,
    path: (protocol) => PATHS[protocol] ?? '',
    body(request) {
      const { body, model, protocol, maxOutputTokens } = request;
      const changes: { [name: string]: string } = { model: JSON.stringify(model) };
      if (maxOutputTokens !== null && protocol !== 'embeddings') {
        const names = OUTPUT_LIMITS[protocol].filter((name) => typeof body.value[name] === 'number');
        const added = protocol === 'chat' ? limits.of(model) : 'max_output_tokens';
        for (const name of names.length === 0 ? [added] : names)
          if (!isWithin(body.value[name], maxOutputTokens)) changes[name] = String(maxOutputTokens);
      }
      if (addsUsage(request, lacks))
        changes['stream_options'] = body.inside('stream_options', { include_usage: 'true' });
      return body.with(changes);
    },
    hidesUsage: (request) => addsUsage(request, lacks),
    reader: (protocol) =>
      protocol === 'embeddings'
        ? embeddingsReader()
        : protocol === 'responses'
          ? responsesReader()
          : chatReader(),
  };
}

/** A stream of chat tells its usage only where it is asked to. */
function addsUsage({ protocol, stream, body }: ExchangeRequest, lacks: PlanProvider['lacks']): boolean {
  if (protocol !== 'chat' || !stream || lacks.includes('streamUsage')) return false;
  const options = body.value['stream_options'];
  return !(isObject(options) && options['include_usage'] === true);
}

/** Vectors have no end to be told: an answer with a list of them is whole. */
function embeddingsReader(): AnswerReader {
  const reading = emptyReading(new UsageReport(false));
  return {
    reading,
    isAnswer: (body) => Array.isArray(body['data']),
    whole(body) {
      reading.model = textOf(body['model']);
      if (reading.reported.add(members(body['usage']))) reading.usage = reading.reported.total();
      if (Array.isArray(body['data'])) reading.finishReason = 'stop';
    },
    event: () => NO_PIECE,
  };
}
