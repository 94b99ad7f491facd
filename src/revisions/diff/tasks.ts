// Tasks that come and go, are described otherwise, or are said to be on their way out.
import type { PlanTask } from '../../language/plan/types.ts';
import { missing, tasksOfBoth } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const tasks: Concern = (comparison) => {
  const { before, after } = comparison;
  return [
    ...missing(before.tasks, after.tasks).map((name): Change => ({
      subject: `task ${name}`,
      message: 'is removed',
      effects: ['task-removed', 'breaking'],
      covers: [pointer('tasks', name)],
    })),
    ...missing(after.tasks, before.tasks).map((name): Change => ({
      subject: `task ${name}`,
      message: 'is new',
      effects: ['task-added'],
      covers: [pointer('tasks', name)],
    })),
    ...tasksOfBoth(comparison).flatMap(([from, to]) => described(from, to)),
  ];
};

function described(from: PlanTask, to: PlanTask): readonly Change[] {
  const changes: Change[] = [];
  const tell = (field: keyof PlanTask, message: string): void => {
    changes.push({
      subject: `task ${to.name}`,
      message,
      effects: [],
      covers: [pointer('tasks', to.name, field)],
    });
  };
  if (from.description !== to.description) tell('description', 'is described otherwise');
  if (from.file !== to.file) tell('file', `moves from ${from.file} to ${to.file}`);
  const [priority, before] = [to.priority ?? 0, from.priority ?? 0];
  if (priority !== before)
    tell('priority', `waits with priority ${priority} instead of ${before} where it is started`);
  const [baseline, earlier] = [to.baseline ?? null, from.baseline ?? null];
  if (baseline !== earlier)
    tell(
      'baseline',
      baseline === null
        ? 'has no baseline any more: savings of routing are not counted'
        : `counts its savings against ${baseline}${earlier === null ? '' : `, no longer against ${earlier}`}`,
    );
  if (from.deprecated !== to.deprecated)
    tell(
      'deprecated',
      to.deprecated === null ? 'is no longer deprecated' : `is deprecated: ${to.deprecated}`,
    );
  return changes;
}
