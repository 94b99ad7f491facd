// The directory source: the workflow files of a folder, read as they are, watched with chokidar.
import { open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { sleep, systemClock, type Clock } from '../common/clock.ts';
import { fail, succeed } from '../common/outcome.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { changesInFolder } from './blame.ts';
import { holdsWorkflows, isWorkflowPath, shownPath } from './paths.ts';
import type { Source, WorkflowFile } from './port.ts';
import { badName, brokenLink, decodeFile, mayBeWorkflows, unreadableFile, type Unread } from './unread.ts';
import { workTreeState } from './work-tree.ts';

/** A file or folder that was changed less than this ago may be about to change again. */
const SETTLED_AFTER_MS = 150;
/**
 * Between looks at the folder without the help of the operating system, whose notices do not come from every file system, nor through the links of
 * a mounted Kubernetes volume.
 */
const RECHECK_MS = 5_000;
/** Longer than any editor or checkout writes without a pause; then what is there is taken, and the next change read again. */
const MAX_SETTLING_MS = 10_000;

/** Folders and workflow files, as paths below the directory; the directory itself is ''. */
interface Listing {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** What would hold workflows and cannot be read. */
  readonly unread: readonly { readonly path: string; readonly unread: Unread }[];
}

async function list(directory: string): Promise<Listing> {
  const folders: string[] = [];
  const files: string[] = [];
  const unread: { readonly path: string; readonly unread: Unread }[] = [];
  const addFolder = async (path: string, under: readonly string[]): Promise<void> => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!holdsWorkflows(name)) return;
    if (name.includes('\uFFFD')) return void unread.push({ path, unread: badName(path) });
    const real = await realpath(join(directory, path)).catch(() => path);
    if (under.some((folder) => folder === real || folder.startsWith(join(real, sep))))
      return void unread.push({ path, unread: brokenLink(path, `${real}, which it lies in`) });
    await walk(path, [...under, real]).catch((error: NodeJS.ErrnoException) => {
      unread.push({ path, unread: unreadableFile(path, error.code ?? String(error)) });
    });
  };
  const addFile = (path: string, isFile: boolean): void => {
    if (!isWorkflowPath(path)) return;
    if (path.includes('\uFFFD')) unread.push({ path, unread: badName(path) });
    else if (isFile) files.push(path);
    else unread.push({ path, unread: unreadableFile(path, 'it is neither a file nor a folder') });
  };
  const addLink = async (path: string, under: readonly string[]): Promise<void> => {
    const found = await stat(join(directory, path)).catch((error: NodeJS.ErrnoException) => error);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!(found instanceof Error)) {
      if (found.isDirectory()) await addFolder(path, under);
      else addFile(path, found.isFile());
    } else if (holdsWorkflows(name) && mayBeWorkflows(name))
      unread.push({ path, unread: brokenLink(path, await nowhere(join(directory, path), found)) });
  };
  const walk = async (below: string, under: readonly string[]): Promise<void> => {
    folders.push(below);
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isSymbolicLink()) await addLink(path, under);
      else if (entry.isDirectory()) await addFolder(path, under);
      else addFile(path, entry.isFile());
    }
  };
  await walk('', [await realpath(directory)]);
  return { folders, files: files.sort(), unread };
}

async function nowhere(link: string, { code }: NodeJS.ErrnoException): Promise<string> {
  const target = await readlink(link).catch(() => 'nothing');
  return code === 'ELOOP'
    ? 'itself, over other links'
    : `${target}, which ${code === 'ENOENT' ? 'is not there' : `cannot be read (${code ?? 'unknown'})`}`;
}

/** More bytes than a file may have characters, whatever they are: it is too large, however much more it holds. */
const MAX_READ_BYTES = 1024 * 1024;

async function readSourceFile(file: string, path: string): Promise<WorkflowFile> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size <= MAX_READ_BYTES) return decodeFile(path, await handle.readFile());
      const { buffer } = await handle.read(Buffer.alloc(MAX_READ_BYTES), 0, MAX_READ_BYTES, 0);
      return { path, text: buffer.toString('latin1') };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      path,
      text: '',
      unread: unreadableFile(path, code === 'ENOENT' ? 'it is not there any more' : (code ?? String(error))),
    };
  }
}

/** The workflow files of a folder, sorted by path; paths start with the folder's own name as the user gave it. */
export async function readWorkflowDirectory(directory: string): Promise<readonly WorkflowFile[]> {
  const shown = shownPath(directory);
  try {
    if (!(await stat(directory)).isDirectory())
      throw new HeadgateError(
        'WORKFLOWS_NOT_A_DIRECTORY',
        `${shown} is not a folder`,
        'Name the folder that holds headgate.yaml with --workflows DIR.',
      );
    const { files, unread } = await list(directory);
    if (files.length === 0 && unread.length === 0)
      throw new HeadgateError(
        'WORKFLOWS_EMPTY',
        `there is no .yaml file in ${shown}`,
        'Add headgate.yaml and a task file, or start them with "headgate init".',
      );
    const read = await Promise.all(
      files.map((path) => readSourceFile(join(directory, path), `${shown}/${path}`)),
    );
    return [...read, ...unread.map((one) => ({ text: '', ...one, path: `${shown}/${one.path}` }))].sort(
      (left, right) => (left.path < right.path ? -1 : 1),
    );
  } catch (error) {
    throw error instanceof HeadgateError ? error : unreadable(shown, error);
  }
}

