// What a call is settled with: the provider's own count, an estimate by what a stream showed, or the worst case that was held.
import { divideUp, readUsdUp } from '../../common/money.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { PlanModel } from '../../language/plan/types.ts';
import type {
  CallOutcome,
  ErrorClass,
  Note,
  ProviderAnswer,
  ProviderError,
  Usage,
} from '../providers/port.ts';
import { costOf, worstCost } from '../routing/cost.ts';
import type { Counted } from './learnt-bounds.ts';
import { sampledTokens } from './tokens.ts';

export interface Settlement {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  /** Of it, what does not grow with the tokens: the vendor's own tools. */
  readonly feesNanoUsd: NanoUsd;
  /** By what was seen or held, not by the provider's own count; or at a price that is not the one of its tier. */
  readonly estimated: boolean;
  /** Surely not billed: no call for budgets that count calls. */
  readonly billed: boolean;
  /** The provider's own count is in it, field for field: what bounds are learnt from. */
  readonly counted: boolean;
  /** Of the answer's text, as counted here; null: there was none to count. */
  readonly shownTokens: number | null;
  readonly reportedCostNanoUsd: NanoUsd | null;
  readonly serviceTier: string | null;
  readonly notes: readonly Note[];
}

export interface SettledCall {
  readonly model: PlanModel;
  /** The provider's own figure is the cost. */
  readonly costIsReported: boolean;
  /** The best guess at the input's tokens. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** What is held. */
  readonly worst: { readonly costNanoUsd: NanoUsd; readonly inputTokens: number; readonly tokens: number };
  /** Text that came as deltas; '' where the call did not stream. */
  readonly text: string;
  /** What the provider may have counted where we counted so much. */
  readonly raised: (counted: Counted) => Counted;
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

/** No tokenizer in use makes a quarter of the tokens of another, but for a few words. */
const LEAST_SHARE = 4;
const FEW_TOKENS = 32;

/** Failures after which a provider's count, where there is one, is its last word. */
const COUNTED_TO_THE_END: ReadonlySet<ErrorClass> = new Set([
  'content_filter',
  'empty_answer',
  'invalid_request',
  'context_length',
  'invalid_output',
  'wrong_model',
  'not_accepted',
]);

/** Failures that leave open what was produced and billed: nobody has seen the end of it. */
const UNSEEN: ReadonlySet<ErrorClass> = new Set([
  'timeout',
  'first_token_timeout',
  'stalled',
  'cancelled',
  'connection',
  'cut_stream',
  'malformed_stream',
  'unknown',
]);

/** Names under which vendors serve at the price of the list. */
const STANDARD_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'auto', 'on_demand', '']);

/** Ten million dollars: one row of the ledger holds no more. */
const MOST_NANO_USD = 10_000_000_000_000_000n;
/** A provider's own price may be above the list's for fees and tiers, but not by this much. */
const REPORTED_AT_MOST = 10n;

export function settlementOf(outcome: CallOutcome, asked: SettledCall): Settlement {
  if (!outcome.ok && outcome.error.billed === 'no') return NOT_BILLED;
  const told = outcome.ok ? outcome.value : outcome.error;
  const { usage } = told;
  const reported = reportedCost(told);
  const said = { serviceTier: told.serviceTier ?? null, reportedCostNanoUsd: reported ?? null };
  if (
    (usage !== null && isImpossible(usage, asked, told.passes)) ||
    (reported !== undefined && isImpossibleCost(reported, asked))
  )
    return { ...worstCase(asked, IMPOSSIBLE), serviceTier: said.serviceTier };
  if (!outcome.ok && isUnseen(outcome.error, asked)) return { ...worstCase(asked, UNSEEN_OUTPUT), ...said };
  return surcharged({ ...seen(outcome, asked, reported), ...said }, told, asked);
}

