// headgate schema: the GraphQL schema that these workflows give, sorted; or the JSON Schemas for editors, and of traffic files.
import { Option } from 'commander';
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

export const registerSchema: RegisterCommand = (program, io, end) =>
  program
    .command('schema')
    .description('print the GraphQL schema that the workflows give, or a JSON Schema of the files')
    .addOption(workflowsOption())
    .addOption(
      new Option(
        '--json <file>',
        'the JSON Schema for editors, of the project file or of task files; or of the lines of a traffic file',
      ).choices(['project', 'task', 'traffic']),
    )
    .action(async (options: { workflows?: string; json?: 'project' | 'task' | 'traffic' }) => {
      if (options.json === 'traffic') {
        const { TRAFFIC_SCHEMA } = await import('../simulation/traffic-schema.ts');
        io.out(JSON.stringify(TRAFFIC_SCHEMA, null, 2));
      } else if (options.json !== undefined) {
        const { printJsonSchema } = await import('../language/definition/json-schemas.ts');
        io.out(printJsonSchema(options.json).trimEnd());
      } else {
        const { buildSchema, printSchemaSdl } = await import('../server/graphql/schema.ts');
        const plan = await compiledPlan(workflowsFolder(options.workflows, io), io);
        io.out(printSchemaSdl(buildSchema({ plan })).trimEnd());
      }
      end(0);
    });