function unreadable(shown: string, error: unknown): HeadgateError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT')
    return new HeadgateError(
      'WORKFLOWS_NOT_FOUND',
      `there is no folder ${shown}`,
      'Name the folder that holds headgate.yaml with --workflows DIR, or start one with "headgate init".',
      { cause: error },
    );
  return new HeadgateError(
    'WORKFLOWS_UNREADABLE',
    `the folder ${shown} cannot be read (${code ?? String(error)})`,
    'Check the permissions of the folder and its files.',
    { cause: error },
  );
}

export function createDirectorySource(directory: string, clock: Clock = systemClock): Source {
  /** Of what was read last. */
  let readState: string | null = null;
  return {
    description: `directory ${shownPath(directory)}`,
    async read() {
      readState = null;
      const { files, fingerprint } = await readSettled(directory, clock);
      readState = fingerprint;
      const state = await workTreeState(directory, files, shownPath(directory));
      return { files, commit: state?.commit ?? null, dirty: state?.dirty ?? false };
    },
    changesBetween: (before, after) => changesInFolder(directory, before, after),
    async watch(onChange) {
      const { watch } = await import('chokidar');
      const watcher = watch(directory, {
        ignoreInitial: true,
        awaitWriteFinish: { stabilityThreshold: SETTLED_AFTER_MS, pollInterval: 25 },
        ignored: (path, stats) => isIgnored(relative(directory, path), stats?.isFile() === true),
      });
      watcher.on('all', () => onChange());
      // What cannot be watched any more is read once again, and then says what is wrong.
      watcher.on('error', () => onChange());
      await new Promise<void>((ready) => watcher.once('ready', () => ready()));
      const stopRechecking = recheck(
        clock,
        async () => {
          const state = await changeState(directory);
          return (state?.fingerprint ?? null) !== readState;
        },
        onChange,
      );
      return () => {
        stopRechecking();
        return watcher.close();
      };
    },
  };
}

function recheck(clock: Clock, hasChanged: () => Promise<boolean>, onChange: () => void): () => void {
  let stopped = false;
  let cancel = (): void => undefined;
  const again = (): void => {
    cancel = clock.after(RECHECK_MS, () => {
      void hasChanged().then((changed) => {
        if (stopped) return;
        if (changed) onChange();
        again();
      });
    });
  };
  again();
  return () => {
    stopped = true;
    cancel();
  };
}

function isIgnored(relativePath: string, isFile: boolean): boolean {
  if (relativePath === '') return false;
  const path = relativePath.split(sep).join('/');
  return isFile ? !isWorkflowPath(path) : !path.split('/').every(holdsWorkflows);
}

/**
 * The files, none of them half-written: whoever asks for a reading (a signal, a change of another file) may come in the middle of a write, or
 * between the removal of a file and its return under the same name. So nothing is taken that was changed a moment ago or changes meanwhile.
 */
async function readSettled(
  directory: string,
  clock: Clock,
): Promise<{ readonly files: readonly WorkflowFile[]; readonly fingerprint: string | null }> {
  const deadlineMs = clock.monotonicMs() + MAX_SETTLING_MS;
  for (;;) {
    const before = await changeState(directory);
    const waitMs = before === null ? 0 : before.newestMs + SETTLED_AFTER_MS - clock.nowMs();
    const late = clock.monotonicMs() >= deadlineMs;
    if (waitMs > 0 && waitMs <= SETTLED_AFTER_MS && !late) {
      await sleep(clock, waitMs);
      continue;
    }
    const reading = await readWorkflowDirectory(directory).then(succeed, fail);
    const after = await changeState(directory);
    if (!late && before?.fingerprint !== after?.fingerprint) continue;
    if (reading.ok) return { files: reading.value, fingerprint: after?.fingerprint ?? null };
    throw reading.error;
  }
}

/** Names, sizes and times of the folders and files, and the newest of the times; null: they cannot be read, which the reading will tell. */
async function changeState(
  directory: string,
): Promise<{ readonly fingerprint: string; readonly newestMs: number } | null> {
  try {
    const { folders, files, unread } = await list(directory);
    const states = await Promise.all(
      [...folders, ...files].map(async (path) => {
        const { size, mtimeMs, ctimeMs, ino } = await stat(join(directory, path));
        return { text: `${path}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}`, changedMs: ctimeMs };
      }),
    );
    return {
      fingerprint: [
        ...states.map(({ text }) => text),
        ...unread.map(({ unread: { message } }) => message),
      ].join('\n'),
      newestMs: Math.max(...states.map(({ changedMs }) => changedMs)),
    };
  } catch {
    return null;
  }
}
