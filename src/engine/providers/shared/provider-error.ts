// Makes a ProviderError: complete, worded for people, and without a secret in it.
import type { ProviderError } from '../port.ts';

/** Messages of servers may be whole pages of HTML. */
const MAX_MESSAGE_CHARACTERS = 500;

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
    message: shorten(fields.message),
  };
}

function shorten(message: string): string {
  const oneLine = message.replace(/\s+/g, ' ').trim();
  return oneLine.length <= MAX_MESSAGE_CHARACTERS
    ? oneLine
    : `${oneLine.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`;
}
