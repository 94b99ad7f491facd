// Files that a task's tests name, and that are not there, or lie elsewhere: only a command sees the disk.
import type { Definition, Problem } from '../../language/definition/types.ts';
import { testFile } from './task-folder.ts';

/** `workflows`: the folder that the definition was read from. */
export async function missingTestFiles(
  definition: Definition,
  workflows: string,
): Promise<readonly Problem[]> {
  const named = Object.values(definition.tasks).flatMap((task) =>
    task.tests.flatMap(({ input }) =>
      Object.values(input).flatMap((value) => (value.kind === 'file' ? [{ task, value }] : [])),
    ),
  );
  const checked = await Promise.all(
    named.map(async ({ task, value }) => ({ value, found: await testFile(workflows, task, value.path) })),
  );
  return checked.flatMap(({ value: { path, at }, found: { kind } }): readonly Problem[] => {
    if (kind === 'inside') return [];
    const { file, line, column, endColumn, excerpt } = at;
    const place = { file, line, column, endColumn, excerpt };
    return kind === 'missing'
      ? [
          {
            code: 'test-file-missing',
            severity: 'warning' as const,
            message: `There is no file \`${path}\` beside the task: \`headgate test\` could not run the case.`,
            remedy: 'Correct the path, which starts at the folder of the task, or add the file.',
            ...place,
          },
        ]
      : [
          {
            code: 'test-file-outside',
            severity: 'error' as const,
            message: `The file \`${path}\` lies outside the workflows folder, by its path or by a link.`,
            remedy: 'Copy what the test needs into the workflows folder.',
            ...place,
          },
        ];
  });
}
