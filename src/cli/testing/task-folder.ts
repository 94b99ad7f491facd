// Where a task's file lies on disk: what its tests name lies beside it, and within the workflows folder.
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { TaskDefinition } from '../../language/definition/types.ts';
import { shownPath } from '../../revisions/paths.ts';

/** Found on disk wherever the command is run. */
export function taskFolder(workflows: string, task: Pick<TaskDefinition, 'file'>): string {
  return dirname(join(workflows, task.file.slice(shownPath(workflows).length)));
}

export type TestFile =
  | { readonly kind: 'inside'; readonly path: string }
  | { readonly kind: 'missing' | 'outside'; readonly path: string };

/** The file that a test names. It may not lie elsewhere, by a path or by a link: a workflow that is tried out would else send any file of this machine to a provider. */
export async function testFile(
  workflows: string,
  task: Pick<TaskDefinition, 'file'>,
  named: string,
): Promise<TestFile> {
  const path = isAbsolute(named) ? named : join(taskFolder(workflows, task), named);
  const [root, real] = await Promise.all([realpath(workflows), realpath(path).catch(() => null)]);
  // What is not there may still say where it would lie.
  const isOutside = (from: string, to: string): boolean => {
    const way = relative(from, to);
    return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  };
  if (real === null) return { kind: isOutside(workflows, path) ? 'outside' : 'missing', path };
  return { kind: isOutside(root, real) ? 'outside' : 'inside', path };
}
