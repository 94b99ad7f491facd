// What several commands start with: the compiled plan of a folder, or its problems on the error stream.
import { compileDirectory } from '../revisions/compile.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Plan } from '../language/plan/types.ts';
import { problemText } from './format/problems.ts';
import type { CliIo } from './io.ts';

/** Prints every error there is and throws when the folder does not compile. */
export async function compiledPlan(directory: string, io: CliIo): Promise<Plan> {
  const { plan, problems } = await compileDirectory(directory, { env: io.env });
  if (plan) return plan;
  for (const problem of problems)
    if (problem.severity === 'error') io.err(problemText(problem, io.errColours));
  throw new HeadgateError(
    'WORKFLOWS_INVALID',
    `the workflows in ${directory} do not compile`,
    'Correct what is listed above.',
  );
}
