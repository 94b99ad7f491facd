// headgate init: copies the shipped workflows into a new folder, to be edited and committed.
import { cp } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RegisterCommand } from './commands.ts';
import { UsageError } from './io.ts';
import { shippedWorkflows } from './workflows-folder.ts';

export const registerInit: RegisterCommand = (program, io, end) =>
  program
    .command('init')
    .description('copy the shipped workflows into a folder, to be edited and committed')
    .argument('[dir]', 'the folder to make', 'workflows')
    .action(async (directory: string) => {
      if (existsSync(directory))
        throw new UsageError(
          `${directory} is already there`,
          'Name a folder that is not, so that nothing is overwritten.',
        );
      await cp(shippedWorkflows, directory, { recursive: true });
      io.out(
        `${join(directory, 'headgate.yaml')} and the shipped tasks are there. Check them with "headgate check ${directory}".`,
      );
      end(0);
    });
