// The Responses API: the request, and the reading of its answers and event streams.
import type { OpenAI } from 'openai';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { withJsonInstruction } from '../shared/instruction.ts';
import { emptyReading, members, NO_PIECE, SILENT_OUTPUT, textOf } from '../shared/reading.ts';
import { errorWords } from '../shared/error-body.ts';
import { endingOf } from '../shared/finish.ts';
import type { AnswerReader, JsonMembers, Piece } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import type { Texts } from '../shared/kept-texts.ts';
import { markedText, markedTexts, promptCacheMembers } from './prompt-cache.ts';
import { schemaName, strictSchema } from './schema.ts';

type Body = OpenAI.Responses.ResponseCreateParams;

export function responsesBody(request: ModelRequest, lacks: PlanProvider['lacks'], baseUrl: string): Body {
  const strict = strictSchema(request, lacks);
  const { structured } = request;
  const system =
    structured !== null && strict === null
      ? withJsonInstruction(request.system, structured.schema)
      : request.system;
  const hasSystem = system !== null && system !== '';
  const asInstructions = hasSystem && !lacks.includes('systemRole');
  const texts = markedTexts(
    request,
    baseUrl,
    asInstructions ? system : null,
    hasSystem && !asInstructions ? `${system}\n\n` : '',
  );
  return {
    model: request.model,
    ...inputOf(texts),
    ...promptCacheMembers(request, baseUrl),
    max_output_tokens: request.maxOutputTokens,
    // The API keeps answers for 30 days unless told not to; nothing here ever asks for them again.
    store: false,
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(structured !== null && strict !== null
      ? {
          text: {
            format: {
              type: 'json_schema',
              name: schemaName(structured.name),
              schema: strict.schema,
              strict: true,
            },
          },
        }
      : {}),
    ...(request.stream ? { stream: true } : {}),
  };
}

/** Instructions are a text alone: what is marked in them goes as the message that they become. */
function inputOf({ system, prompt }: Texts): Pick<Body, 'input' | 'instructions'> {
  if (typeof prompt === 'string' && (system === null || typeof system === 'string'))
    return { input: prompt, ...(system === null ? {} : { instructions: system }) };
  const isApart = system !== null && typeof system !== 'string';
  return {
    input: [
      ...(isApart ? [{ role: 'developer' as const, content: markedText(system, 'input_text') }] : []),
      { role: 'user', content: markedText(prompt, 'input_text') },
    ],
    ...(typeof system === 'string' ? { instructions: system } : {}),
  };
}

