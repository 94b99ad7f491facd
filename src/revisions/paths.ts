// Paths of workflow files: which ones they are, and how people read them.
import { basename, relative, resolve, sep } from 'node:path';

const WORKFLOW_FILE = /\.ya?ml$/i;
/** Folders that hold what tests read, not workflows. */
const NOT_WORKFLOWS = new Set(['tests', 'recordings', 'node_modules']);

/** Whether a folder of this name may hold workflow files. */
export function holdsWorkflows(name: string): boolean {
  return !name.startsWith('.') && !NOT_WORKFLOWS.has(name);
}

/** Whether a path below the workflows folder is a workflow file. */
export function isWorkflowPath(path: string): boolean {
  const parts = path.split('/');
  return (
    WORKFLOW_FILE.test(path) &&
    parts.at(-1)?.startsWith('.') === false &&
    parts.slice(0, -1).every(holdsWorkflows)
  );
}

/** A path as a person would write it from here: relative where it lies below the current folder. */
export function shownPath(path: string): string {
  const absolute = resolve(path);
  const fromHere = relative(process.cwd(), absolute);
  if (fromHere === '') return basename(absolute);
  return (fromHere.startsWith('..') ? absolute : fromHere).split(sep).join('/');
}
