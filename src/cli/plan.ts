// headgate plan: what the workflows will do, resolved and priced.
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { encodePlan } from '../plan/encode.ts';
import { printPlan } from '../plan/print.ts';
import { UsageError } from './io.ts';
import { workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

export const registerPlan: RegisterCommand = (program, io, end) =>
  program
    .command('plan')
    .description('print what the workflows will do, resolved and priced')
    .addOption(workflowsOption())
    .option('--print', 'print the whole plan', true)
    .option('--task <name>', 'only this task')
    .option('--json', 'as canonical JSON', false)
    .action(async (options: { workflows?: string; task?: string; json: boolean }) => {
      const plan = await compiledPlan(workflowsFolder(options.workflows, io), io);
      if (options.task !== undefined && !(options.task in plan.tasks))
        throw new UsageError(
          `there is no task "${options.task}"`,
          `The tasks are ${Object.keys(plan.tasks).join(', ')}.`,
        );
      io.out(options.json ? encodePlan(plan) : printPlan(plan, options.task));
      end(0);
    });
