// Whether a provider is asked to keep the beginning of a prompt: only where what was seen of the step says that the write will have paid.
import { LRUCache } from 'lru-cache';
import { sha256Hex } from '../../common/json.ts';
import type { Clock } from '../../common/clock.ts';
import { formatDuration } from '../../common/units.ts';
import type { PlanModel, PlanRates } from '../../language/plan/types.ts';
import type { ConstantPart, ModelRequest, PromptCacheTerms, Usage } from '../providers/port.ts';
import { tierOf } from '../routing/cost.ts';

/** What is known of one beginning at one model. */
interface Kept {
  /** Monotonic, all of them the beginnings of calls: a provider counts from then on, or later. When it was last read or written. */
  usedAtMs: number | null;
  /** Of the last call that has ended, whether it asked or not. */
  calledAtMs: number | null;
  /** Calls that came after another had ended; of those, the ones that would have read what that one had written. */
  calls: number;
  soon: number;
  writesUnderWay: number;
  /** Whole prompts, by a few of their characters, and when each came last; how many came, and how many of them again in time. */
  wholes: LRUCache<string, number> | undefined;
  prompts: number;
  again: number;
  /** Paid for writes and not yet earned back by reads, in nano-dollars a million tokens, as the rates are; below 0: earned. */
  owed: bigint;
  askedAtMs: number;
}

/** Calls and answers of one beginning: as many as tell a habit; twice that, and the older ones count half. */
const MOST_CALLS = 64;
/** Writes that nobody read, after which it is given up for a while: the provider keeps it otherwise than it says, or other keys and nodes are asked. */
const MOST_WASTED = 4n;
const GIVEN_UP_MS = 3_600_000;
/** Prompts of one step that are remembered for whether they come again. */
const MOST_WHOLES = 64;
/** Steps and models of a plan, several times over (INV-14). What is forgotten is learnt anew within two calls. */
const MOST_KEPT = 2_000;

/** One call, as far as the provider's cache is concerned. */
export interface PromptCacheCall {
  /** Whether the provider is asked to keep the beginning, or to read what it has kept. */
  readonly asks: boolean;
  /** Where the provider writes whole prompts by itself: they come again often enough for that. */
  readonly whole: boolean;
  /** Why, for people; '' where it is not asked. */
  readonly why: string;
  /** `usage`: as the provider counted; null: it did not, or nobody has seen it. Once. */
  ended(usage: Usage | null): void;
}

export interface PromptCacheQuestion {
  readonly model: Pick<PlanModel, 'key' | 'price'>;
  readonly constant: Pick<ConstantPart, 'key'>;
  /** Of the constant beginning, as counted here. */
  readonly tokens: number;
  /** Of the whole input: it decides the rates. */
  readonly inputTokens: number;
  readonly terms: PromptCacheTerms;
  readonly request: Pick<ModelRequest, 'system' | 'prompt'>;
}

/**
 * Asked is, while what was written is believed to be there still; and where it is not, once it would have paid so far: of n calls that came after another
 * k came soon enough to read what that one had written, so that k reads would have been cheaper by more than n writes, and this one, would have been dearer:
 * k (input − cached) ≥ (n + 1) (write − input). For a habit that nothing is known of beforehand the chance that the next call reads it is (k + 1) / (n + 2),
 * which is more than the k / (n + 1) that this asks for: no question is expected to cost more than it saves.
 */
