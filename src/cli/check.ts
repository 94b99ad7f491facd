// headgate check: every problem of the workflow files, with place, excerpt and remedy.
import { Option } from 'commander';
import type { Problem } from '../errors/problem.ts';
import type { Plan } from '../language/plan/types.ts';
import { compileDirectory } from '../revisions/compile.ts';
import type { WorkflowFile } from '../revisions/port.ts';
import type { RegisterCommand } from './commands.ts';
import { problemsGithub } from './format/github.ts';
import { problemsText } from './format/problems.ts';
import { problemsSarif } from './format/sarif.ts';
import { missingTestFiles } from './testing/missing-files.ts';
import { version } from './version.ts';
import { workflowsFolder } from './workflows-folder.ts';

type Format = 'text' | 'json' | 'github' | 'sarif';

export const registerCheck: RegisterCommand = (program, io, end) =>
  program
    .command('check')
    .description('check the workflow files; exit code 1 when there is an error')
    .argument('[dir]', 'the folder that holds headgate.yaml')
    .option('--workflows <dir>', 'the same, as the other commands take it')
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['text', 'json', 'github', 'sarif'])
        .default('text'),
    )
    .option('--strict', 'warnings fail too', false)
    .action(
      async (
        argument: string | undefined,
        options: { workflows?: string; format: Format; strict: boolean },
      ) => {
        const workflows = workflowsFolder(argument ?? options.workflows, io);
        const {
          definition,
          plan,
          files,
          problems: found,
        } = await compileDirectory(workflows, { env: io.env });
        const problems = [
          ...found,
          ...(definition === null ? [] : await missingTestFiles(definition, workflows)),
          ...(await inGraphql(plan, files)),
        ];
        const failed = problems.some(
          ({ severity }) => severity === 'error' || (options.strict && severity === 'warning'),
        );
        switch (options.format) {
          case 'text':
            io.out(problemsText(problems, files.length, io.colours));
            break;
          case 'json':
            io.out(JSON.stringify({ ok: !failed, files: files.length, problems }, null, 2));
            break;
          case 'github':
            if (problems.length > 0) io.out(problemsGithub(problems));
            break;
          case 'sarif':
            io.out(JSON.stringify(problemsSarif(problems, version), null, 2));
            break;
        }
        end(failed ? 1 : 0);
      },
    );

/** What only the API made of the plan would show: names that are taken, and schemas that it has to show as JSON. */
async function inGraphql(plan: Plan | null, files: readonly WorkflowFile[]): Promise<readonly Problem[]> {
  if (plan === null) return [];
  const { graphqlNotes, graphqlProblems } = await import('../server/graphql/plan-problems.ts');
  return [...graphqlProblems(plan), ...graphqlNotes(plan)].map((problem) => placed(problem, files));
}

/** A plan knows its files but not their lines: the place is the one where the file names its task. */
function placed(problem: Problem, files: readonly WorkflowFile[]): Problem {
  const file = files.find(({ path }) => path === problem.file || path.endsWith(`/${problem.file}`));
  const lines = file?.text.split('\n') ?? [];
  const index = lines.findIndex((line) => line.startsWith('task:'));
  if (file === undefined || index < 0) return problem;
  return { ...problem, file: file.path, line: index + 1, endColumn: 5, excerpt: lines[index] ?? '' };
}
