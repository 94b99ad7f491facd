// headgate schema: the GraphQL schema that these workflows give, sorted; or the JSON Schemas for editors.
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

export const registerSchema: RegisterCommand = (program, io, end) =>
  program
    .command('schema')
    .description('print the GraphQL schema that the workflows give')
    .addOption(workflowsOption())
    .action(async (options: { workflows?: string }) => {
      const { buildSchema, printSchemaSdl } = await import('../graphql/schema.ts');
      const plan = await compiledPlan(workflowsFolder(options.workflows, io), io);
      io.out(printSchemaSdl(buildSchema({ plan })).trimEnd());
      end(0);
    });
