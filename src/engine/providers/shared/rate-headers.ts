// Rate headroom from response headers, of both vendors and of those who imitate them.
import type { RateHeadroom } from '../port.ts';
import type { HeaderLookup } from './retry-after.ts';

/** OpenAI's names, and those of servers that name the window too (Cerebras, Groq): `x-ratelimit-remaining-tokens-minute`. */
const OPENAI_KINDS = (['requests', 'tokens'] as const).flatMap((kind) =>
  [`project-${kind}`, kind, ...['second', 'minute', 'hour', 'day'].map((window) => `${kind}-${window}`)].map(
    (name) => ({
      kind,
      remaining: `x-ratelimit-remaining-${name}`,
      limit: `x-ratelimit-limit-${name}`,
      reset: `x-ratelimit-reset-${name}`,
    }),
  ),
);
const ANTHROPIC_KINDS = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['input-tokens', 'inputTokens'],
  ['output-tokens', 'outputTokens'],
] as const;
const ANTHROPIC_NAMES = ANTHROPIC_KINDS.map(([name, kind]) => ({
  kind,
  remaining: `anthropic-ratelimit-${name}-remaining`,
  limit: `anthropic-ratelimit-${name}-limit`,
  reset: `anthropic-ratelimit-${name}-reset`,
}));

const NOTHING: readonly RateHeadroom[] = [];

/** What the headers say is left; empty where they say nothing. `nowMs`: for servers that give the time of a reset and not their own. */
export function rateHeadroom(headers: HeaderLookup, nowMs: number): readonly RateHeadroom[] {
  let found: RateHeadroom[] | undefined;
  for (const names of OPENAI_KINDS) {
    const remaining = count(headers.get(names.remaining));
    if (remaining === null) continue;
    const resetsInMs = headerResetMs(headers, names.reset, nowMs);
    found = narrower(found, {
      kind: names.kind,
      limit: count(headers.get(names.limit)),
      remaining,
      resetsInMs,
    });
  }
  for (const { kind, remaining: left, limit, reset } of ANTHROPIC_NAMES) {
    const remaining = count(headers.get(left));
    if (remaining === null) continue;
    (found ??= []).push({
      kind,
      limit: count(headers.get(limit)),
      remaining,
      resetsInMs: headerResetMs(headers, reset, nowMs),
    });
  }
  return found ?? NOTHING;
}

/** Of two windows of a kind the one that is used up further is the one to keep to; of two that are used up, the one that stays so for longer. */
function narrower(found: RateHeadroom[] | undefined, next: RateHeadroom): RateHeadroom[] {
  const list = found ?? [];
  const index = list.findIndex(({ kind }) => kind === next.kind);
  const known = list[index];
  if (known === undefined) list.push(next);
  else if (share(next) < share(known) || (share(next) === share(known) && longer(next, known)))
    list[index] = next;
  return list;
}

function share({ remaining, limit }: RateHeadroom): number {
  return remaining === 0 ? 0 : limit === null || limit === 0 ? 1 : remaining / limit;
}

function longer(a: RateHeadroom, b: RateHeadroom): boolean {
  return (a.resetsInMs ?? 0) > (b.resetsInMs ?? 0);
}

const UNNAMED_KINDS = [
  'x-ratelimit',
  'x-rate-limit',
  'ratelimit',
  // Mistral, by tokens.
  'ratelimitbysize',
  'anthropic-ratelimit-unified',
];
/** `timeremaining`: GitHub Models. */
const RESETS = ['reset', 'reset-after', 'timeremaining'];

/**
 * After a refusal for rates without Retry-After: when what is used up is full again. Headers that name no kind (`x-ratelimit-reset`, the
 * `RateLimit` fields of the IETF's draft) are read here alone: on an answer nobody knows what they count.
 */
export function exhaustedForMs(
  rateLimits: readonly RateHeadroom[],
  headers: HeaderLookup,
  nowMs: number,
): number | null {
  const waits = rateLimits.flatMap(({ remaining, resetsInMs }) =>
    remaining === 0 && resetsInMs !== null ? [resetsInMs] : [],
  );
  for (const prefix of UNNAMED_KINDS) {
    if ((count(headers.get(`${prefix}-remaining`)) ?? 0) > 0) continue;
    for (const name of RESETS) {
      const reset = headerResetMs(headers, `${prefix}-${name}`, nowMs);
      if (reset !== null) waits.push(reset);
    }
  }
  // Anthropic's plans: a window of five hours, and one of a week.
  for (const window of ['5h', '7d']) {
    const name = `anthropic-ratelimit-unified-${window}`;
    const reset = headerResetMs(headers, `${name}-reset`, nowMs);
    if (reset !== null && headers.get(`${name}-status`) === 'rejected') waits.push(reset);
  }
  // `limit=10, remaining=0, reset=45`, and later `"default";r=0;t=45`.
  for (const policy of (headers.get('ratelimit') ?? '').split(/,(?=\s*")/)) {
    const left = /\b(?:remaining|r)=(\d+)/.exec(policy)?.[1] ?? '0';
    const reset = /\b(?:reset|t)=(\d+(?:\.\d+)?)/.exec(policy)?.[1];
    if (Number(left) === 0 && reset !== undefined) waits.push(Math.ceil(Number(reset) * 1000));
  }
  return waits.length === 0 ? null : Math.max(...waits);
}

/** `8.64s`, `1m51.595s`, `6m0s`, `120ms`, `1h`, `0s` → milliseconds, rounded up; null when it is not such a text. */
export function parseDurationMs(text: string): number | null {
  const parts =
    /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/.exec(
      text.trim(),
    );
  if (!parts || text.trim() === '') return null;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = parts;
  const total =
    Number(days) * 86_400_000 +
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1000 +
    Number(milliseconds);
  // Through a fixed number of places: 8.64 × 1000 is 8640.000000000002.
  return Math.ceil(Number(total.toFixed(3)));
}

function headerResetMs(headers: HeaderLookup, name: string, nowMs: number): number | null {
  const text = headers.get(name)?.trim() ?? '';
  return text === '' ? null : resetMs(text, headers, nowMs);
}

/** Milliseconds from now until the time that a text names: a duration, seconds, a Unix time, a date. `headers`: with the server's own time. */
export function resetMs(text: string, headers: HeaderLookup | null, nowMs: number): number | null {
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
  return Number.isNaN(atMs)
    ? null
    : Math.max(0, atMs - (headers === null ? nowMs : serverNowMs(headers, nowMs)));
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