export class PromptCaches {
  readonly #clock: Clock;
  readonly #kept = new LRUCache<string, Kept>({ max: MOST_KEPT });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin({ model, constant, tokens, inputTokens, terms, request }: PromptCacheQuestion): PromptCacheCall {
    const { price } = model;
    const rates = price.kind === 'free' ? undefined : tierOf(price.tiers, inputTokens);
    if (rates === undefined) return NOT_ASKED;
    const nowMs = this.#clock.monotonicMs();
    const kept = this.#of(`${model.key}\n${constant.key}`);
    const whole =
      terms.writesAll === true && isWelcome(kept, fingerprint(request), rates, nowMs, terms.liveMs);
    // Whether the provider would keep it is a question of its length alone: of what it does not keep, nothing is counted.
    if (tokens < terms.leastTokens) return { ...NOT_ASKED, whole };
    count(kept, nowMs, terms.liveMs);
    const isLive = kept.usedAtMs !== null && nowMs - kept.usedAtMs < terms.liveMs;
    const asks = pays(rates, kept, isLive, nowMs);
    const writes = asks && !isLive;
    if (writes) kept.writesUnderWay += 1;
    if (asks) kept.askedAtMs = nowMs;
    return {
      asks,
      whole,
      why: asks ? whyAsked(kept, isLive, terms.liveMs) : '',
      ended(usage) {
        if (writes) kept.writesUnderWay -= 1;
        kept.calledAtMs = Math.max(kept.calledAtMs ?? nowMs, nowMs);
        if (!asks || usage === null) return;
        const { cachedInputTokens, cacheWriteTokens } = usage;
        if (cachedInputTokens + cacheWriteTokens > 0) kept.usedAtMs = Math.max(kept.usedAtMs ?? nowMs, nowMs);
        else kept.usedAtMs = null;
        if (cacheWriteTokens > 0) kept.owed += premiumOf(rates);
        // What was earned long ago does not pay for a cache that is not kept any more.
        if (cachedInputTokens > 0)
          kept.owed = larger(kept.owed - (rates.input - rates.cachedInput), -MOST_WASTED * premiumOf(rates));
      },
    };
  }

  #of(key: string): Kept {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = {
        wholes: undefined,
        prompts: 0,
        again: 0,
        usedAtMs: null,
        calledAtMs: null,
        calls: 0,
        soon: 0,
        writesUnderWay: 0,
        owed: 0n,
        askedAtMs: 0,
      };
      this.#kept.set(key, kept);
    }
    return kept;
  }
}

const NOT_ASKED: PromptCacheCall = { asks: false, whole: false, why: '', ended: () => undefined };

function whyAsked({ soon, calls }: Kept, isLive: boolean, liveMs: number): string {
  const within = formatDuration(liveMs);
  return isLive
    ? `it was read or written there within ${within}`
    : calls === 0
      ? 'a write costs no more than plain input'
      : `${Math.round(soon)} of the last ${Math.round(calls)} calls came within ${within} of the one before`;
}

/** A call that begins while no other has ended says nothing of how long a write would have lived. */
function count(kept: Kept, nowMs: number, liveMs: number): void {
  if (kept.calledAtMs === null) return;
  if (kept.calls >= MOST_CALLS) {
    kept.calls /= 2;
    kept.soon /= 2;
  }
  kept.calls += 1;
  if (nowMs - kept.calledAtMs < liveMs) kept.soon += 1;
}

/** The same reckoning for a prompt to its end: one that has just been here would be read, or is worth writing once enough of them have come again. */
function isWelcome(kept: Kept, prompt: string, rates: PlanRates, nowMs: number, liveMs: number): boolean {
  const wholes = (kept.wholes ??= new LRUCache({ max: MOST_WHOLES }));
  const cameAtMs = wholes.get(prompt);
  wholes.set(prompt, nowMs);
  if (kept.prompts >= MOST_CALLS) {
    kept.prompts /= 2;
    kept.again /= 2;
  }
  const isAgain = cameAtMs !== undefined && nowMs - cameAtMs < liveMs;
  kept.prompts += 1;
  if (isAgain) kept.again += 1;
  const gain = Number(rates.input - rates.cachedInput);
  return gain > 0 && (isAgain || kept.again * gain >= (kept.prompts + 1) * Number(premiumOf(rates)));
}

/** Of the end of a prompt most is seen of what makes it another one. */
const LAST_CHARACTERS = 2_048;

function fingerprint({ system, prompt }: Pick<ModelRequest, 'system' | 'prompt'>): string {
  // Its hash: a piece of a text keeps the whole of it in memory.
  return sha256Hex(`${system?.length ?? 0} ${prompt.length} ${prompt.slice(-LAST_CHARACTERS)}`);
}

function pays(rates: PlanRates, kept: Kept, isLive: boolean, nowMs: number): boolean {
  const gain = Number(rates.input - rates.cachedInput);
  if (gain <= 0) return false;
  const premium = premiumOf(rates);
  if (kept.owed > MOST_WASTED * premium && premium > 0n) {
    if (nowMs - kept.askedAtMs < GIVEN_UP_MS) return false;
    kept.owed = 0n;
    kept.usedAtMs = null;
  }
  if (isLive) return true;
  // What is being written cannot be read before it is there.
  return (
    (premium <= 0n || kept.writesUnderWay === 0) && kept.soon * gain >= (kept.calls + 1) * Number(premium)
  );
}

/** What a write costs beyond plain input. */
function premiumOf({ input, cacheWrite }: PlanRates): bigint {
  return larger(cacheWrite - input, 0n);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
