// What limits an answer in each protocol of clients, and which of it cannot be gone by.
import type { ClientProtocol } from './exchange-port.ts';

/** The names of the limit of output; a body of chat may have the older and the newer. */
export const OUTPUT_LIMITS: {
  readonly [protocol in Exclude<ClientProtocol, 'embeddings'>]: readonly string[];
} = {
  chat: ['max_completion_tokens', 'max_tokens'],
  responses: ['max_output_tokens'],
  messages: ['max_tokens'],
  count_tokens: [],
};

/** More answers to one request than any vendor gives. */
const MOST_CHOICES = 1_000;

/** What is wrong with the limits of a request, in a sentence: a server that reads them otherwise than we do would give more than is held. */
export function limitProblem(
  protocol: ClientProtocol,
  value: { readonly [name: string]: unknown },
): string | undefined {
  if (protocol === 'embeddings') return undefined;
  const isSet = (name: string): boolean => value[name] !== undefined && value[name] !== null;
  const named = OUTPUT_LIMITS[protocol].find((name) => isSet(name) && !Number.isFinite(value[name]));
  if (named !== undefined) return `'${named}' is to be a number.`;
  const { n } = value;
  if (protocol !== 'chat' || !isSet('n')) return undefined;
  return Number.isFinite(n) && Number(n) <= MOST_CHOICES
    ? undefined
    : `'n' is to be a number, of at most ${MOST_CHOICES} answers.`;
}

/** Some servers take none and less for no limit at all. */
export function limitIn(value: unknown): number | null {
  return typeof value === 'number' && value >= 1 ? Math.ceil(value) : null;
}

/** Is what is asked for no more than that? */
export function isWithin(asked: unknown, most: number): boolean {
  const limit = limitIn(asked);
  return limit !== null && limit <= most;
}
