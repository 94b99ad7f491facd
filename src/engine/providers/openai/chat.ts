// Chat Completions: the request as OpenAI and compatible servers want it, and the reading of its answers.
import type { OpenAI } from 'openai';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest, ProviderAnswer } from '../port.ts';
import { withJsonInstruction } from '../shared/instruction.ts';
import { emptyReading, members, NO_PIECE, SILENT_OUTPUT, textOf } from '../shared/reading.ts';
import type { AnswerReader, JsonMembers, Piece } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import { reportedInside } from '../shared/thrown.ts';
import type { OutputLimitName } from './output-limit.ts';
import { schemaName, strictSchema } from './schema.ts';

type Body = OpenAI.Chat.ChatCompletionCreateParams;

export function chatBody(request: ModelRequest, lacks: PlanProvider['lacks'], limit: OutputLimitName): Body {
  const strict = strictSchema(request, lacks);
  const { structured } = request;
  const system =
    structured !== null && strict === null
      ? withJsonInstruction(request.system, structured.schema)
      : request.system;
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [];
  if (system === null || system === '') messages.push({ role: 'user', content: request.prompt });
  else if (lacks.includes('systemRole'))
    messages.push({ role: 'user', content: `${system}\n\n${request.prompt}` });
  else messages.push({ role: 'system', content: system }, { role: 'user', content: request.prompt });
  return {
    model: request.model,
    messages,
    [limit]: request.maxOutputTokens,
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(structured !== null && strict !== null
      ? {
          response_format: {
            type: 'json_schema',
            json_schema: { name: schemaName(structured.name), schema: strict.schema, strict: true },
          },
        }
      : {}),
    ...(request.stream
      ? {
          stream: true,
          ...(lacks.includes('streamUsage') ? {} : { stream_options: { include_usage: true } }),
        }
      : {}),
  };
}

const FINISH: { readonly [reason: string]: ProviderAnswer['finishReason'] } = {
  stop: 'stop',
  length: 'length',
};

export function chatReader(): AnswerReader {
  const reading = emptyReading(new UsageReport(false));
  let refusal = '';

  /** Whether this piece of the answer counted anything. */
  const readUsage = (data: JsonMembers): boolean => {
    const { reported } = reading;
    reported.addTier(data['service_tier']);
    let counted = false;
    for (const place of usagePlaces(data)) counted = reported.add(place) || counted;
    if (counted) reading.usage = reported.total();
    return counted;
  };

  const readChoice = (choice: JsonMembers): void => {
    const reason = textOf(choice['finish_reason']);
    if (reason === null || reason === '') return;
    if (reason === 'content_filter') reading.blocked = `content filter${filterDetails(choice)}`;
    else if (refusal !== '') reading.blocked = `refused: ${refusal}`;
    reading.finishReason = FINISH[reason] ?? 'other';
  };

  return {
    reading,
    whole(body) {
      reading.model = textOf(body['model']);
      readUsage(body);
      const choice = firstChoice(body);
      if (choice === undefined) return;
      const message = members(choice['message']);
      reading.text = contentText(message?.['content']);
      refusal = textOf(message?.['refusal']) ?? '';
      readChoice(choice);
    },
    event(data): Piece {
      if (reading.model === null && textOf(data['model'])) reading.model = textOf(data['model']);
      const error = data['error'];
      if (error !== undefined && error !== null) {
        reading.failure = reportedInside(error);
        return NO_PIECE;
      }
      const counted = readUsage(data);
      const choice = firstChoice(data);
      let piece = NO_PIECE;
      if (choice !== undefined) {
        const delta = members(choice['delta']);
        const text = contentText(delta?.['content']);
        const refused = textOf(delta?.['refusal']);
        if (refused !== null) refusal += refused;
        if (text !== '') piece = { text, isOutput: true };
        else if (refused || delta?.['reasoning_content'] || delta?.['reasoning'] || delta?.['tool_calls'])
          piece = SILENT_OUTPUT;
        readChoice(choice);
      }
      // The usage of a stream comes with the finish reason or in an event after it; some servers send a running count before.
      reading.complete = reading.finishReason !== null && counted;
      return piece;
    },
  };
}

function firstChoice(body: JsonMembers): JsonMembers | undefined {
  const choices = body['choices'];
  return Array.isArray(choices) ? members(choices[0]) : undefined;
}

/** Where servers put it: beside the choices, inside the first of them (Moonshot), in `x_groq`, in Google's own form, or beside everything (Ollama). */
function usagePlaces(data: JsonMembers): readonly unknown[] {
  const choice = firstChoice(data);
  return [
    'prompt_eval_count' in data ? data : undefined,
    members(data['x_groq'])?.['usage'],
    members(choice?.['message'])?.['usage'],
    choice?.['usage'],
    data['usageMetadata'] ?? data['usage_metadata'],
    data['usage'],
  ];
}

/** A text, or a list of parts as some compatible servers send it. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (members(part)?.['type'] === 'text' ? (textOf(members(part)?.['text']) ?? '') : ''))
    .join('');
}

/** Azure says which filter: `content_filter_results: { violence: { filtered: true, severity: "high" } }`. */
function filterDetails(choice: JsonMembers): string {
  const results = members(choice['content_filter_results']);
  const filtered = Object.entries(results ?? {}).filter(
    ([, result]) => members(result)?.['filtered'] === true,
  );
  return filtered.length === 0 ? '' : `: ${filtered.map(([name]) => name).join(', ')}`;
}
