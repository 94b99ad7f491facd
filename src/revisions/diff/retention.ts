// What is kept of a task, and for how long: its cache, and the content of its runs.
import { formatDuration } from '../../common/units.ts';
import { tasksOfBoth } from './both.ts';
import { compareBounds, compareStrictness, reverse, type Direction } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const retention: Concern = (comparison) =>
  tasksOfBoth(comparison).flatMap(([from, to]) => {
    const changes: Change[] = [];
    const tell = (kept: Direction, message: string, ...path: readonly string[]): void => {
      if (kept === 'same') return;
      changes.push({
        subject: `task ${to.name}`,
        message,
        effects: [kept === 'more' ? 'retention-raised' : 'retention-lowered'],
        covers: [pointer('tasks', to.name, ...path)],
      });
    };
    const [cached, caches] = [from.cache?.forMs ?? 0, to.cache?.forMs ?? 0];
    const shown = (ms: number): string => (ms === 0 ? 'not at all' : `for ${formatDuration(ms)}`);
    tell(
      compareBounds(cached, caches),
      `answers the same input from its cache ${shown(caches)} instead of ${shown(cached)}`,
      'cache',
    );
    tell(
      reverse(
        compareStrictness(['full', 'redacted', 'hash'] as const, from.retain.content, to.retain.content),
      ),
      `keeps content as "${to.retain.content}" instead of "${from.retain.content}"`,
      'retain',
      'content',
    );
    tell(
      compareBounds(from.retain.forMs, to.retain.forMs),
      `keeps content for ${formatDuration(to.retain.forMs)} instead of ${formatDuration(from.retain.forMs)}`,
      'retain',
      'forMs',
    );
    return changes;
  });
