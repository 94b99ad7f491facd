// How long a provider asks to wait: from its headers, from the words of its message, or from what its body says beside them.
import { members } from './reading.ts';
import { parseDurationMs, resetMs, serverNowMs } from './rate-headers.ts';

export interface HeaderLookup {
  get(name: string): string | null;
}

const AMOUNT =
  '\\d+(?:\\.\\d+)? ?(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\\b';
/**
 * OpenAI: "Please try again in 1.3s", "in 6m0s"; Gemini: "Please retry in 37.5s"; Azure: "Please retry after 2 seconds"; others: "wait 20 seconds",
 * "available again in 1 minute 30 seconds".
 */
const IN_WORDS = new RegExp(
  `\\b(?:try(?:ing)? again|retry(?:ing)?|wait|available(?: again)?|resets?)(?: (?:after|in|for|at least|about|approximately))*:? ((?:\\d+(?:\\.\\d+)?(?:ms|h|m|s))+\\b|${AMOUNT}(?:(?:,| and)* ${AMOUNT})*)`,
  'i',
);
const IN_UNITS = new RegExp(`^${AMOUNT}(?:(?:,| and)* ${AMOUNT})*$`, 'i');
/** `retry_after=17s`, `Retry-After: 17`. */
const KEYED = /\bretry[_ -]?after["']?\s?[=:]\s?["']?(\d{1,9}(?:\.\d{1,9})?)\s?(ms|s|m|h)?\b/i;
/** Azure's gateway: "Quota will be replenished in 02:12:45". */
const BY_THE_CLOCK = /\b(?:replenished|renewed|retry|try again) (?:in|after) (\d{1,3}):(\d\d):(\d\d)\b/i;
/** "try again at 2026-01-01T12:00:00Z", "resets on …", "until …". */
const AT_A_TIME =
  /\b(?:(?:try again|retry|available(?: again)?|resets?) (?:at|on|after)|until):? (\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| ?UTC| ?GMT|[+-]\d\d:?\d\d)?)/i;

const UNIT_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds from now; null: the provider does not say. A time in the past is 0. `body`: of the error, as far as it is one. */
export function retryAfterMs(
  headers: HeaderLookup | null,
  message: string,
  nowMs: number,
  body: unknown = null,
): number | null {
  return (
    (headers && fromHeaders(headers, nowMs)) ?? fromWords(message, headers, nowMs) ?? fromBody(body, nowMs, 0)
  );
}

function fromHeaders(headers: HeaderLookup, nowMs: number): number | null {
  const inMs = headers.get('retry-after-ms') ?? headers.get('x-ms-retry-after-ms');
  const value = headers.get('retry-after') ?? headers.get('x-retry-after');
  // Azure has been seen to send `retry-after-ms: 0` beside `retry-after: 1`: a zero says nothing where the other says more.
  if (inMs !== null && /^\s*\d+(\.\d+)?\s*$/.test(inMs) && (Number(inMs) > 0 || value === null))
    return Math.ceil(Number(inMs));
  if (value === null) return null;
  const whole = retryAfterValueMs(value.trim().replace(/^"(.*)"$/, '$1'), headers, nowMs);
  if (whole !== null) return whole;
  // A header that two servers of the way have set comes as a list; to come back before the later time is to be refused again.
  const each = value.split(',').flatMap((part) => retryAfterValueMs(part.trim(), headers, nowMs) ?? []);
  return each.length === 0 ? null : Math.max(...each);
}

function retryAfterValueMs(value: string, headers: HeaderLookup, nowMs: number): number | null {
  if (/^\+?\d+(\.\d+)?$/.test(value)) {
    // No one asks to wait thirty years: a number that large is a time.
    return Number(value) > 1e9
      ? resetMs(value.replace('+', ''), headers, nowMs)
      : Math.ceil(Number(value) * 1000);
  }
  const duration = parseDurationMs(value);
  if (duration !== null) return duration;
  if (IN_UNITS.test(value)) return spelledMs(value);
  // Date.parse takes almost anything for a date, "-5" included.
  const atMs = /^(?:[A-Z][a-z]{2}|\d{4}-)/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - serverNowMs(headers, nowMs));
}

function fromWords(message: string, headers: HeaderLookup | null, nowMs: number): number | null {
  const clock = BY_THE_CLOCK.exec(message);
  if (clock !== null) {
    const [, hours, minutes, seconds] = clock.map(Number);
    return ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000;
  }
  const words = IN_WORDS.exec(message)?.[1];
  if (words !== undefined) return parseDurationMs(words) ?? spelledMs(words);
  const [, amount, unit = 's'] = KEYED.exec(message) ?? [];
  if (amount !== undefined) return spelledMs(`${amount} ${unit}`);
  const at = AT_A_TIME.exec(message)?.[1];
  if (at === undefined) return /"retryDelay": ?"/.test(message) ? delayIn(message) : null;
  // Without a zone it is UTC: servers do not know where we are.
  const zoned = /(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$/i.test(at) ? at : `${at}Z`;
  const atMs = Date.parse(zoned.replace(/ ?(?:UTC|GMT)$/i, 'Z').replace(' ', 'T'));
  if (Number.isNaN(atMs)) return null;
  return Math.max(0, atMs - (headers === null ? nowMs : serverNowMs(headers, nowMs)));
}

/** "1 minute 30 seconds", "2 hours and 5 mins". */
function spelledMs(words: string): number {
  let ms = 0;
  for (const [, amount = '0', unit = 's'] of words.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/gi)) {
    const short = /^(?:ms|milli|msec)/i.test(unit) ? 'ms' : unit.charAt(0).toLowerCase();
    ms += Number(amount) * (UNIT_MS[short] ?? 1000);
  }
  return Math.ceil(Number(ms.toFixed(3)));
}

/** Google: "retryDelay": "37s", where its details stand in the message. */
function delayIn(message: string): number | null {
  return parseDurationMs(/"retryDelay": ?"(\d+(?:\.\d+)?s)"/.exec(message)?.[1] ?? '');
}

const SECONDS = /^(?:retry[_-]?after(?:_?seconds?)?|resets?_?in_?seconds|estimated_?time)$/i;
const MILLISECONDS = /^retry[_-]?after[_-]?(?:ms|millis(?:econds)?)$/i;
const RESETS = /^(?:x-)?rate-?limit-reset$|^resets?_?at$/i;

/** What stands in the body: `retry_after: 20`, Google's `retryDelay: "37s"`, the headers that OpenRouter passes on. */
function fromBody(value: unknown, nowMs: number, depth: number): number | null {
  if (depth > 5) return null;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 20)) {
      const found = fromBody(item, nowMs, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
  for (const [name, said] of Object.entries(members(value) ?? {})) {
    const found = named(name, said, nowMs) ?? fromBody(said, nowMs, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function named(name: string, said: unknown, nowMs: number): number | null {
  const { seconds } = (name === 'retryDelay' && members(said)) || {};
  if (typeof seconds === 'number') return seconds * 1000;
  if (typeof said !== 'number' && typeof said !== 'string') return null;
  const text = String(said).trim();
  if (name === 'retryDelay') return parseDurationMs(text);
  if (RESETS.test(name)) return resetMs(text, null, nowMs);
  if (!/^\d+(?:\.\d+)?s?$/.test(text)) return null;
  if (MILLISECONDS.test(name)) return Math.ceil(Number.parseFloat(text));
  return SECONDS.test(name) ? Math.ceil(Number.parseFloat(text) * 1000) : null;
}
