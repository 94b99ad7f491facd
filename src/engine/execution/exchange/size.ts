// How large a client's request is: its texts counted, and its images and documents by the vendors' published formulas.
import { isObject } from '../../providers/client-body.ts';
import type { ClientBody } from '../../providers/client-body.ts';
import type { WorkThread } from '../thread/work-thread.ts';
import { loadTokenizer, promptSize, sampledTokens, tokenizerLoaded } from '../tokens.ts';
import type { PromptSize } from '../tokens.ts';
import { isMediaData, mediaIn, mediaTokens } from './media.ts';
import type { Medium } from './media.ts';

/** Of what is not in the body, and of unknown size. */
const UNKNOWN = Number.POSITIVE_INFINITY;

/** A large body is counted by the other thread, no longer than `signal` says. */
export async function exchangeSize(
  thread: Pick<WorkThread, 'countTokens'>,
  body: ClientBody,
  signal?: AbortSignal,
): Promise<PromptSize> {
  const media = mediaIn(body.value);
  const texts = [media.length === 0 ? body.text : withoutMedia(body.value)];
  const counts = tokenizerLoaded() ? await thread.countTokens(texts, signal) : null;
  const size = promptSize(texts, counts, '');
  // What a server remembers of a conversation is input too.
  const remembers =
    typeof body.value['previous_response_id'] === 'string' || isObject(body.value['conversation']);
  return {
    // A client's own request is passed on as it is, whatever is read of it.
    counted: 0,
    tokens: size.tokens + sum(media, (medium) => mediaTokens(medium, 'typical')),
    bound: (model) =>
      remembers
        ? UNKNOWN
        : size.bound(model) + sum(media, (medium) => mediaTokens(medium, model.adapter, model.model)),
  };
}

function sum(media: readonly Medium[], tokens: (medium: Medium) => number): number {
  return media.reduce((total, medium) => total + tokens(medium), 0);
}

/** Data of images is no text: nobody counts its letters. */
function withoutMedia(value: unknown): string {
  return JSON.stringify(value, (key, member: unknown) => (isMediaData(key, member) ? '' : member));
}

/** Our own count of a request, for who only asks: of a large one by its beginning. */
export async function countRequest(body: ClientBody): Promise<number> {
  if (!tokenizerLoaded()) await loadTokenizer();
  const { tokens } = await exchangeSize({ countTokens: (texts) => texts.map(sampledTokens) }, body);
  return tokens;
}
