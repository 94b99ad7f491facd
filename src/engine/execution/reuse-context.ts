// What an answer depends on beside the input: who asks and when, as far as the task reads it. An answer is given again only where all of it is the same.
import { canonicalJson } from '../../common/json.ts';
import type { Json, JsonObject } from '../../common/json.ts';
import { nowValues } from '../../language/expression/environment.ts';
import type { Plan } from '../../language/plan/types.ts';
import type { Executors } from './executors.ts';
import type { LinkedTask } from './link.ts';
import type { CachedFor } from './recorder.ts';
import type { RunRecord } from './records.ts';

const DAY_MS = 86_400_000;

export interface Moment {
  readonly caller: Pick<RunRecord['caller'], 'name' | 'team' | 'tier'>;
  readonly tags: RunRecord['tags'];
  readonly startedAtMs: number;
}

/** Of the task and of all tasks that its steps run: `caller.tier`, `now.date`, `caller`. */
export function readMoment(plan: Plan, executors: Executors, linked: LinkedTask): readonly string[] {
  const seen = new Map<string, LinkedTask>([[linked.task.name, linked]]);
  // A map is walked to what is added on the way.
  for (const one of seen.values())
    for (const { step } of one.steps) {
      const child = step.kind === 'task' ? plan.tasks[step.task] : undefined;
      if (child !== undefined && !seen.has(child.name)) seen.set(child.name, executors.of(child));
    }
  return [...new Set([...seen.values()].flatMap(({ moment }) => moment))].sort();
}

/** The text of what is read; '' where nothing is. */
export function contextText(reads: readonly string[], { caller, tags, startedAtMs }: Moment): string {
  if (reads.length === 0) return '';
  const { name, team, tier } = caller;
  const values: JsonObject = {
    caller: { name, team, tier, tags },
    now: reads.some(isNow) ? nowValues(startedAtMs) : null,
  };
  return canonicalJson(
    reads.map((read) => {
      const [root = '', member] = read.split('.');
      const value = values[root] as { readonly [member: string]: Json };
      return member === undefined ? value : (value[member] ?? null);
    }),
  );
}

/** What the ledger is to look for; undefined: a moment that does not come again is read. */
export function cachedFor(
  reads: readonly string[],
  { caller, tags, startedAtMs }: Moment,
  sinceMs: number,
): CachedFor | undefined {
  const now = reads.filter(isNow);
  const isOfDay = now.every((read) => read === 'now.date' || read === 'now.weekday');
  if (!isOfDay) return undefined;
  const readsCaller = (member: string): boolean =>
    reads.includes('caller') || reads.includes(`caller.${member}`);
  return {
    sinceMs: now.length === 0 ? sinceMs : Math.max(sinceMs, Math.floor(startedAtMs / DAY_MS) * DAY_MS),
    ...(readsCaller('name') ? { caller: caller.name } : {}),
    ...(readsCaller('team') ? { team: caller.team } : {}),
    ...(readsCaller('tier') ? { tier: caller.tier } : {}),
    ...(readsCaller('tags') ? { tags } : {}),
  };
}

function isNow(read: string): boolean {
  return read === 'now' || read.startsWith('now.');
}
