// The directory source: what it reads, what git knows of it, and that a half-written file never loads.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HeadgateError } from '../../src/errors/headgate-error.ts';
import { createDirectorySource, readWorkflowDirectory } from '../../src/revisions/directory.ts';
import type { Clock } from '../../src/common/clock.ts';
import { isWorkflowPath } from '../../src/revisions/paths.ts';
import { createRepository } from '../support/git.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'headgate-directory-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

const names = (files: readonly { readonly path: string }[]): readonly string[] =>
  files.map(({ path }) => path.split('/').at(-1) ?? '');

describe('a folder of workflows', () => {
  it('is its .yaml and .yml files, also in folders, without what tests read and what is hidden', async () => {
    const path = folder();
    for (const below of ['mail', 'tests', 'recordings', '.hidden', 'node_modules/pkg'])
      mkdirSync(join(path, below), { recursive: true });
    for (const file of [
      'headgate.yaml',
      'b.yml',
      'mail/parse.yaml',
      'tests/t.yaml',
      'recordings/r.yaml',
      '.hidden/h.yaml',
      '.draft.yaml',
      'node_modules/pkg/n.yaml',
      'notes.md',
      'a.yaml~',
    ])
      writeFileSync(join(path, file), file);
    const files = await readWorkflowDirectory(path);
    expect(files.map((file) => file.path.slice(path.length + 1))).toEqual([
      'b.yml',
      'headgate.yaml',
      'mail/parse.yaml',
    ]);
    expect(files.map(({ text }) => text)).toEqual(['b.yml', 'headgate.yaml', 'mail/parse.yaml']);
  });

  it('follows links to files, as a mounted volume has them', async () => {
    const path = folder();
    mkdirSync(join(path, '..data'));
    writeFileSync(join(path, '..data/headgate.yaml'), 'headgate: 1\n');
    symlinkSync('..data/headgate.yaml', join(path, 'headgate.yaml'));
    expect(await readWorkflowDirectory(path)).toMatchObject([{ text: 'headgate: 1\n' }]);
  });

  it.each([
    [
      'a link to nothing',
      (path: string) => symlinkSync('../nowhere.yaml', join(path, 'x.yaml')),
      'file-link',
    ],
    [
      'a link that leads to a folder it lies in',
      (path: string) => symlinkSync('..', join(path, 'up')),
      'file-link',
    ],
    ['a link to itself', (path: string) => symlinkSync('x.yaml', join(path, 'x.yaml')), 'file-link'],
    ['a link to the folder itself', (path: string) => symlinkSync('.', join(path, 'here')), 'file-link'],
    ['a named pipe', (path: string) => execFileSync('mkfifo', [join(path, 'x.yaml')]), 'file-unreadable'],
    [
      'a name that is no UTF-8',
      (path: string) => writeFileSync(Buffer.from(`${path}/\u00e9.yaml`, 'latin1'), ''),
      'file-name',
    ],
    [
      'a text that is no UTF-8',
      (path: string) => writeFileSync(join(path, 'x.yaml'), Buffer.from('# \u00e9', 'latin1')),
      'file-encoding',
    ],
    [
      'UTF-16',
      (path: string) => writeFileSync(join(path, 'x.yaml'), Buffer.from('\uFEFFtask: x', 'utf16le')),
      'file-encoding',
    ],
    [
      'a link to a note that is not there',
      (path: string) => symlinkSync('gone.md', join(path, 'NOTES.md')),
      'none',
    ],
    ['a lock of an editor', (path: string) => symlinkSync('ana@host.1', join(path, '.#x.yaml')), 'none'],
  ])('INV-13: has each file that cannot be read, by name: %s', async (_what, make, code) => {
    const path = join(folder(), 'flows');
    mkdirSync(path);
    writeFileSync(join(path, 'headgate.yaml'), 'headgate: 1\n');
    make(path);
    const files = await readWorkflowDirectory(path);
    expect(files).toContainEqual({ path: `${path}/headgate.yaml`, text: 'headgate: 1\n' });
    expect(files.flatMap(({ unread }) => (unread === undefined ? [] : [unread.code]))).toEqual(
      code === 'none' ? [] : [code],
    );
  });

  it.each([
    ['WORKFLOWS_NOT_FOUND', () => join(folder(), 'none')],
    ['WORKFLOWS_EMPTY', () => folder()],
    [
      'WORKFLOWS_NOT_A_DIRECTORY',
      () => {
        const file = join(folder(), 'headgate.yaml');
        writeFileSync(file, '');
        return file;
      },
    ],
  ])('is told with %s when there is nothing to read', async (code, make) => {
    const error = await readWorkflowDirectory(make()).catch((thrown: HeadgateError) => thrown);
    expect(error).toMatchObject({ name: 'HeadgateError', code });
  });

  it('has workflow paths whatever the depth', () => {
    expect(['a.yaml', 'x/a.yml', 'tests.yaml'].every(isWorkflowPath)).toBe(true);
    expect(['a.json', 'tests/a.yaml', 'x/.git/a.yaml', '.a.yaml'].some(isWorkflowPath)).toBe(false);
  });
});

