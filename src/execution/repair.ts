// The one repair: a model that cannot be held to a schema is shown its answer and what is wrong with it.
import type { ModelRequest } from '../providers/port.ts';

/** Enough to see the mistake; the whole of a runaway answer would only cost. */
const MAX_SHOWN = 8_000;

export function repairPrompt({ prompt }: ModelRequest, answer: string, problem: string): string {
  const shown = answer.length > MAX_SHOWN ? `${answer.slice(0, MAX_SHOWN)}…` : answer;
  return `${prompt}

Your previous answer was:
${shown}

It is not valid: ${problem}
Answer again with one JSON value that matches the schema, and nothing else.`;
}
