// Problems of a plan that only its GraphQL names show: two things that would have one name. Found before the plan is taken.
import type { Problem } from '../../errors/problem.ts';
import type { Plan } from '../../language/plan/types.ts';
import { RESERVED_TYPE_NAMES } from './reserved-names.ts';
import { readTasks } from './tasks.ts';

/** Empty: `buildSchema` will not throw SchemaNameCollision. */
export function graphqlProblems(plan: Plan): readonly Problem[] {
  return readTasks(plan, RESERVED_TYPE_NAMES).collisions.map(({ name, holders: [first, second] }) => {
    const task = Object.values(plan.tasks).find((one) => second.includes(`"${one.name}"`));
    return {
      code: 'graphql-name-taken',
      severity: 'error',
      message: `In GraphQL, ${first} and ${second} would both be called "${name}".`,
      remedy: 'Rename the task or the property.',
      file: task?.file ?? 'headgate.yaml',
      line: 1,
      column: 1,
      endColumn: 2,
      excerpt: task === undefined ? '' : `task: ${task.name}`,
    };
  });
}

/** Where GraphQL cannot say what a task's schema says, and shows JSON instead: for `check` to mention. They refuse nothing. */
export function graphqlNotes(plan: Plan): readonly Problem[] {
  return readTasks(plan, RESERVED_TYPE_NAMES).notes.map(({ place, reason }) => {
    const task = plan.tasks[place.slice(0, place.indexOf('.'))];
    return {
      code: 'graphql-shown-as-json',
      severity: 'note',
      message: `In GraphQL, ${place} is JSON: ${reason}.`,
      remedy: 'Nothing has to be done; clients send and read it as a JSON value.',
      file: task?.file ?? 'headgate.yaml',
      line: 1,
      column: 1,
      endColumn: 2,
      excerpt: task === undefined ? '' : `task: ${task.name}`,
    };
  });
}
