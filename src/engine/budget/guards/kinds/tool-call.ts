// The same tool call: an agent that calls a tool with the same arguments again and again, with nothing new from anyone in between.
import { canonicalJson, sha256Hex } from '../../../../common/json.ts';
import type { Json } from '../../../../common/json.ts';
import type { LoopKind, LoopTrace } from './kind.ts';

/** Calls that take turns: `read`, `edit`, `read`, `edit` is a loop of two. A test between ever new edits is none. */
const MOST_IN_TURN = 3;

interface Call {
  readonly tool: string;
  readonly key: string;
}

type Members = { readonly [name: string]: Json };

export const toolCall: LoopKind = {
  trace(conversation, ignore, exact): LoopTrace {
    const counts = new Map<string, { readonly tool: string; calls: number }>();
    for (const { tool, key } of callsBackwards(conversation, ignore)) {
      const known = counts.get(key);
      if (known !== undefined) known.calls += 1;
      else if (counts.size === MOST_IN_TURN) break;
      else counts.set(key, { tool, calls: 1 });
    }
    const [most] = [...counts].sort(([, left], [, right]) => right.calls - left.calls);
    if (most === undefined) return { key: exact, exact };
    const [key, { tool, calls }] = most;
    return { key: sha256Hex(key), exact, calls, tool };
  },
};

/** From the newest to the last message of a person: what a person says after a loop ends it. */
function* callsBackwards(conversation: Members, ignore: readonly string[]): Generator<Call> {
  const { messages, input } = conversation;
  const list = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  for (const item of (list as readonly Json[]).toReversed()) {
    const message = membersOf(item);
    if (message === undefined) continue;
    const content = Array.isArray(message['content']) ? (message['content'] as readonly Json[]) : [];
    if (message['role'] === 'user' && !content.some((part) => membersOf(part)?.['type'] === 'tool_result'))
      return;
    yield* callsIn(message, content, ignore).toReversed();
  }
}

/** Of chat, of messages, of responses. */
function callsIn(message: Members, content: readonly Json[], ignore: readonly string[]): readonly Call[] {
  const calls: Call[] = [];
  const add = (tool: Json | undefined, args: Json | undefined): void => {
    if (typeof tool === 'string') calls.push({ tool, key: `${tool} ${argumentsText(args ?? null, ignore)}` });
  };
  const tools = message['tool_calls'];
  for (const call of Array.isArray(tools) ? (tools as readonly Json[]) : []) {
    const called = membersOf(membersOf(call)?.['function'] ?? membersOf(call)?.['custom'] ?? null);
    add(called?.['name'], called?.['arguments'] ?? called?.['input']);
  }
  for (const part of content) {
    const block = membersOf(part);
    if (block?.['type'] === 'tool_use' || block?.['type'] === 'server_tool_use')
      add(block['name'], block['input']);
  }
  const { type } = message;
  if (type === 'function_call' || type === 'custom_tool_call')
    add(message['name'], message['arguments'] ?? message['input']);
  else if (typeof type === 'string' && type.endsWith('_call')) add(type, message['action']);
  return calls;
}

/** Arguments are JSON, mostly: the order of their names says nothing. */
function argumentsText(args: Json, ignore: readonly string[]): string {
  let value = args;
  if (typeof args === 'string') {
    try {
      value = JSON.parse(args) as Json;
    } catch {
      return args;
    }
  }
  const object = membersOf(value);
  if (object === undefined) return canonicalJson(value);
  return canonicalJson(Object.fromEntries(Object.entries(object).filter(([name]) => !ignore.includes(name))));
}

function membersOf(value: Json | undefined): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Members)
    : undefined;
}
