// JSON text → its value; told where it breaks.
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';

export function parseJsonText(raw: string): Outcome<Json, string> {
  const text = raw.replace(/^\uFEFF/, '');
  try {
    return succeed(JSON.parse(text) as Json);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    if (position === undefined) return fail(message);
    const before = text.slice(0, Number(position)).split('\n');
    return fail(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`);
  }
}
