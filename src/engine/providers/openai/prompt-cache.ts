// How OpenAI keeps the beginnings of prompts: by itself, and found again sooner by a key; from GPT-5.6 on at a price, and where it is marked.
import type { OpenAI } from 'openai';
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest, PromptCacheTerms } from '../port.ts';
import { keptTexts } from '../shared/kept-texts.ts';
import type { KeptText, Texts } from '../shared/kept-texts.ts';

/** "Caching is available for prompts containing 1,024 tokens or more". */
const LEAST_TOKENS = 1_024;
/** What is marked is kept for half an hour; before there were marks, for "5 to 10 minutes of inactivity". */
const MARKED_LIVE_MS = 30 * 60_000;
const LIVE_MS = 5 * 60_000;

/** Whose servers know `prompt_cache_key`: OpenAI's own and Azure's. Compatible ones may refuse what they do not know. */
export function knowsPromptCache(baseUrl: string, vendor: PlanProvider['vendor'] | undefined): boolean {
  return vendor === 'azure' || isOpenAi(baseUrl);
}

export function openAiPromptCache(baseUrl: string, model: string): PromptCacheTerms {
  return takesMarks(baseUrl, model)
    ? { leastTokens: LEAST_TOKENS, liveMs: MARKED_LIVE_MS, writesAll: true }
    : { leastTokens: LEAST_TOKENS, liveMs: LIVE_MS };
}

/**
 * The members that both APIs have for it. Of itself GPT-5.6 writes every prompt to its cache, to its very end, at a quarter more than plain input: of prompts
 * that end otherwise each time, nothing of that is ever read. So only what is marked is written, and where no mark pays, nothing; unless whole prompts come again.
 */
export function promptCacheMembers(
  { constant, model }: ModelRequest,
  baseUrl: string,
): Pick<OpenAI.Chat.ChatCompletionCreateParams, 'prompt_cache_key' | 'prompt_cache_options'> {
  if (constant === undefined) return {};
  return {
    ...(constant.asked ? { prompt_cache_key: constant.key } : {}),
    ...(takesMarks(baseUrl, model) && constant.whole !== true
      ? { prompt_cache_options: { mode: 'explicit' } }
      : {}),
  };
}

/** What is kept apart, where the model takes marks. */
export function markedTexts(
  request: ModelRequest,
  baseUrl: string,
  system: string | null,
  before: string,
): Texts {
  return takesMarks(baseUrl, request.model)
    ? keptTexts(request, system, before)
    : { system, prompt: before + request.prompt };
}

/** The end of what is kept, as both APIs mark it. */
const MARK = { prompt_cache_breakpoint: { mode: 'explicit' } } as const;

/** In parts of that type; a text where nothing is marked. */
export function markedText<Type extends 'text' | 'input_text'>(
  text: string | KeptText,
  type: Type,
): string | ({ type: Type; text: string } & Partial<typeof MARK>)[] {
  if (typeof text === 'string') return text;
  const { kept, rest } = text;
  return [{ type, text: kept, ...MARK }, ...(rest === null ? [] : [{ type, text: rest }])];
}

/** GPT-5.6 and later. */
const MARKED = /^gpt-(?:5\.(?:[6-9]|\d\d)|[6-9]|\d\d)/;

function takesMarks(baseUrl: string, model: string): boolean {
  return MARKED.test(model) && isOpenAi(baseUrl);
}

function isOpenAi(baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname ?? '';
  return host === 'api.openai.com' || host.endsWith('.api.openai.com');
}
