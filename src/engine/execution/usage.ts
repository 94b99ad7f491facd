// What a call is settled with: the provider's own count, or an estimate by what was seen, never below what was surely billed.
import type { NanoUsd } from '../../common/money.ts';
import type { PlanPrice } from '../../language/plan/types.ts';
import type { CallOutcome, ErrorClass, ProviderError, Usage } from '../providers/port.ts';
import { costOf } from '../routing/cost.ts';
import { countTokens } from './tokens.ts';

export interface Settlement {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  /** By what was seen, not by the provider's own count. */
  readonly estimated: boolean;
}

export interface Seen {
  /** The best guess at the input's tokens. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** Text that came as deltas; '' where the call did not stream. */
  readonly text: string;
}

const NO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** English prose has about four characters a token, code and other scripts fewer. */
const CHARACTERS_PER_TOKEN = 3;

/** Failures after which a provider's count, where there is one, is its last word. */
const COUNTED_TO_THE_END: ReadonlySet<ErrorClass> = new Set([
  'content_filter',
  'invalid_request',
  'context_length',
  'invalid_output',
  'wrong_model',
  'not_accepted',
]);

export function settlementOf(outcome: CallOutcome, price: PlanPrice, seen: Seen): Settlement {
  if (outcome.ok) {
    const { usage, text } = outcome.value;
    if (usage !== null) return { usage, costNanoUsd: costOf(price, usage), estimated: false };
    return estimate(price, { ...NO_USAGE, inputTokens: seen.inputTokens, outputTokens: countTokens(text) });
  }
  const { error } = outcome;
  if (error.billed === 'no') return { usage: NO_USAGE, costNanoUsd: 0n, estimated: false };
  if (error.usage !== null && COUNTED_TO_THE_END.has(error.class))
    return { usage: error.usage, costNanoUsd: costOf(price, error.usage), estimated: false };
  // A cut answer's own count ends before the cut: whichever is more, the count or what was seen.
  const reported = error.usage ?? { ...NO_USAGE, inputTokens: seen.inputTokens };
  return estimate(price, {
    ...reported,
    outputTokens: Math.max(reported.outputTokens, seenTokens(error, seen)),
  });
}

function seenTokens(error: ProviderError, { text, maxOutputTokens }: Seen): number {
  const tokens = text === '' ? Math.ceil(error.seenCharacters / CHARACTERS_PER_TOKEN) : countTokens(text);
  return Math.min(tokens, maxOutputTokens);
}

function estimate(price: PlanPrice, usage: Usage): Settlement {
  return { usage, costNanoUsd: costOf(price, usage), estimated: true };
}