function seen(outcome: CallOutcome, asked: SettledCall, reported: NanoUsd | undefined): Settlement {
  if (outcome.ok) return answered(outcome.value, asked, reported);
  const { error } = outcome;
  const { usage } = error;
  if (usage !== null && COUNTED_TO_THE_END.has(error.class)) return counted(usage, error, asked, reported);
  // A cut answer's own count ends before the cut: whichever is more, the count or what was seen.
  return estimate(asked, usage ?? NO_USAGE, seenTokens(error, asked), []);
}

/** With what was billed beside its tokens, which the list does not have: on top where the price is published, and told either way. A price that the provider tells has it in it. */
function surcharged(
  settled: Settlement,
  { surcharges = [] }: ProviderAnswer | ProviderError,
  { model, costIsReported }: SettledCall,
): Settlement {
  const isReported = costIsReported && (settled.reportedCostNanoUsd ?? 0n) > 0n;
  if (surcharges.length === 0 || isReported || model.price.kind === 'free') return settled;
  const notes = [...settled.notes];
  let { costNanoUsd } = settled;
  let feesNanoUsd = 0n;
  for (const { what, usd, percent } of surcharges) {
    const fee = usd === undefined ? undefined : readUsdUp(usd);
    if (percent !== undefined) costNanoUsd = divideUp(costNanoUsd * BigInt(100 + percent), 100n);
    else feesNanoUsd += fee ?? 0n;
    const price =
      percent !== undefined
        ? `${percent} % on top of its tokens' price`
        : fee === undefined
          ? 'the price is not known here, and its tokens are at the rates of text'
          : `$${usd} beside its tokens`;
    notes.push({ code: 'SURCHARGE', message: `The provider bills ${what}: ${price}.` });
  }
  return { ...settled, costNanoUsd: costNanoUsd + feesNanoUsd, feesNanoUsd, estimated: true, notes };
}

const NOT_BILLED: Settlement = {
  usage: NO_USAGE,
  costNanoUsd: 0n,
  feesNanoUsd: 0n,
  estimated: false,
  billed: false,
  counted: false,
  shownTokens: null,
  reportedCostNanoUsd: null,
  serviceTier: null,
  notes: [],
};

const IMPOSSIBLE: Note = {
  code: 'USAGE_IMPOSSIBLE',
  message:
    'The provider reported more than the model can take or give; the call is settled at its worst case.',
};
const UNSEEN_OUTPUT: Note = {
  code: 'OUTPUT_UNSEEN',
  message: 'What the provider produced and billed was not seen; the call is settled at its worst case.',
};
const MISSING: Note = {
  code: 'USAGE_MISSING',
  message: 'The provider counted nothing, or no output beside a text; the cost is estimated.',
};
const COST_MISSING: Note = {
  code: 'COST_NOT_REPORTED',
  message: 'The provider reported no cost; it is estimated from the tokens and the price list.',
};

function answered(answer: ProviderAnswer, asked: SettledCall, reported: NanoUsd | undefined): Settlement {
  const { usage, text } = answer;
  if (usage !== null) return counted(usage, answer, asked, reported, text);
  return estimate(asked, NO_USAGE, sampledTokens(text), [MISSING], reported);
}

