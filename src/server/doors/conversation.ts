// What a task is given of a client's conversation: the last message of the user.
import { isObject } from '../../engine/providers/client-body.ts';

/** The text of the last message of the user; undefined: there is none. Parts that are no text are left out. */
export function lastUserMessage(body: { readonly [name: string]: unknown }): string | undefined {
  const { messages, input } = body;
  if (typeof input === 'string') return input;
  const list: readonly unknown[] = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  for (const item of list.toReversed()) {
    if (!isObject(item) || item['role'] !== 'user') continue;
    const text = textOf(item['content']);
    if (text !== '') return text;
  }
  return undefined;
}

function textOf(content: unknown): string {
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

/** Tools, under whichever name a client sends them. */
export function sendsTools({ tools, functions }: { readonly [name: string]: unknown }): boolean {
  return [tools, functions].some((list) => Array.isArray(list) && list.length > 0);
}
