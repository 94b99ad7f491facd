// Where a task's file lies on disk: what its tests name lies beside it.
import { dirname, join } from 'node:path';
import type { TaskDefinition } from '../../language/definition/types.ts';
import { shownPath } from '../../revisions/paths.ts';

/** Found on disk wherever the command is run. */
export function taskFolder(workflows: string, task: Pick<TaskDefinition, 'file'>): string {
  return dirname(join(workflows, task.file.slice(shownPath(workflows).length)));
}
