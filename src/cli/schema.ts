// headgate schema: the GraphQL schema that these workflows give, sorted; or the JSON Schemas for editors.
import { Option } from 'commander';
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

export const registerSchema: RegisterCommand = (program, io, end) =>
  program
    .command('schema')
    .description('print the GraphQL schema that the workflows give, or a JSON Schema of the workflow files')
    .addOption(workflowsOption())
    .addOption(
      new Option(
        '--json <file>',
        'the JSON Schema for editors, of the project file or of task files',
      ).choices(['project', 'task']),
    )
    .action(async (options: { workflows?: string; json?: 'project' | 'task' }) => {
      if (options.json !== undefined) {
        const { printJsonSchema } = await import('../language/definition/json-schemas.ts');
        io.out(printJsonSchema(options.json).trimEnd());
      } else {
        const { buildSchema, printSchemaSdl } = await import('../server/graphql/schema.ts');
        const plan = await compiledPlan(workflowsFolder(options.workflows, io), io);
        io.out(printSchemaSdl(buildSchema({ plan })).trimEnd());
      }
      end(0);
    });
