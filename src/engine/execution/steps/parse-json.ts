// JSON text → its value; told where it breaks.
import { jsonProblemText, parseExactJson } from '../../../common/exact-json.ts';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';

/** Each value is looked at again by what follows: the schema, expressions, the ledger. */
export const MAX_VALUES = 200_000;
const MAX_LEVELS = 500;

export function parseJsonText(raw: string): Outcome<Json, string> {
  const parsed = parseExactJson(raw, { levels: MAX_LEVELS, values: MAX_VALUES });
  return parsed.ok ? succeed(parsed.value) : fail(jsonProblemText(parsed.error));
}
