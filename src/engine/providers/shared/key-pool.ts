// The keys of one provider: which of them the next call takes, by what is left of each and which are resting. Of one key that is refused the others know nothing.
import type { Clock } from '../../../common/clock.ts';
import type { CallOutcome, ProviderError, RateHeadroom } from '../port.ts';

/** A key that is not taken, or has no money left, is tried again after so long: people replace keys. */
const REFUSED_MS = 5 * 60_000;
/** After a refusal for rates that names no time. */
const SHORT_MS = 10_000;

interface Kept {
  /** Monotonic: it rests until then. */
  restsUntilMs: number;
  /** Of its fullest limit, 0 to 1; and until when that is known. */
  share: number;
  knownUntilMs: number;
  lastUse: number;
}

export class KeyPool {
  readonly #clock: Clock;
  /** By the names of the secrets, in the order of the file. */
  readonly #keys: ReadonlyMap<string, Kept>;
  #uses = 0;

  constructor(names: readonly string[], clock: Clock) {
    this.#clock = clock;
    this.#keys = new Map(
      names.map((name) => [name, { restsUntilMs: 0, share: 1, knownUntilMs: 0, lastUse: 0 }]),
    );
  }

  /** Of these, the fullest that does not rest, the one that rested longest among equals; where all rest, the one that is back first. */
  choose(names: readonly string[]): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    let best: { readonly name: string; readonly kept: Kept } | undefined;
    for (const name of names) {
      const kept = this.#keys.get(name);
      if (kept !== undefined && (best === undefined || isBetter(kept, best.kept, nowMs)))
        best = { name, kept };
    }
    if (best !== undefined) best.kept.lastUse = this.#uses += 1;
    return best?.name;
  }

  /** What a call with that key ended with, as the provider as a whole has it: while another of `names` can be used, a refusal of this one is no more than a reason to try again. */
  learn(name: string, names: readonly string[], outcome: CallOutcome): CallOutcome {
    const kept = this.#keys.get(name);
    if (kept === undefined || names.length < 2) return outcome;
    const nowMs = this.#clock.monotonicMs();
    const { rateLimits } = outcome.ok ? outcome.value : outcome.error;
    noteHeadroom(kept, rateLimits, nowMs);
    const restMs = outcome.ok ? 0 : restOf(outcome.error);
    if (restMs > 0) kept.restsUntilMs = nowMs + restMs;
    const othersOpen = names.some(
      (other) => other !== name && (this.#keys.get(other)?.restsUntilMs ?? nowMs + 1) <= nowMs,
    );
    if (outcome.ok) return othersOpen ? { ...outcome, value: { ...outcome.value, rateLimits: [] } } : outcome;
    if (othersOpen)
      return {
        ...outcome,
        error: {
          ...outcome.error,
          rateLimits: [],
          ...(restMs > 0 ? { advice: 'retry' as const, retryAfterMs: 0 } : {}),
        },
      };
    if (outcome.error.class !== 'rate_limited') return outcome;
    const backMs = Math.min(...names.map((other) => (this.#keys.get(other)?.restsUntilMs ?? nowMs) - nowMs));
    return { ...outcome, error: { ...outcome.error, retryAfterMs: Math.max(0, Math.ceil(backMs)) } };
  }
}

function isBetter(one: Kept, other: Kept, nowMs: number): boolean {
  const rests = [one, other].map(({ restsUntilMs }) => Math.max(0, restsUntilMs - nowMs));
  const [mine = 0, its = 0] = rests;
  if (mine !== its) return mine < its;
  const left = (kept: Kept): number => (kept.knownUntilMs > nowMs ? kept.share : 1);
  if (left(one) !== left(other)) return left(one) > left(other);
  return one.lastUse < other.lastUse;
}

function noteHeadroom(kept: Kept, limits: readonly RateHeadroom[], nowMs: number): void {
  let share = 1;
  let resetsInMs = 0;
  for (const { limit, remaining, resetsInMs: resets } of limits) {
    if (limit === null || limit === 0) continue;
    if (remaining / limit > share) continue;
    share = remaining / limit;
    resetsInMs = resets ?? SHORT_MS;
  }
  if (limits.length === 0) return;
  kept.share = share;
  kept.knownUntilMs = nowMs + resetsInMs;
}

/** How long a key is left alone after that; 0: it is not the key's fault. */
function restOf({ class: kind, retryAfterMs }: ProviderError): number {
  if (kind === 'authentication' || kind === 'quota_exhausted') return Math.max(REFUSED_MS, retryAfterMs ?? 0);
  return kind === 'rate_limited' ? Math.max(1, retryAfterMs ?? SHORT_MS) : 0;
}
