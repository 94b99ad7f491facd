// The texts of a request in two parts, where a provider is asked to keep the first.
import type { ModelRequest } from '../port.ts';

export interface KeptText {
  readonly kept: string;
  /** null: nothing follows. */
  readonly rest: string | null;
}

export interface Texts {
  readonly system: string | KeptText | null;
  readonly prompt: string | KeptText;
}

/**
 * `system`: as it is sent, with what the adapter may have written after it; null: there is none, or it stands before the prompt, as `before`. One part at the
 * most: all that comes before its end is kept with it.
 */
export function keptTexts(
  { constant, system: written, prompt }: ModelRequest,
  system: string | null,
  before: string,
): Texts {
  const whole = before + prompt;
  if (constant?.asked !== true) return { system, prompt: whole };
  const { systemChars, promptChars } = constant;
  const isWholeSystem = systemChars === (written ?? '').length;
  const inPrompt = before === '' ? promptChars : isWholeSystem ? before.length + promptChars : systemChars;
  if (inPrompt > 0) return { system, prompt: partsOf(whole, inPrompt) };
  if (system === null || systemChars === 0) return { system, prompt: whole };
  return { system: partsOf(system, isWholeSystem ? system.length : systemChars), prompt: whole };
}

/** A part without a word in it would be refused. */
function partsOf(text: string, keptChars: number): KeptText {
  const rest = text.slice(keptChars);
  return rest.trim() === '' ? { kept: text, rest: null } : { kept: text.slice(0, keptChars), rest };
}
