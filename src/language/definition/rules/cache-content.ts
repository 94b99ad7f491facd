// A cache whose answers are not kept.
import { formatDuration } from '../../../common/units.ts';
import { memberPlace } from '../located.ts';
import type { TaskDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';

/** What the plan fills in; a test holds the two to each other. */
export const ASSUMED_RETENTION = { content: 'full', forMs: 30 * 86_400_000 } as const;

export const cacheContent: Rule = {
  diagnostics: [
    {
      code: 'cache-without-content',
      severity: 'warning',
      title: 'A cache of answers that are not kept',
      why: 'An answer is used again from what is kept of the run: what `retain` redacts, hashes or drops cannot be.',
      remedy: 'Keep the content for as long as the cache lasts, or shorten the cache.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) checkCache(task, report);
  },
};

function checkCache({ cache, retain }: TaskDefinition, report: Report): void {
  if (!cache) return;
  const content = retain?.content ?? ASSUMED_RETENTION.content;
  const keptMs = retain?.forMs ?? ASSUMED_RETENTION.forMs;
  if (content !== 'full' && retain)
    report(
      'cache-without-content',
      memberPlace(retain, 'content', retain.at),
      `The task has a cache, but \`content: ${content}\` keeps no answer that could be given again.`,
      'Remove `cache`, or write `content: full`.',
    );
  else if (cache.forMs > keptMs)
    report(
      'cache-without-content',
      cache.at,
      `Answers are to be used again for ${formatDuration(cache.forMs)}, but are kept for ${formatDuration(keptMs)}.`,
      `Write \`retain: { for: ${formatDuration(cache.forMs)} }\`, or a cache of ${formatDuration(keptMs)} at most.`,
    );
}
