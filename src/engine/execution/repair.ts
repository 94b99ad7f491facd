// The one repair: a model that cannot be held to a schema is shown its answer and what is wrong with it.
import type { ModelRequest } from '../providers/port.ts';
import { byteBound } from './tokens.ts';

/** Enough to see the mistake; the whole of a runaway answer would only cost. */
const MAX_SHOWN = 8_000;

export interface Repair {
  readonly request: ModelRequest;
  /** The most that the addition can count as: what is held goes up by it. */
  readonly extraTokens: number;
}

export function repairOf(request: ModelRequest, answer: string, problem: string): Repair {
  const shown = answer.length > MAX_SHOWN ? `${answer.slice(0, MAX_SHOWN)}…` : answer;
  const addition = `

Your previous answer was:
${shown}

It is not valid: ${problem}
Answer again with one JSON value that matches the schema, and nothing else.`;
  return { request: { ...request, prompt: request.prompt + addition }, extraTokens: byteBound(addition) };
}
