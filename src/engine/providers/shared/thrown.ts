// What was thrown, as a failure that can be classified: a refusal has status, headers and body, in the form of the SDKs' errors.
import { members, textOf } from './reading.ts';
import type { JsonMembers } from './reading.ts';
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
  // OpenAI's SDK gives the inner `error`, Anthropic's the whole body; some servers send a bare text, or `detail`.
  const body = members(thrown['error']);
  const reported = members(body?.['error']) ?? body;
  const message =
    textOf(reported?.['message']) ??
    textOf(body?.['error']) ??
    textOf(thrown['error']) ??
    textOf(reported?.['detail']) ??
    withoutStatus(error instanceof Error ? error.message : '', status);
  const again = headers?.get('x-should-retry') ?? null;
  const details = reported?.['details'];
  return {
    status,
    headers,
    failure: {
      status,
      type: textOf(reported?.['type']),
      code: codeOf(reported),
      message,
      shouldRetry: again === null ? null : again === 'true',
      retryAfterMs: retryAfterMs(
        headers,
        details === undefined ? message : `${message} ${JSON.stringify(details)}`,
        nowMs,
      ),
    },
  };
}

/** A code is a text, or a number where a server repeats the status. */
export function codeOf(error: JsonMembers | undefined): string | null {
  const code = error?.['code'];
  return typeof code === 'number' ? String(code) : textOf(code);
}

/** `{ type, code, message }` of an error inside a 200, whatever is missing of it. */
export function reportedInside(error: unknown): {
  readonly type: string | null;
  readonly code: string | null;
  readonly message: string;
} {
  const inside = members(error);
  return {
    type: textOf(inside?.['type']),
    code: codeOf(inside),
    message: textOf(inside?.['message']) ?? textOf(error) ?? JSON.stringify(error),
  };
}

/** The SDKs put the status before the body's text. */
function withoutStatus(message: string, status: number): string {
  return message.startsWith(`${status} `) ? message.slice(String(status).length + 1) : message;
}
