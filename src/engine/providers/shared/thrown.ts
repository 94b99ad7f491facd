// What was thrown, as a failure that can be classified: a refusal has status, headers and body, in the form of the SDKs' errors.
import { errorWords, looksLikeHtml } from './error-body.ts';
import { members, textOf } from './reading.ts';
import type { HeaderLookup } from './retry-after.ts';
import { retryAfterMs } from './retry-after.ts';
import type { ReportedFailure } from './classify.ts';

export interface ThrownAnswer {
  readonly failure: ReportedFailure;
  readonly status: number;
  readonly headers: HeaderLookup | null;
}

/** undefined: there was no answer; the connection failed. */
export function readThrown(error: unknown, nowMs: number): ThrownAnswer | undefined {
  const thrown = members(error);
  const status = thrown?.['status'];
  if (thrown === undefined || typeof status !== 'number') return undefined;
  const headers = (thrown['headers'] ?? null) as HeaderLookup | null;
  const body = thrown['error'];
  const isText = typeof body !== 'object' || body === null;
  const words = errorWords(isText ? (textOf(body) ?? '') : body);
  const message = aboutStatus(status, headers, textOf(body)) ?? (words.message || 'no reason given');
  const again = headers?.get('x-should-retry') ?? null;
  return {
    status,
    headers,
    failure: {
      ...words,
      status: insideOf(status, words.status),
      message,
      shouldRetry: again === null ? null : again === 'true',
      retryAfterMs: retryAfterMs(headers, message, nowMs, words.body),
      fromVendor: words.body !== null,
    },
  };
}

/** A gateway that answers 500 whatever happened may tell what it was told itself. */
function insideOf(status: number, inside: number | null): number {
  return status >= 500 && inside !== null && inside < 500 ? inside : status;
}

/** What a status, or what stands between here and the provider, says by itself. */
function aboutStatus(status: number, headers: HeaderLookup | null, body: string | null): string | undefined {
  if (status >= 300 && status < 400) {
    const to = headers?.get('location') ?? null;
    return to === null || to === ''
      ? 'a redirect to nowhere; is baseUrl right?'
      : `redirected to ${withoutQuery(to)}; redirects are not followed, set baseUrl to where this leads`;
  }
  if (body !== null && looksLikeHtml(body) && headers?.get('cf-mitigated') === 'challenge')
    return `${errorWords(body).message} (Cloudflare wants a browser here, so no program is let through)`;
  return undefined;
}

/** A query may carry what is secret. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '').slice(0, 200);
}
