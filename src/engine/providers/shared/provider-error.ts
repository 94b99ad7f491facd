// Makes a ProviderError: complete, worded for people, and without a secret in it.
import type { ProviderError } from '../port.ts';

/** A server's words may be a whole stack trace; ours stand around them. */
const MAX_WORDS = 400;
const MAX_MESSAGE_CHARACTERS = 700;

type Needed = Pick<ProviderError, 'class' | 'advice' | 'billed' | 'message'>;

/** What is not given was not known. */
export function providerError(fields: Needed & Partial<ProviderError>): ProviderError {
  return {
    status: null,
    retryAfterMs: null,
    usage: null,
    seenCharacters: 0,
    requestId: null,
    rateLimits: [],
    ...fields,
    message: shorten(fields.message, MAX_MESSAGE_CHARACTERS),
  };
}

/** One line, not longer than a person reads. */
export function shorten(words: string, most = MAX_WORDS): string {
  const oneLine = words.replace(/\s+/g, ' ').trim();
  if (oneLine.length <= most) return oneLine;
  return `${oneLine.slice(0, most - 1).toWellFormed()}…`;
}
