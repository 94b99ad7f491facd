// Rate headroom from response headers, of both vendors and of those who imitate them.
import type { RateHeadroom } from '../port.ts';
import type { HeaderLookup } from './retry-after.ts';

const OPENAI_KINDS = ['requests', 'tokens'] as const;
const ANTHROPIC_KINDS = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['input-tokens', 'inputTokens'],
  ['output-tokens', 'outputTokens'],
] as const;

const NOTHING: readonly RateHeadroom[] = [];

/** What the headers say is left; empty where they say nothing. `nowMs`: for servers that give the time of a reset and not their own. */
export function rateHeadroom(headers: HeaderLookup, nowMs: number): readonly RateHeadroom[] {
  let found: RateHeadroom[] | undefined;
  for (const kind of OPENAI_KINDS) {
    const remaining = count(headers.get(`x-ratelimit-remaining-${kind}`));
    if (remaining === null) continue;
    (found ??= []).push({
      kind,
      limit: count(headers.get(`x-ratelimit-limit-${kind}`)),
      remaining,
      resetsInMs: resetMs(headers, `x-ratelimit-reset-${kind}`, nowMs),
    });
  }
  for (const [name, kind] of ANTHROPIC_KINDS) {
    const remaining = count(headers.get(`anthropic-ratelimit-${name}-remaining`));
    if (remaining === null) continue;
    (found ??= []).push({
      kind,
      limit: count(headers.get(`anthropic-ratelimit-${name}-limit`)),
      remaining,
      resetsInMs: resetMs(headers, `anthropic-ratelimit-${name}-reset`, nowMs),
    });
  }
  return found ?? NOTHING;
}

/** `8.64s`, `1m51.595s`, `6m0s`, `120ms`, `1h`, `0s` → milliseconds, rounded up; null when it is not such a text. */
export function parseDurationMs(text: string): number | null {
  const parts =
    /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/.exec(
      text.trim(),
    );
  if (!parts || text.trim() === '') return null;
  const [, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = parts;
  const total =
    Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(milliseconds);
  // Through a fixed number of places: 8.64 × 1000 is 8640.000000000002.
  return Math.ceil(Number(total.toFixed(3)));
}

function resetMs(headers: HeaderLookup, name: string, nowMs: number): number | null {
  const text = headers.get(name);
  if (text === null || text === '') return null;
  const duration = parseDurationMs(text);
  if (duration !== null) return duration;
  if (/^\d+(\.\d+)?$/.test(text)) {
    // Bare numbers: seconds from now, or, where they are that large, a Unix time in seconds or milliseconds.
    const value = Number(text);
    if (value > 1e12) return Math.max(0, Math.ceil(value - nowMs));
    if (value > 1e9) return Math.max(0, Math.ceil(value * 1000 - nowMs));
    return Math.ceil(value * 1000);
  }
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - serverNowMs(headers, nowMs));
}

/** A time that a server gives is reckoned from the server's own clock: ours may be minutes off. */
export function serverNowMs(headers: HeaderLookup, nowMs: number): number {
  const date = headers.get('date');
  const atMs = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(atMs) ? nowMs : atMs;
}

function count(text: string | null): number | null {
  if (text === null) return null;
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? null : Math.max(0, value);
}
