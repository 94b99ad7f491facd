// `x-headgate-tags: customer=acme, feature=search`: tags of a call whose body is the client's own.
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';

/** What is wrong with it, in a sentence. How many and how long they may be, the engine says. */
export function readTags(
  header: string | readonly string[] | undefined,
): Outcome<{ readonly [key: string]: string }, string> {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  const tags: { [key: string]: string } = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    if (at < 1 || key === '')
      return fail(`x-headgate-tags is read as 'name=value, name=value'; this part is not: '${part.trim()}'.`);
    tags[key] = part.slice(at + 1).trim();
  }
  return succeed(tags);
}
