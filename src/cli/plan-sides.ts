// The two sides of `headgate plan`: the workflows of a git ref, or those of a folder, compiled.
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Problem } from '../errors/problem.ts';
import { deepFreeze, planHash } from '../language/plan/encode.ts';
import type { Plan } from '../language/plan/types.ts';
import { compileFiles } from '../revisions/compile.ts';
import { readWorkflowDirectory } from '../revisions/directory.ts';
import { readGitSnapshot } from '../revisions/git-snapshot.ts';
import { workTreeOf, type WorkTree } from '../revisions/git-folders.ts';
import type { WorkflowFile } from '../revisions/port.ts';
import { problemText } from './format/problems.ts';
import type { CliIo } from './io.ts';

export interface PlanSide {
  /** `main (1a2b3c4d5e6f)`, `workflows`. */
  readonly name: string;
  /** null: a folder. */
  readonly commit: string | null;
  readonly plan: Plan;
  readonly files: readonly WorkflowFile[];
}

export interface Workplace {
  /** The folder of the workflows, as the user gave it. */
  readonly folder: string;
  /** The work tree that it lies in; null: none, so that refs cannot be named. */
  readonly tree: WorkTree | null;
}

export async function workplaceOf(folder: string): Promise<Workplace> {
  const path = realPath(folder);
  return { folder, tree: await workTreeOf(path) };
}

/** A folder that is not there may still be in a commit. */
function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder);
  }
}

/**
 * `undefined`: the workflows folder as it is. What looks like a path is a folder, anything else a ref, and a folder where there is no such ref.
 * A commit without workflows is a plan without tasks. Throws WORKFLOWS_INVALID, after having told the problems.
 */
export async function planSide(
  name: string | undefined,
  { folder, tree }: Workplace,
  io: CliIo,
): Promise<PlanSide> {
  if (name === undefined || (looksLikePath(name) && isFolder(name))) return folderSide(name ?? folder, io);
  if (tree === null) {
    if (isFolder(name)) return folderSide(name, io);
    throw new HeadgateError(
      'GIT_NOT_A_REPOSITORY',
      `"${name}" is no folder, and ${folder} does not lie in a git repository whose ref it could be`,
      'Name two folders: headgate plan OLD NEW.',
    );
  }
  const inTree = relative(tree.root, realPath(folder)).split(sep).join('/');
  try {
    const { files, commitHash } = await readGitSnapshot(tree.folders, name, inTree);
    const shown = commitHash.startsWith(name) ? name.slice(0, 12) : `${name} (${commitHash.slice(0, 12)})`;
    return { name: shown, commit: commitHash, plan: await compiled(shown, files, io), files };
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    if (error.code === 'WORKFLOWS_EMPTY')
      return { name: `${name} (no workflows)`, commit: null, plan: NOTHING, files: [] };
    if (error.code === 'GIT_REF_NOT_FOUND' && isFolder(name)) return folderSide(name, io);
    throw error;
  }
}

const CONTENT = {
  language: 1 as const,
  providers: {},
  models: {},
  budgets: [],
  guards: { loop: null, surge: null },
  tasks: {},
};
const NOTHING: Plan = deepFreeze({ ...CONTENT, hash: planHash(CONTENT), environment: {} });

async function folderSide(folder: string, io: CliIo): Promise<PlanSide> {
  const files = await readWorkflowDirectory(folder);
  return { name: folder, commit: null, plan: await compiled(folder, files, io), files };
}

async function compiled(name: string, files: readonly WorkflowFile[], io: CliIo): Promise<Plan> {
  const { plan, problems } = await compileFiles(files, { env: io.env });
  if (plan !== null) return plan;
  const isError = ({ severity }: Problem): boolean => severity === 'error';
  for (const problem of problems.filter(isError)) io.err(problemText(problem, io.errColours));
  throw new HeadgateError(
    'WORKFLOWS_INVALID',
    `${name} does not compile, so there is nothing to compare`,
    'Correct what is listed above, or name another revision.',
  );
}

function looksLikePath(name: string): boolean {
  return isAbsolute(name) || /^\.\.?([/\\]|$)/.test(name) || /[/\\]$/.test(name);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
