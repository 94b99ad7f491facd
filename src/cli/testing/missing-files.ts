// Files that a task's tests name, and that are not there: only a command sees the disk.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Definition, Problem } from '../../language/definition/types.ts';
import { taskFolder } from './task-folder.ts';

/** `workflows`: the folder that the definition was read from. */
export async function missingTestFiles(
  definition: Definition,
  workflows: string,
): Promise<readonly Problem[]> {
  const named = Object.values(definition.tasks).flatMap((task) =>
    task.tests.flatMap(({ input }) =>
      Object.values(input).flatMap((value) =>
        value.kind === 'file' ? [{ ...value, full: join(taskFolder(workflows, task), value.path) }] : [],
      ),
    ),
  );
  const checked = await Promise.all(
    named.map(async (file) => ({
      file,
      isThere: await access(file.full).then(
        () => true,
        () => false,
      ),
    })),
  );
  return checked.flatMap(({ file: { path, at }, isThere }) =>
    isThere
      ? []
      : [
          {
            code: 'test-file-missing',
            severity: 'warning' as const,
            message: `There is no file \`${path}\` beside the task: \`headgate test\` could not run the case.`,
            remedy: 'Correct the path, which starts at the folder of the task, or add the file.',
            file: at.file,
            line: at.line,
            column: at.column,
            endColumn: at.endColumn,
            excerpt: at.excerpt,
          },
        ],
  );
}