/** By the provider's own count; a field of it that counts nothing where there is something is estimated. */
function counted(
  usage: Usage,
  told: ProviderAnswer | ProviderError,
  asked: SettledCall,
  reported: NanoUsd | undefined,
  text = '',
): Settlement {
  const shown = sampledTokens(text);
  const isWhole =
    usage.inputTokens > 0 &&
    (text === '' || usage.outputTokens > 0) &&
    shown <= LEAST_SHARE * usage.outputTokens + FEW_TOKENS;
  const notes: Note[] = isWhole ? [] : [MISSING];
  const settled = isWhole
    ? { usage, ...priced(asked, usage, notes, reported) }
    : estimated(asked, usage, shown, notes, reported);
  const tier = told.serviceTier ?? '';
  const isListed = STANDARD_TIERS.has(tier.toLowerCase());
  const hours = usage.cacheWriteHourTokens ?? 0;
  if (!isListed && !settled.asReported)
    notes.push({
      code: 'SERVICE_TIER',
      message: `The provider served it as "${tier}", at a price that is not known here; the cost is that of the standard tier.`,
    });
  if (hours > 0 && !settled.asReported)
    notes.push({
      code: 'CACHE_WRITE_HOUR',
      message: `${hours} tokens were written to the cache for an hour, which is taken to cost twice the input.`,
    });
  const others = (told.iterationModels ?? []).filter((name) => !isModel(name, asked.model.model));
  if (others.length > 0 && !settled.asReported)
    notes.push({
      code: 'OTHER_MODEL',
      message: `${others.join(', ')} worked on the answer too; its tokens are counted, at the prices of ${asked.model.key}.`,
    });
  const isListedOnly = isListed && hours === 0 && others.length === 0;
  const isExact = isWhole && settled.exact && (isListedOnly || settled.asReported);
  return {
    usage: settled.usage,
    costNanoUsd: settled.costNanoUsd,
    estimated: !isExact,
    billed: true,
    counted: isWhole,
    shownTokens: text === '' ? null : shown,
    notes,
    ...NOTHING_SAID,
  };
}

/** `claude-sonnet-5` is served as `claude-sonnet-5-20260203`, and elsewhere as `us.anthropic.claude-sonnet-5-v1:0`. */
function isModel(served: string, asked: string): boolean {
  return plainName(served) === plainName(asked);
}

function plainName(model: string): string {
  return model.replace(/^.*anthropic[./]/, '').replace(/(?:[-@]\d{8}|-latest)?(?:-v\d+(?::\d+)?)?$/, '');
}

const NOTHING_SAID = { feesNanoUsd: 0n, reportedCostNanoUsd: null, serviceTier: null };

function estimate(
  asked: SettledCall,
  usage: Usage,
  seenTokens: number,
  notes: Note[],
  reported?: NanoUsd,
): Settlement {
  const settled = estimated(asked, usage, seenTokens, notes, reported);
  return {
    usage: settled.usage,
    costNanoUsd: settled.costNanoUsd,
    estimated: true,
    billed: true,
    counted: false,
    shownTokens: null,
    notes,
    ...NOTHING_SAID,
  };
}

/**
 * Where the provider counts nothing, our own count, raised by what it may have counted more, as far as that is held: an estimate is not what passes a limit.
 * `seenTokens`: of the output.
 */
function estimated(
  asked: SettledCall,
  usage: Usage,
  seenTokens: number,
  notes: Note[],
  reported: NanoUsd | undefined,
): ReturnType<typeof priced> & { readonly usage: Usage } {
  const filled = ({ inputTokens, outputTokens }: Counted): Usage => ({
    ...usage,
    inputTokens: usage.inputTokens || inputTokens,
    outputTokens: Math.max(usage.outputTokens, outputTokens),
  });
  const seen: Counted = { inputTokens: asked.inputTokens, outputTokens: seenTokens };
  const least = filled(seen);
  const most = filled(asked.raised(seen));
  const settled = priced(asked, least, notes, reported);
  if (settled.asReported) return { ...settled, usage: least };
  const { worst, model } = asked;
  const mostNanoUsd = costOf(model.price, most);
  if (mostNanoUsd <= worst.costNanoUsd && most.inputTokens + most.outputTokens <= worst.tokens)
    return { ...settled, usage: most, costNanoUsd: mostNanoUsd };
  const heldNanoUsd = mostNanoUsd < worst.costNanoUsd ? mostNanoUsd : worst.costNanoUsd;
  const costNanoUsd = heldNanoUsd > settled.costNanoUsd ? heldNanoUsd : settled.costNanoUsd;
  return { ...settled, usage: least, costNanoUsd };
}

