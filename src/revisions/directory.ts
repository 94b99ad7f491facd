// The directory source: the workflow files of a folder, read as they are, watched with chokidar.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Source, SourceFile } from './port.ts';
import { workTreeState } from './work-tree.ts';

const WORKFLOW_FILE = /\.ya?ml$/;
/** Folders that hold what tests read, not workflows. */
const NOT_WORKFLOWS = new Set(['tests', 'recordings', 'node_modules']);
/** The stated size until which a file is read; a larger one is a problem of `check`, found without reading it. */
const SETTLED_AFTER_MS = 100;

/** Whether a path below the workflows folder is a workflow file. */
export function isWorkflowPath(path: string): boolean {
  const parts = path.split('/');
  return (
    WORKFLOW_FILE.test(path) &&
    !parts.some((part) => part.startsWith('.')) &&
    !parts.slice(0, -1).some((part) => NOT_WORKFLOWS.has(part))
  );
}

async function workflowPaths(directory: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !NOT_WORKFLOWS.has(entry.name))
        found.push(...(await workflowPaths(directory, path)));
    } else if (isWorkflowPath(path)) found.push(path);
  }
  return found;
}

/** The workflow files of a folder, sorted by path; paths start with the folder's own name as the user gave it. */
export async function readWorkflowDirectory(directory: string): Promise<readonly SourceFile[]> {
  const shown = shownPath(directory);
  let paths: string[];
  try {
    if (!(await stat(directory)).isDirectory())
      throw new HeadgateError(
        'WORKFLOWS_NOT_A_DIRECTORY',
        `${shown} is not a folder`,
        'Name the folder that holds headgate.yaml with --workflows DIR.',
      );
    paths = await workflowPaths(directory);
  } catch (error) {
    if (error instanceof HeadgateError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new HeadgateError(
        'WORKFLOWS_NOT_FOUND',
        `there is no folder ${shown}`,
        'Name the folder that holds headgate.yaml with --workflows DIR, or start one with "headgate init".',
        { cause: error },
      );
    throw new HeadgateError(
      'WORKFLOWS_UNREADABLE',
      `the folder ${shown} cannot be read (${code ?? String(error)})`,
      'Check its permissions.',
      { cause: error },
    );
  }
  if (paths.length === 0)
    throw new HeadgateError(
      'WORKFLOWS_EMPTY',
      `there is no .yaml file in ${shown}`,
      'Add headgate.yaml and a task file, or start them with "headgate init".',
    );
  paths.sort();
  return Promise.all(
    paths.map(async (path) => ({
      path: `${shown}/${path}`,
      text: await readFile(join(directory, path), 'utf8'),
    })),
  );
}

/** A path as a person would write it from here: relative where it lies below the current folder. */
export function shownPath(path: string): string {
  const absolute = resolve(path);
  const fromHere = relative(process.cwd(), absolute);
  if (fromHere === '') return basename(absolute);
  return (fromHere.startsWith('..') ? absolute : fromHere).split(sep).join('/');
}

export function createDirectorySource(directory: string): Source {
  return {
    description: `directory ${shownPath(directory)}`,
    async read() {
      const files = await readWorkflowDirectory(directory);
      const state = await workTreeState(directory, files, shownPath(directory));
      return { files, commit: state?.commit ?? null, dirty: state?.dirty ?? false };
    },
    async watch(onChange) {
      const { watch } = await import('chokidar');
      const watcher = watch(directory, {
        ignoreInitial: true,
        awaitWriteFinish: { stabilityThreshold: SETTLED_AFTER_MS, pollInterval: 20 },
        ignored: (path, stats) => {
          const below = relative(directory, path).split(sep).join('/');
          return (
            below !== '' &&
            (stats?.isFile() === true
              ? !isWorkflowPath(below)
              : below.split('/').some((part) => part.startsWith('.') || NOT_WORKFLOWS.has(part)))
          );
        },
      });
      watcher.on('all', () => onChange());
      await new Promise<void>((resolvePromise) => watcher.once('ready', () => resolvePromise()));
      return () => watcher.close();
    },
  };
}
