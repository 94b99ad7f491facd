// headgate init: copies the shipped workflows into a new folder, to be edited and committed, with the schemas that editors check them by.
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { printJsonSchema } from '../language/definition/json-schemas.ts';
import type { RegisterCommand } from './commands.ts';
import { UsageError } from './io.ts';
import { shippedWorkflows } from './workflows-folder.ts';

export const registerInit: RegisterCommand = (program, io, end) =>
  program
    .command('init')
    .description('copy the shipped workflows into a folder, to be edited and committed')
    .argument('[dir]', 'the folder to make', 'workflows')
    .option('--json', 'as JSON', false)
    .action(async (directory: string, { json }: { json: boolean }) => {
      if (existsSync(directory))
        throw new UsageError(
          `${directory} is already there`,
          'Name a folder that is not, so that nothing is overwritten.',
        );
      await cp(shippedWorkflows, directory, { recursive: true });
      // The first line of each workflow leads an editor here.
      const schemas = join(dirname(directory), 'schema');
      await mkdir(schemas, { recursive: true });
      for (const name of ['project', 'task'] as const) {
        const path = join(schemas, `${name}.json`);
        if (!existsSync(path)) await writeFile(path, printJsonSchema(name));
      }
      io.out(
        json
          ? JSON.stringify(
              { workflows: directory, files: (await readdir(directory)).toSorted(), schemas },
              null,
              2,
            )
          : `${join(directory, 'headgate.yaml')} and the shipped tasks are there; editors check them by ${schemas}. Try "headgate check ${directory}".`,
      );
      end(0);
    });
