// Which folder of workflows a command works on: the one named, ./workflows, or else the ones that come with Headgate.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CliIo } from './io.ts';

/** The shipped workflows: beside src/ in a checkout, beside dist/ in the package. */
export const shippedWorkflows: string = fileURLToPath(new URL('../../workflows', import.meta.url));

const DEFAULT_FOLDER = 'workflows';

/** A named folder is taken as it is, also when it is not there: the error then names it. */
export function workflowsFolder(named: string | undefined, io: CliIo): string {
  if (named !== undefined) return named;
  if (existsSync(DEFAULT_FOLDER)) return DEFAULT_FOLDER;
  io.err(
    'headgate: there is no folder "workflows" here, so the shipped tasks are used. "headgate init" copies them here to be edited; start again after it.',
  );
  return shippedWorkflows;
}
