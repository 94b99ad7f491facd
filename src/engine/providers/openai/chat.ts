// Chat Completions: the request as OpenAI and compatible servers want it, and the reading of its answers.
import type { OpenAI } from 'openai';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { endingOf } from '../shared/finish.ts';
import { withJsonInstruction } from '../shared/instruction.ts';
import { emptyReading, members, NO_PIECE, SILENT_OUTPUT, textOf } from '../shared/reading.ts';
import type { AnswerReader, JsonMembers, Piece } from '../shared/reading.ts';
import { errorWords, isGiven } from '../shared/error-body.ts';
import { UsageReport } from '../shared/usage.ts';
import type { OutputLimitName } from './output-limit.ts';
import { markedText, markedTexts, promptCacheMembers } from './prompt-cache.ts';
import { schemaName, strictSchema } from './schema.ts';

type Body = OpenAI.Chat.ChatCompletionCreateParams;

export function chatBody(
  request: ModelRequest,
  lacks: PlanProvider['lacks'],
  limit: OutputLimitName,
  baseUrl: string,
): Body {
  const strict = strictSchema(request, lacks);
  const { structured } = request;
  const system =
    structured !== null && strict === null
      ? withJsonInstruction(request.system, structured.schema)
      : request.system;
  const hasSystem = system !== null && system !== '';
  const asRole = hasSystem && !lacks.includes('systemRole');
  const texts = markedTexts(
    request,
    baseUrl,
    asRole ? system : null,
    hasSystem && !asRole ? `${system}\n\n` : '',
  );
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
    ...(texts.system === null
      ? []
      : [{ role: 'system' as const, content: markedText(texts.system, 'text') }]),
    { role: 'user', content: markedText(texts.prompt, 'text') },
  ];
  return {
    model: request.model,
    messages,
    ...promptCacheMembers(request, baseUrl),
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

export function chatReader(): AnswerReader {
  const reading = emptyReading(new UsageReport(false));
  let refusal = '';
  let ownIndex: number | undefined;
  let hasOutput = false;

  /** Whether this piece of the answer counted anything. */
  const readUsage = (data: JsonMembers): boolean => {
    const { reported } = reading;
    reported.addTier(data['service_tier']);
    let counted = false;
    for (const place of usagePlaces(data)) counted = reported.add(place) || counted;
    if (counted) reading.usage = reported.total();
    return counted;
  };

  const readEnd = (choice: JsonMembers, cameWithText: boolean): void => {
    const { error } = choice;
    if (isGiven(error)) {
      reading.failure = errorWords(error);
      return;
    }
    const reason = textOf(choice['finish_reason']) ?? textOf(choice['finishReason']);
    if (reason === null || reason === '') return;
    const ending = endingOf(reason);
    if (ending === 'failed') {
      reading.failure = {
        ...errorWords(`the provider ended the answer with "${reason}"`),
        type: /resource/i.test(reason) ? 'overloaded' : null,
      };
      return;
    }
    if (ending === 'content_filter') {
      const more = reason.replace(/^content[_ -]filter:?\s*/i, '');
      reading.blocked = `content filter${filterDetails(choice)}${more === '' ? '' : ` (${more})`}`;
    } else if (refusal !== '') reading.blocked = `refused: ${refusal}`;
    reading.finishReason = ending;
    reading.provisional = cameWithText || !hasOutput;
  };

  return {
    reading,
    isAnswer: (body) => body['choices'] !== undefined,
    whole(body) {
      reading.model = textOf(body['model']);
      readUsage(body);
      readBlocked(body);
      const choice = choiceOf(body, 0);
      if (choice === undefined) return;
      const message = members(choice['message']) ?? members(choice['delta']);
      reading.text = contentText(message?.['content'] ?? choice['text']);
      refusal = textOf(message?.['refusal']) ?? refusalIn(message?.['content']);
      reading.reported.surcharges.readAnnotations(message?.['annotations']);
      readEnd(choice, false);
    },
    event(data): Piece {
      if (reading.model === null && textOf(data['model'])) reading.model = textOf(data['model']);
      const counted = readUsage(data);
      const choice = ownChoice(data);
      readBlocked(data);
      let piece = NO_PIECE;
      if (choice !== undefined) {
        piece = readPiece(choice);
        hasOutput ||= piece.isOutput;
        readEnd(choice, piece.text !== '');
      }
      // The usage of a stream comes with the finish reason or in an event after it; some servers send a running count before.
      const isLast = choice === undefined || !reading.provisional;
      reading.complete = reading.finishReason !== null && counted && isLast;
      return piece;
    },
  };

  /** One answer is asked for: pieces of another beside it are no part of it. */
  function ownChoice(data: JsonMembers): JsonMembers | undefined {
    const choice = choiceOf(data, ownIndex);
    const index = choice?.['index'];
    if (typeof index !== 'number') return choice;
    ownIndex ??= index;
    return index === ownIndex ? choice : undefined;
  }

  /** Google's word for a prompt that its filter has stopped; no choice comes with it. */
  function readBlocked(body: JsonMembers): void {
    const feedback = members(body['promptFeedback'] ?? body['prompt_feedback']);
    const reason = textOf(feedback?.['blockReason'] ?? feedback?.['block_reason']);
    if (reason !== null && firstChoice(body) === undefined) reading.blocked = reason;
  }

  function readPiece(choice: JsonMembers): Piece {
    const delta = members(choice['delta']);
    const message = members(choice['message']);
    reading.reported.surcharges.readAnnotations(delta?.['annotations'] ?? message?.['annotations']);
    const refused = textOf(delta?.['refusal'] ?? message?.['refusal']);
    if (refused !== null) refusal += refused;
    const given = contentText(delta?.['content'] ?? choice['text']);
    const text = given === '' && message !== undefined ? rest(contentText(message['content'])) : given;
    if (text !== '') return { text, isOutput: true };
    return carriesOutput(delta ?? message) ? SILENT_OUTPUT : NO_PIECE;
  }

  /** Some servers send a message in place of a delta: all of it at once, or at the end what had come in pieces. */
  function rest(whole: string): string {
    return whole.startsWith(reading.text) ? whole.slice(reading.text.length) : whole;
  }
}

function firstChoice(body: JsonMembers): JsonMembers | undefined {
  return choiceOf(body, undefined);
}

/** The one of that index; where none has it, the first. */
function choiceOf(body: JsonMembers, index: number | undefined): JsonMembers | undefined {
  const choices = body['choices'];
  if (!Array.isArray(choices)) return undefined;
  const own = choices.length > 1 ? choices.find((one) => members(one)?.['index'] === index) : undefined;
  return members(own ?? choices[0]);
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

/** Reasoning, a refusal, a tool call, whatever it is called: anything that a model has made is a sign of life. */
function carriesOutput(delta: JsonMembers | undefined): boolean {
  return Object.entries(delta ?? {}).some(([name, value]) => {
    if (name === 'role') return false;
    if (typeof value === 'string') return value !== '';
    return Array.isArray(value) ? value.length > 0 : members(value) !== undefined;
  });
}

const PARTS: ReadonlySet<unknown> = new Set(['text', 'output_text', undefined]);

/**
 * A text, or parts of one as some compatible servers send them: a list, or one alone, named or not; thinking is a part of another type. A server that
 * reads the JSON it was asked for gives what it has read.
 */
function contentText(content: unknown): string {
  if (Array.isArray(content)) return content.map(partText).join('');
  const object = members(content);
  return object !== undefined && object['type'] === undefined && textOf(object['text']) === null
    ? JSON.stringify(object)
    : partText(content);
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  const { type, text } = members(part) ?? {};
  return PARTS.has(type) ? (textOf(text) ?? '') : '';
}

/** A refusal that is a part of the content. */
function refusalIn(content: unknown): string {
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts
    .map((part) => (members(part)?.['type'] === 'refusal' ? (textOf(members(part)?.['refusal']) ?? '') : ''))
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
