// How long a provider asks to wait: from its headers, or from the words of its message.
import { parseDurationMs, serverNowMs } from './rate-headers.ts';

export interface HeaderLookup {
  get(name: string): string | null;
}

const IN_WORDS = [
  // OpenAI: "Please try again in 1.3s", "in 6m0s", "in 20ms"; Gemini: "Please retry in 37.5s".
  /\b(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)/i,
  // Azure: "Please retry after 2 seconds", "Try again in 26 seconds"; "retry after 500 milliseconds".
  /\b(?:try again|retry) (?:after|in) (\d+(?:\.\d+)?) ?(milliseconds?|seconds?|minutes?|hours?)\b/i,
  // Google: "retryDelay": "37s"
  /"retryDelay": ?"(\d+(?:\.\d+)?s)"/,
];

const UNIT_MS: { readonly [unit: string]: number } = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
};

/** Milliseconds from now; null: the provider does not say. A time in the past is 0. */
export function retryAfterMs(headers: HeaderLookup | null, message: string, nowMs: number): number | null {
  return (headers && fromHeaders(headers, nowMs)) ?? fromWords(message);
}

function fromHeaders(headers: HeaderLookup, nowMs: number): number | null {
  const inMs = headers.get('retry-after-ms');
  const value = headers.get('retry-after');
  // Azure has been seen to send `retry-after-ms: 0` beside `retry-after: 1`: a zero says nothing where the other says more.
  if (inMs !== null && /^\s*\d+(\.\d+)?\s*$/.test(inMs) && (Number(inMs) > 0 || value === null))
    return Math.ceil(Number(inMs));
  if (value === null) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  // Date.parse takes almost anything for a date, "-5" included.
  const atMs = /^(?:[A-Z][a-z]{2}|\d{4}-)/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - serverNowMs(headers, nowMs));
}

function fromWords(message: string): number | null {
  for (const pattern of IN_WORDS) {
    const match = pattern.exec(message);
    if (!match) continue;
    const [, amount = '', unit] = match;
    if (unit === undefined) return parseDurationMs(amount);
    return Math.ceil(Number(amount) * (UNIT_MS[unit.toLowerCase().replace(/s$/, '')] ?? 1000));
  }
  return null;
}
