// The Messages API: the request, and the reading of its answers and event streams.
import type { Anthropic } from '@anthropic-ai/sdk';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { errorWords } from '../shared/error-body.ts';
import { endingOf } from '../shared/finish.ts';
import { withJsonInstruction } from '../shared/instruction.ts';
import { keptTexts } from '../shared/kept-texts.ts';
import { emptyReading, members, NO_PIECE, SILENT_OUTPUT, textOf } from '../shared/reading.ts';
import type { AnswerReader, JsonMembers, Piece } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import { keptBlocks } from './prompt-cache.ts';
import type { StructuredMode } from './structured.ts';

export function messageBody(
  request: ModelRequest,
  lacks: PlanProvider['lacks'],
  mode: StructuredMode | null,
): Anthropic.MessageCreateParams {
  const system = mode?.kind === 'words' ? withJsonInstruction(request.system, mode.schema) : request.system;
  const asSystem = system !== null && system !== '' && !lacks.includes('systemRole');
  const before = system !== null && system !== '' && !asSystem ? `${system}\n\n` : '';
  const texts = keptTexts(request, asSystem ? system : null, before);
  return {
    model: request.model,
    max_tokens: request.maxOutputTokens,
    messages: [{ role: 'user', content: keptBlocks(texts.prompt) }],
    ...(texts.system === null ? {} : { system: keptBlocks(texts.system) }),
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(mode?.kind === 'native'
      ? { output_config: { format: { type: 'json_schema', schema: mode.schema } } }
      : {}),
    ...(mode?.kind === 'tool'
      ? {
          tools: [
            {
              name: mode.name,
              description: 'Gives the answer.',
              input_schema: { ...mode.schema, type: 'object' },
            },
          ],
          tool_choice: { type: 'tool', name: mode.name, disable_parallel_tool_use: true },
        }
      : {}),
    ...(request.stream ? { stream: true } : {}),
  };
}

/** `asTool`: the answer is the input of the forced tool, and other text is talk beside it; where no tool is used, the text is the answer. */
export function messageReader(asTool: boolean): AnswerReader {
  const reading = emptyReading(new UsageReport(true));
  /** Text beside a forced tool. */
  let talk = '';
  /** The input of a tool that came whole at the start of its block; its pieces, if any, take its place. */
  let input = '';

  const readUsage = (usage: unknown): void => {
    if (reading.reported.add(usage)) reading.usage = reading.reported.total();
  };

  const readStop = (message: JsonMembers): void => {
    const reason = textOf(message['stop_reason']);
    switch (reason) {
      case null:
        return;
      case 'refusal':
        reading.blocked = refusalReason(message);
        return;
      case 'tool_use':
        reading.finishReason = asTool ? 'stop' : 'other';
        return;
      default: {
        const ending = endingOf(reason);
        if (ending === 'failed')
          reading.failure = errorWords(`the provider ended the answer with "${reason}"`);
        else if (ending === 'content_filter') reading.blocked = `content filter (${reason})`;
        else reading.finishReason = ending;
      }
    }
  };

  /** What came whole, or beside the tool that was not used. */
  const rest = (): string => (reading.text === '' ? input || talk : '');

  const startBlock = (block: JsonMembers | undefined): Piece => {
    // Another model took over in the middle of the turn: it is the one that answers.
    if (block?.['type'] === 'fallback')
      reading.model = textOf(members(block['to'])?.['model']) ?? reading.model;
    if (asTool && block?.['type'] === 'tool_use' && hasMembers(block['input'])) {
      input = inputText(block['input']);
      return SILENT_OUTPUT;
    }
    return block?.['type'] === 'text' ? textPiece(textOf(block['text']) ?? '') : NO_PIECE;
  };

  const textPiece = (text: string): Piece => {
    if (text === '') return NO_PIECE;
    if (!asTool) return { text, isOutput: true };
    talk += text;
    return SILENT_OUTPUT;
  };

  const delta = (given: JsonMembers | undefined): Piece => {
    const { type, text, partial_json: json } = given ?? {};
    if (asTool && type === 'input_json_delta' && typeof json === 'string')
      return { text: json, isOutput: true };
    if (type === 'text_delta' && typeof text === 'string' && text !== '') return textPiece(text);
    return SILENT_OUTPUT;
  };

  return {
    reading,
    isAnswer: (body) => body['content'] !== undefined || body['type'] === 'message',
    whole(body) {
      reading.model = textOf(body['model']);
      readUsage(body['usage']);
      reading.text = contentText(body['content'], asTool);
      readStop(body);
    },
    event(data): Piece {
      switch (data['type']) {
        case 'message_start': {
          const message = members(data['message']);
          reading.model = textOf(message?.['model']);
          readUsage(message?.['usage']);
          return NO_PIECE;
        }
        case 'content_block_start':
          return startBlock(members(data['content_block']));
        case 'content_block_delta':
          return delta(members(data['delta']));
        case 'message_delta': {
          readUsage(data['usage']);
          readStop(members(data['delta']) ?? {});
          reading.complete = reading.finishReason !== null || reading.blocked !== null;
          const text = reading.complete ? rest() : '';
          return text === '' ? NO_PIECE : { text, isOutput: true };
        }
        default:
          return NO_PIECE;
      }
    },
  };
}

function hasMembers(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || Object.keys(members(value) ?? {}).length > 0;
}

/** Some servers give it as the text that the model wrote. */
function inputText(input: unknown): string {
  return textOf(input) ?? JSON.stringify(input);
}

function contentText(content: unknown, asTool: boolean): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const blocks = content.map((block) => members(block));
  const used = asTool ? blocks.find((block) => block?.['type'] === 'tool_use') : undefined;
  if (used !== undefined) return inputText(used['input']);
  return blocks.map((block) => (block?.['type'] === 'text' ? (textOf(block['text']) ?? '') : '')).join('');
}

function refusalReason(message: JsonMembers): string {
  const details = members(message['stop_details']);
  const category = textOf(details?.['category']);
  const explanation = textOf(details?.['explanation']);
  return `refused${category === null ? '' : ` (${category})`}${explanation === null ? '' : `: ${explanation}`}`;
}
