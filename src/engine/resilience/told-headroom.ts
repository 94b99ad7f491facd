// What a provider's own headers say is left, made to age: it refills evenly until the time the provider named, and is used up by our own calls.

/** Same shape as a provider's RateHeadroom; `kind` is `requests`, `tokens`, `inputTokens` or `outputTokens`. */
export interface Told {
  readonly kind: string;
  readonly limit: number | null;
  readonly remaining: number;
  readonly resetsInMs: number | null;
}

/** Without a time of reset, a word about what is left is good for one of the windows that providers commonly use. */
const UNDATED_MS = 60_000;

export interface ToldHeadroom {
  observe(told: Told, nowMs: number): void;
  /** Milliseconds until that much is left again. */
  delayMs(requests: number, tokens: number, nowMs: number): number;
  take(requests: number, tokens: number): void;
  /** The smallest share left among what limits requests, or tokens; null: nothing is known, or no limit was named. */
  left(what: 'requests' | 'tokens', nowMs: number): number | null;
}

interface Level {
  limit: number;
  remaining: number;
  atMs: number;
  fullInMs: number;
}

export function createToldHeadroom(): ToldHeadroom {
  const levels = new Map<Kind, Level>();

  const refilled = (level: Level, nowMs: number): number => {
    const share = level.fullInMs <= 0 ? 1 : Math.min(1, (nowMs - level.atMs) / level.fullInMs);
    return level.remaining + (level.limit - level.remaining) * share;
  };

  return {
    observe(told, nowMs) {
      const kind = kindOf(told.kind);
      const remaining = countOf(told.remaining);
      if (kind === undefined || remaining === null) return;
      const limit = Math.max(countOf(told.limit) ?? remaining, remaining, 1);
      levels.set(kind, { limit, remaining, atMs: nowMs, fullInMs: countOf(told.resetsInMs) ?? UNDATED_MS });
    },
    delayMs(requests, tokens, nowMs) {
      let longest = 0;
      for (const [kind, level] of levels) {
        const { limit, remaining, atMs, fullInMs } = level;
        if (nowMs - atMs >= fullInMs) {
          levels.delete(kind);
          continue;
        }
        const need = Math.min(needOf(kind, requests, tokens), limit);
        if (refilled(level, nowMs) >= need) continue;
        const wholeMs = ((need - remaining) / (limit - remaining)) * fullInMs;
        longest = Math.max(longest, Math.max(1, Math.ceil(atMs + wholeMs - nowMs)));
      }
      return longest;
    },
    take(requests, tokens) {
      for (const [kind, level] of levels) level.remaining -= spentOf(kind, requests, tokens);
    },
    left(what, nowMs) {
      let least: number | null = null;
      for (const [kind, level] of levels) {
        if ((kind === 'requests') !== (what === 'requests') || nowMs - level.atMs >= level.fullInMs) continue;
        const share = Math.max(0, Math.min(1, refilled(level, nowMs) / level.limit));
        least = least === null ? share : Math.min(least, share);
      }
      return least;
    },
  };
}

const KINDS = ['requests', 'tokens', 'inputTokens', 'outputTokens'] as const;
type Kind = (typeof KINDS)[number];

function kindOf(text: string): Kind | undefined {
  return KINDS.find((kind) => kind === text);
}

/** We know a call's tokens as one number: where a provider counts input and output apart, a call waits only when one of them is used up. */
function needOf(kind: Kind, requests: number, tokens: number): number {
  if (kind === 'requests') return requests;
  return kind === 'tokens' ? tokens : 1;
}

function spentOf(kind: Kind, requests: number, tokens: number): number {
  if (kind === 'requests') return requests;
  return kind === 'tokens' ? tokens : 0;
}

/** Headers hold whatever a server writes: what is no number says nothing. */
function countOf(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? Math.max(0, value) : null;
}
