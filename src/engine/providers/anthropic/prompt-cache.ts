// What Claude's vendors keep of a prompt, and the marks that ask for it: a `cache_control` at the end of the constant beginning.
import type { Anthropic } from '@anthropic-ai/sdk';
import type { PromptCacheTerms } from '../port.ts';
import type { KeptText } from '../shared/kept-texts.ts';

/** "5 minutes from the last use", which a call's beginning comes before. */
const LIVE_MS = 5 * 60_000;

/** The least that is kept, by model; whatever is not named here has the greatest of them. Of Sonnet 4.6 its documents and its answers say two things, and the larger is taken. */
const LEAST_TOKENS: readonly (readonly [RegExp, number])[] = [
  [/^(?:3-5-haiku|3-haiku|haiku-3|opus-4-7|sonnet-4-6)/, 2_048],
  [/^(?:opus-4-[56]|haiku-4-5)/, 4_096],
  [/^(?:3-|sonnet-|opus-4|opus-5|fable-|mythos-)/, 1_024],
];
const MOST_LEAST_TOKENS = 4_096;

/** undefined: no Claude, and nobody knows what becomes of the marks. */
export function claudePromptCache(model: string): PromptCacheTerms | undefined {
  const name = /claude-(.*)$/.exec(model)?.[1];
  if (name === undefined) return undefined;
  const leastTokens = LEAST_TOKENS.find(([models]) => models.test(name))?.[1] ?? MOST_LEAST_TOKENS;
  return { leastTokens, liveMs: LIVE_MS };
}

const KEPT = { cache_control: { type: 'ephemeral' } } as const;

/** A block of its own for what is kept. */
export function keptBlocks(text: string | KeptText): string | Anthropic.TextBlockParam[] {
  if (typeof text === 'string') return text;
  const { kept, rest } = text;
  return [
    { type: 'text', text: kept, ...KEPT },
    ...(rest === null ? [] : [{ type: 'text' as const, text: rest }]),
  ];
}
