// The Messages API: the request, and the reading of its answers and event streams.
import type { Anthropic } from '@anthropic-ai/sdk';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { withJsonInstruction } from '../shared/instruction.ts';
import { emptyReading, members, NO_PIECE, SILENT_OUTPUT, textOf } from '../shared/reading.ts';
import type { AnswerReader, JsonMembers, Piece } from '../shared/reading.ts';
import { UsageReport } from '../shared/usage.ts';
import { structuredMode } from './structured.ts';

export function messageBody(
  request: ModelRequest,
  lacks: PlanProvider['lacks'],
): Anthropic.MessageCreateParams {
  const mode = structuredMode(request, lacks);
  const system = mode?.kind === 'words' ? withJsonInstruction(request.system, mode.schema) : request.system;
  const asSystem = system !== null && system !== '' && !lacks.includes('systemRole');
  const prompt =
    system !== null && system !== '' && !asSystem ? `${system}\n\n${request.prompt}` : request.prompt;
  return {
    model: request.model,
    max_tokens: request.maxOutputTokens,
    messages: [{ role: 'user', content: prompt }],
    ...(asSystem ? { system } : {}),
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

/** `asTool`: the answer is the input of the forced tool; other text is talk beside it. */
export function messageReader(asTool: boolean): AnswerReader {
  const reading = emptyReading(new UsageReport(true));

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
      case 'end_turn':
      case 'stop_sequence':
        reading.finishReason = 'stop';
        return;
      case 'tool_use':
        reading.finishReason = asTool ? 'stop' : 'other';
        return;
      case 'max_tokens':
      case 'model_context_window_exceeded':
        reading.finishReason = 'length';
        return;
      default:
        reading.finishReason = 'other';
    }
  };

  const readFailure = (data: JsonMembers): void => {
    const error = members(data['error']);
    reading.failure = {
      type: textOf(error?.['type']),
      code: null,
      message: textOf(error?.['message']) ?? JSON.stringify(data),
    };
  };

  return {
    reading,
    whole(body) {
      if (body['type'] === 'error') {
        readFailure(body);
        return;
      }
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
        case 'content_block_start': {
          const block = members(data['content_block']);
          // Another model took over in the middle of the turn: it is the one that answers.
          if (block?.['type'] === 'fallback')
            reading.model = textOf(members(block['to'])?.['model']) ?? reading.model;
          const text = block?.['type'] === 'text' && !asTool ? (textOf(block['text']) ?? '') : '';
          return text === '' ? NO_PIECE : { text, isOutput: true };
        }
        case 'content_block_delta':
          return readDelta(members(data['delta']), asTool);
        case 'message_delta': {
          readUsage(data['usage']);
          readStop(members(data['delta']) ?? {});
          reading.complete = reading.finishReason !== null || reading.blocked !== null;
          return NO_PIECE;
        }
        case 'error':
          readFailure(data);
          return NO_PIECE;
        default:
          return NO_PIECE;
      }
    },
  };
}

function readDelta(delta: JsonMembers | undefined, asTool: boolean): Piece {
  const wanted = asTool
    ? delta?.['type'] === 'input_json_delta' && delta['partial_json']
    : delta?.['type'] === 'text_delta' && delta['text'];
  return typeof wanted === 'string' ? { text: wanted, isOutput: true } : SILENT_OUTPUT;
}

function contentText(content: unknown, asTool: boolean): string {
  if (!Array.isArray(content)) return '';
  const blocks = content.map((block) => members(block));
  if (asTool) {
    const used = blocks.find((block) => block?.['type'] === 'tool_use');
    return used === undefined ? '' : JSON.stringify(used['input']);
  }
  return blocks.map((block) => (block?.['type'] === 'text' ? (textOf(block['text']) ?? '') : '')).join('');
}

function refusalReason(message: JsonMembers): string {
  const details = members(message['stop_details']);
  const category = textOf(details?.['category']);
  const explanation = textOf(details?.['explanation']);
  return `refused${category === null ? '' : ` (${category})`}${explanation === null ? '' : `: ${explanation}`}`;
}