export function responsesReader(): AnswerReader {
  const reading = emptyReading(new UsageReport(false));
  /** Messages of a stream that only comment on what the model does. */
  const comments = new Set<unknown>();
  /** Messages of a stream whose text comes in pieces; of the others some servers give only the whole. */
  const pieced = new Set<unknown>();
  /** Items of a stream that are done: what the response itself may leave out at its end. */
  const done: JsonMembers[] = [];

  const readResponse = (response: JsonMembers): void => {
    reading.model = textOf(response['model']) ?? reading.model;
    reading.reported.addTier(response['service_tier']);
    if (reading.reported.add(response['usage'])) reading.usage = reading.reported.total();
    const output = itemsOf(response['output'], done);
    reading.reported.surcharges.readItems(output);
    const { text, refusal } = outputOf(output, textOf(response['output_text']) ?? '');
    reading.wholeText = text;
    const status = textOf(response['status']);
    const reason = textOf(members(response['incomplete_details'])?.['reason']);
    const error = members(response['error']);
    if (error !== undefined) reading.failure = errorWords(error);
    else if (reason !== null && /content_filter|safety/i.test(reason)) reading.blocked = 'content filter';
    else if (refusal !== '') reading.blocked = `refused: ${refusal}`;
    else if (status === 'completed')
      reading.finishReason = text === '' && hasToolCall(output) ? 'other' : 'stop';
    else if (status === 'incomplete')
      reading.finishReason = endingOf(reason ?? '') === 'length' ? 'length' : 'other';
    else if (status === 'failed' || status === 'cancelled')
      reading.failure = { ...errorWords(`the response was ${status}`), code: status };
    // queued, in_progress: not an answer; without a finish reason it is judged as cut.
    else if (status !== null) reading.wholeText = null;
  };

  const said = (data: JsonMembers, text: unknown): Piece =>
    comments.has(data['output_index']) ? SILENT_OUTPUT : { text: textOf(text) ?? '', isOutput: true };

  /** Where a piece or the whole leaves out what it is of, it is of what the other names. */
  const cameInPieces = ({ output_index: output, content_index: content }: JsonMembers): boolean =>
    output === undefined || content === undefined
      ? pieced.size > 0
      : [placeOf(output, content), placeOf(output, undefined), placeOf(undefined, content), UNNAMED].some(
          (place) => pieced.has(place),
        );

  return {
    reading,
    isAnswer: (body) => body['output'] !== undefined || body['object'] === 'response',
    whole(body) {
      readResponse(body);
      reading.text = reading.wholeText ?? '';
    },
    event(data): Piece {
      switch (data['type']) {
        case 'response.output_item.added':
          if (members(data['item'])?.['phase'] === 'commentary') comments.add(data['output_index']);
          return NO_PIECE;
        case 'response.output_item.done': {
          const item = members(data['item']);
          if (item === undefined) return NO_PIECE;
          done.push(item);
          reading.reported.surcharges.readItem(item);
          return NO_PIECE;
        }
        case 'response.output_text.delta':
          if (data['delta'] !== '') pieced.add(placeOf(data['output_index'], data['content_index']));
          return said(data, data['delta']);
        case 'response.output_text.done':
          return cameInPieces(data) ? NO_PIECE : said(data, data['text']);
        case 'response.completed':
        case 'response.incomplete':
        case 'response.failed':
          readResponse(members(data['response']) ?? {});
          reading.complete = reading.finishReason !== null || reading.blocked !== null;
          return NO_PIECE;
        case 'response.created':
          reading.model = textOf(members(data['response'])?.['model']);
          return NO_PIECE;
        default: {
          // Reasoning, refusals and tool calls come as deltas too: output, but not text.
          const isOutput = typeof data['type'] === 'string' && data['type'].endsWith('.delta');
          return isOutput ? SILENT_OUTPUT : NO_PIECE;
        }
      }
    },
  };
}

const placeOf = (output: unknown, content: unknown): string => `${String(output)}.${String(content)}`;
const UNNAMED = placeOf(undefined, undefined);

/** What the model says while it works (`phase: "commentary"`) is its answer only where it gives no other. */
function outputOf(
  output: readonly JsonMembers[],
  besideIt: string,
): { readonly text: string; readonly refusal: string } {
  const messages = output.flatMap((message) => {
    const content = message['content'];
    return message['type'] === 'message' && Array.isArray(content) ? [{ message, content }] : [];
  });
  const answers = messages.filter(({ message }) => message['phase'] !== 'commentary');
  let text = '';
  let refusal = '';
  for (const { content } of answers.length > 0 ? answers : messages) {
    for (const part of content) {
      const piece = members(part);
      if (piece?.['type'] === 'output_text' || piece?.['type'] === 'text')
        text += textOf(piece['text']) ?? '';
      else if (piece?.['type'] === 'refusal') refusal += textOf(piece['refusal']) ?? '';
    }
  }
  return { text: text === '' && refusal === '' ? besideIt : text, refusal };
}

/** `done`: what came in a stream, where the list is empty or missing. */
function itemsOf(output: unknown, done: readonly JsonMembers[]): readonly JsonMembers[] {
  if (!Array.isArray(output) || output.length === 0) return done;
  return output.map((item: unknown) => members(item)).filter((item) => item !== undefined);
}

function hasToolCall(output: readonly JsonMembers[]): boolean {
  return output.some((item) => textOf(item['type'])?.endsWith('_call') === true);
}