/** The price of the list, or the provider's own. A reported price of nothing, where the list has one, is none. */
function priced(
  { model, costIsReported }: SettledCall,
  usage: Usage,
  notes: Note[],
  reported: NanoUsd | undefined,
): { readonly costNanoUsd: NanoUsd; readonly exact: boolean; readonly asReported: boolean } {
  const listed = costOf(model.price, usage);
  if (!costIsReported) return { costNanoUsd: listed, exact: true, asReported: false };
  if (reported !== undefined && (reported > 0n || listed === 0n))
    return { costNanoUsd: reported, exact: true, asReported: true };
  notes.push(COST_MISSING);
  return { costNanoUsd: listed, exact: false, asReported: false };
}

/** What was held is taken for billed: an operator may lower it when the bill is there. */
function worstCase({ worst, maxOutputTokens }: SettledCall, note: Note): Settlement {
  // What was held for miscounting is input's: tokens beyond the output's limit would cost more than was held.
  const outputTokens = Math.min(maxOutputTokens, Math.max(0, worst.tokens - worst.inputTokens));
  return {
    usage: { ...NO_USAGE, inputTokens: Math.max(0, worst.tokens - outputTokens), outputTokens },
    costNanoUsd: worst.costNanoUsd,
    estimated: true,
    billed: true,
    counted: false,
    shownTokens: null,
    notes: [note],
    ...NOTHING_SAID,
  };
}

/** A stream that showed output shows what was billed; a count that a stream begins with (`output_tokens: 1`) shows nothing yet. */
function isUnseen(
  { class: kind, status, billed, seenCharacters, usage }: ProviderError,
  { text }: SettledCall,
): boolean {
  // What stood before the provider answered for it, and does not know what became of the call.
  const isGateway = billed === 'maybe' && status !== null && status >= 400;
  if (!UNSEEN.has(kind) && !isGateway) return false;
  return text === '' && seenCharacters === 0 && (usage?.outputTokens ?? 0) <= 1;
}

/** `passes`: what the model read more than once is counted more than once. */
function isImpossible(usage: Usage, { model, worst, maxOutputTokens }: SettledCall, passes = 1): boolean {
  const mostInput = Math.max(model.contextTokens, worst.inputTokens);
  const mostOutput = Math.max(model.maxOutputTokens ?? model.contextTokens, maxOutputTokens, worst.tokens);
  const isCount = (tokens: number, most: number): boolean =>
    Number.isSafeInteger(tokens) && tokens >= 0 && tokens <= most * passes;
  return (
    !isCount(usage.inputTokens, mostInput) ||
    !isCount(usage.outputTokens, mostOutput) ||
    !isCount(usage.cachedInputTokens, mostInput) ||
    !isCount(usage.cacheWriteTokens, mostInput) ||
    !isCount(usage.reasoningTokens, mostOutput) ||
    costOf(model.price, usage) > MOST_NANO_USD
  );
}

function isImpossibleCost(reported: NanoUsd, { model, worst, costIsReported }: SettledCall): boolean {
  if (reported > MOST_NANO_USD) return true;
  if (!costIsReported) return false;
  const most = worstCost(model.price, model.contextTokens, model.maxOutputTokens ?? model.contextTokens);
  return most > 0n && reported > REPORTED_AT_MOST * (most > worst.costNanoUsd ? most : worst.costNanoUsd);
}

function reportedCost({ reportedCostUsd }: ProviderAnswer | ProviderError): NanoUsd | undefined {
  return reportedCostUsd === undefined || reportedCostUsd === null ? undefined : readUsdUp(reportedCostUsd);
}

function seenTokens({ seenCharacters }: ProviderError, { text }: SettledCall): number {
  const notGiven = Math.max(0, seenCharacters - text.length);
  return sampledTokens(text) + Math.ceil(notGiven / CHARACTERS_PER_TOKEN);
}
