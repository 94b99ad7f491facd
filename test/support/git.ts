// A real git repository in a temporary folder, driven by the git binary, without the user's or the machine's configuration.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Variables under which git neither reads configuration from outside nor signs, asks or opens anything. */
const gitEnvironment: { readonly [name: string]: string } = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  // No second process after each commit that looks whether there is something to tidy up.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'maintenance.auto',
  GIT_CONFIG_VALUE_0: 'false',
  GIT_AUTHOR_NAME: 'Ana',
  GIT_AUTHOR_EMAIL: 'ana@example.com',
  GIT_COMMITTER_NAME: 'Ana',
  GIT_COMMITTER_EMAIL: 'ana@example.com',
};

/** Whatever a surrounding hook has set (GIT_DIR and the like) must not lead a test to another repository. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return { ...Object.fromEntries(inherited), ...gitEnvironment };
}

export interface TestRepository {
  /** The work tree, or the bare repository. */
  readonly path: string;
  /** Runs git there; gives its output without the line break at the end. */
  git(...args: readonly string[]): string;
  write(path: string, text: string): void;
  /** Writes files, commits everything, gives the commit's hash. */
  commit(subject: string, files?: { readonly [path: string]: string }): string;
  remove(): void;
}

export function createRepository(options: { readonly path?: string } = {}): TestRepository {
  const path = options.path ?? realpathSync(mkdtempSync(join(tmpdir(), 'headgate-git-')));
  const repository = openRepository(path);
  repository.git('init', '--quiet', '--initial-branch=main', '--template=');
  return repository;
}

const COMMIT = 'git add --all && git commit --quiet --allow-empty --message "$1" && exec git rev-parse HEAD';

export function openRepository(path: string): TestRepository {
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, {
      cwd: path,
      env: cleanEnvironment(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd();
  const git = (...args: readonly string[]): string => run('git', args);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  return {
    path,
    git,
    write,
    commit(subject, files = {}) {
      for (const [file, text] of Object.entries(files)) write(file, text);
      // In one process: a fork of this one is dearer than all three.
      return run('sh', ['-c', COMMIT, 'commit', subject]);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