describe('what git knows of the folder', () => {
  it('is the commit, and whether the files differ from it', async () => {
    const repo = createRepository();
    folders.push(repo.path);
    const source = createDirectorySource(join(repo.path, 'workflows'));
    repo.write('workflows/headgate.yaml', 'headgate: 1\n');
    expect(await source.read()).toMatchObject({ commit: null, dirty: false });
    const hash = repo.commit('First');
    const commit = { hash, author: 'Ana <ana@example.com>', subject: 'First' };
    expect(await source.read()).toMatchObject({ commit, dirty: false });
    repo.write('README.md', 'not a workflow');
    repo.write('workflows/tests/mail.eml', 'nor this');
    expect(await source.read()).toMatchObject({ commit, dirty: false });
    repo.write('workflows/new.yaml', 'task: new\n');
    expect(await source.read()).toMatchObject({ commit, dirty: true });
    rmSync(join(repo.path, 'workflows/new.yaml'));
    repo.write('workflows/headgate.yaml', 'headgate: 1 \n');
    expect(await source.read()).toMatchObject({ commit, dirty: true });
  });

  it('is nothing where the commit does not have the folder, or git cannot be read', async () => {
    const repo = createRepository();
    folders.push(repo.path);
    repo.commit('First', { 'README.md': 'readme' });
    repo.write('workflows/headgate.yaml', 'headgate: 1\n');
    const source = createDirectorySource(join(repo.path, 'workflows'));
    expect(await source.read()).toMatchObject({ commit: null, dirty: false });
    repo.commit('Second');
    rmSync(join(repo.path, '.git/objects'), { recursive: true });
    expect(await source.read()).toMatchObject({ commit: null, dirty: false });
  });

  it('is known in a linked work tree too', async () => {
    const repo = createRepository();
    folders.push(repo.path);
    repo.commit('First', { 'workflows/headgate.yaml': 'headgate: 1\n' });
    repo.git('worktree', 'add', '--quiet', '-b', 'side', join(repo.path, 'side'));
    expect(await createDirectorySource(join(repo.path, 'side/workflows')).read()).toMatchObject({
      commit: { subject: 'First' },
      dirty: false,
    });
  });
});

describe('reading while somebody writes', () => {
  it('waits until a file is whole', async () => {
    const path = folder();
    const file = join(path, 'headgate.yaml');
    writeFileSync(file, 'headgate: ');
    const reading = createDirectorySource(path).read();
    appendFileSync(file, '1\n');
    expect((await reading).files).toMatchObject([{ text: 'headgate: 1\n' }]);
  });

  it('does not miss a file that is away between its removal and its return', async () => {
    const path = folder();
    writeFileSync(join(path, 'headgate.yaml'), 'headgate: 1\n');
    writeFileSync(join(path, 'greet.yaml'), 'task: greet\n');
    unlinkSync(join(path, 'greet.yaml'));
    const reading = createDirectorySource(path).read();
    writeFileSync(join(path, 'greet.yaml'), 'task: greet\ndescription: again\n');
    expect(names((await reading).files)).toEqual(['greet.yaml', 'headgate.yaml']);
  });
});

describe('watching a folder', () => {
  /** Resolves when a reading made after a call satisfies the condition; the test's own time limit is the only other end. */
  async function until(
    path: string,
    change: () => void,
    wanted: (files: readonly { readonly path: string; readonly text: string }[]) => boolean,
    clock?: Clock,
  ) {
    const source = createDirectorySource(path, clock);
    await source.read();
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: (readonly { readonly path: string; readonly text: string }[])[] = [];
    const stop = await source.watch(() => {
      source.read().then(
        ({ files }) => {
          seen.push(files);
          if (wanted(files)) resolve();
        },
        () => undefined,
      );
    });
    change();
    await promise;
    await stop();
    return seen;
  }

  const started = (): string => {
    const path = folder();
    writeFileSync(join(path, 'headgate.yaml'), 'headgate: 1\n');
    writeFileSync(join(path, 'greet.yaml'), 'task: greet\n');
    return path;
  };

  it('sees a file that is written in parts only when it is whole', async () => {
    const path = started();
    const file = join(path, 'greet.yaml');
    const whole = 'task: greet\ndescription: in parts\n';
    const seen = await until(
      path,
      () => {
        writeFileSync(file, '');
        let written = 0;
        const writeOn = (): void => {
          appendFileSync(file, whole.charAt(written));
          written += 1;
          if (written < whole.length) setTimeout(writeOn, 5);
        };
        writeOn();
      },
      (files) => files.some(({ text }) => text === whole),
    );
    for (const files of seen) expect(files[0]?.text).toBe(whole);
  });

  it('sees a file that replaces another by its name, a new one, and one that is removed', async () => {
    const path = started();
    await until(
      path,
      () => {
        writeFileSync(join(path, '.greet.tmp'), 'task: greet\ndescription: replaced\n');
        renameSync(join(path, '.greet.tmp'), join(path, 'greet.yaml'));
      },
      ([file]) => file?.text.includes('replaced') === true,
    );
    await until(
      path,
      () => {
        mkdirSync(join(path, 'mail'));
        writeFileSync(join(path, 'mail/parse.yaml'), 'task: parse\n');
      },
      (files) => files.length === 3,
    );
    await until(
      path,
      () => unlinkSync(join(path, 'greet.yaml')),
      (files) => files.length === 2,
    );
  });

  it('sees the folder replaced behind a link, as a mounted volume does it', async () => {
    const path = folder();
    for (const version of ['..v1', '..v2']) {
      mkdirSync(join(path, version));
      writeFileSync(join(path, version, 'headgate.yaml'), `headgate: 1 # ${version}\n`);
    }
    symlinkSync('..v1', join(path, '..data'));
    symlinkSync('..data/headgate.yaml', join(path, 'headgate.yaml'));
    const clock = createSimulatedClock();
    await until(
      path,
      () => {
        symlinkSync('..v2', join(path, '..data.new'));
        renameSync(join(path, '..data.new'), join(path, '..data'));
        void clock.advance(10_000);
      },
      ([file]) => file?.text.includes('v2') === true,
      clock,
    );
  });
});
