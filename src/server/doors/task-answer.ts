// A task of the workflows behind the name of a model: the last message of the user is its input, its output is the answer.
import type { Json } from '../../common/json.ts';
import { formatUsd } from '../../common/money.ts';
import type { RunEvent } from '../../engine/execution/port.ts';
import type { AttemptRecord } from '../../engine/execution/records.ts';
import { isObject } from '../../engine/providers/client-body.ts';
import type { DoorAnswer } from './answer.ts';
import type { CallParts, DoorCall } from './call.ts';
import { invalid } from './read-request.ts';
import { fromResult } from './refusals.ts';
import { madeAnswer, madeStream } from './made-answer.ts';

export interface TaskCall {
  readonly task: string;
  /** The field that receives the message. */
  readonly input: string;
  readonly answer: DoorAnswer;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

export async function answerByTask(
  { engine, clock }: CallParts,
  { protocol, caller, name, body, options }: DoorCall,
  { task, input, answer, signal, onEvent }: TaskCall,
): Promise<void> {
  if (protocol === 'embeddings')
    return answer.refuse(invalid(`'${name}' is a workflow, which has no embeddings.`));
  if (sendsTools(body.value))
    return answer.refuse({
      status: 400,
      code: 'tools_not_supported',
      message: `'${name}' is a workflow, which takes no tools. Ask for it without tools, or ask for a model.`,
    });
  const message = lastUserMessage(body.value);
  if (message === undefined)
    return answer.refuse(
      invalid(`'${name}' is given the last message of the user, and there is none with a text.`),
    );
  const result = await engine.run({ task, input: { [input]: message }, caller, options, signal, onEvent });
  const refusal = fromResult(result, { name, protocol, maxOutputTokens: null, limit: null });
  if (refusal !== undefined || result.kind !== 'run')
    return answer.refuse(refusal ?? invalid('It gave no answer.'));
  const { run, attempts } = result.snapshot;
  const made = {
    id: run.id,
    name,
    text: textOf(run.output),
    createdAtMs: clock.nowMs(),
    usage: usageOf(attempts),
  };
  const cost = formatUsd(run.costNanoUsd);
  if (body.value['stream'] === true) {
    for (const event of madeStream(protocol, made, body.value)) answer.writeText(event);
  } else {
    answer.begin({ status: 200, headers: { 'content-type': 'application/json' } }, name);
    answer.write(JSON.stringify(madeAnswer(protocol, made)));
  }
  answer.end(cost);
}

/** Tools, under whichever name a client sends them. */
function sendsTools({ tools, functions }: { readonly [name: string]: unknown }): boolean {
  return [tools, functions].some((list) => Array.isArray(list) && list.length > 0);
}

/** The text of the last message of the user; undefined: there is none. Parts that are no text are left out. */
function lastUserMessage(body: { readonly [name: string]: unknown }): string | undefined {
  const { messages, input } = body;
  if (typeof input === 'string') return input;
  const list: readonly unknown[] = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  for (const item of list.toReversed()) {
    if (!isObject(item) || item['role'] !== 'user') continue;
    const text = textIn(item['content']);
    if (text !== '') return text;
  }
  return undefined;
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .flatMap((part: unknown) =>
      isObject(part) && typeof part['text'] === 'string' && TEXT_PARTS.has(String(part['type']))
        ? [part['text']]
        : [],
    )
    .join('\n');
}

const TEXT_PARTS = new Set(['text', 'input_text']);

/** A text as it is, alone or as the only member; anything else as JSON. */
function textOf(output: Json | null): string {
  if (typeof output === 'string') return output;
  if (typeof output === 'object' && output !== null && !Array.isArray(output)) {
    const [only, ...others] = Object.values(output);
    if (others.length === 0 && typeof only === 'string') return only;
  }
  return JSON.stringify(output);
}

function usageOf(attempts: readonly AttemptRecord[]): { readonly input: number; readonly output: number } {
  return {
    input: attempts.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    output: attempts.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
  };
}
