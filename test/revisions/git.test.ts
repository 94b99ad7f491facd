// The git source against real repositories: what it reads, and what it says when it cannot.
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeadgateError } from '../../src/errors/headgate-error.ts';
import { readWorkflowDirectory } from '../../src/revisions/directory.ts';
import { createGitSource } from '../../src/revisions/git.ts';
import type { Source } from '../../src/revisions/port.ts';
import { createRepository, openRepository, type TestRepository } from '../support/git.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

const repositories: TestRepository[] = [];
const repository = (): TestRepository => {
  const made = createRepository();
  repositories.push(made);
  return made;
};
afterEach(() => {
  for (const made of repositories.splice(0)) made.remove();
});

const POLL_MS = 1_000;
const FILES = { 'workflows/headgate.yaml': 'headgate: 1\n', 'workflows/greet.yaml': 'task: greet\n' };

const sourceOf = (
  path: string,
  ref = 'main',
  folder = 'workflows',
  clock = createSimulatedClock(),
): Promise<Source> => createGitSource({ repository: path, ref, folder, clock, pollMs: POLL_MS });

const codeOf = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => 'none',
    (error: HeadgateError) => error.code,
  );

describe('the git source', () => {
  it('reads the workflow files of a branch with their commit, and not what is only in the work tree', async () => {
    const repo = repository();
    const hash = repo.commit('Greet\n\nAt length.', {
      ...FILES,
      'README.md': 'no workflow',
      'workflows/tests/a.yaml': 'no',
    });
    repo.write('workflows/greet.yaml', 'task: changed\n');
    repo.write('workflows/more.yaml', 'task: more\n');
    const snapshot = await (await sourceOf(repo.path)).read();
    expect(snapshot).toEqual({
      files: [
        { path: 'workflows/greet.yaml', text: 'task: greet\n' },
        { path: 'workflows/headgate.yaml', text: 'headgate: 1\n' },
      ],
      commit: { hash, author: 'Ana <ana@example.com>', subject: 'Greet' },
      dirty: false,
    });
  });

  it('reads a bare repository, and a linked work tree, as it reads a clone', async () => {
    const repo = repository();
    const hash = repo.commit('Greet', FILES);
    const bare = `${repo.path}/bare.git`;
    repo.git('clone', '--quiet', '--bare', '.', bare);
    const linked = `${repo.path}/linked`;
    repo.git('worktree', 'add', '--quiet', '-b', 'side', linked);
    const side = openRepository(linked).commit('On the side', { 'workflows/side.yaml': 'task: side\n' });
    expect((await (await sourceOf(bare)).read()).commit?.hash).toBe(hash);
    expect((await (await sourceOf(bare, 'HEAD')).read()).commit?.hash).toBe(hash);
    const fromLinked = await (await sourceOf(linked, 'HEAD')).read();
    expect(fromLinked.commit?.hash).toBe(side);
    expect(fromLinked.files.map(({ path }) => path)).toContain('workflows/side.yaml');
    expect((await (await sourceOf(linked, 'main')).read()).commit?.hash).toBe(hash);
  });

  it('reads objects and refs that were packed', async () => {
    const repo = repository();
    const first = repo.commit('First', FILES);
    repo.commit('Second', { 'workflows/greet.yaml': `task: greet\n# ${'long '.repeat(500)}\n` });
    repo.git('gc', '--quiet', '--aggressive', '--prune=now');
    repo.git('pack-refs', '--all');
    expect((await (await sourceOf(repo.path)).read()).files).toHaveLength(2);
    expect((await (await sourceOf(repo.path, first)).read()).commit?.subject).toBe('First');
  });

  describe('of three commits and two tags', () => {
    let repo: TestRepository;
    beforeAll(() => {
      repo = createRepository();
      repo.commit('First', FILES);
      repo.git('tag', 'v1');
      repo.commit('Second');
      repo.git('tag', '--annotate', 'annotated', '--message', 'a tag of its own');
      repo.commit('Third');
    });
    afterAll(() => repo.remove());

    it.each([
      ['HEAD~1', 'Second'],
      ['main^', 'Second'],
      ['main~2', 'First'],
      ['v1', 'First'],
      ['annotated', 'Second'],
      ['refs/heads/main', 'Third'],
      ['@', 'Third'],
    ])('takes %s as git does', async (ref, subject) => {
      const { commit } = await (await sourceOf(repo.path, ref)).read();
      expect(commit?.subject).toBe(subject);
      expect(commit?.hash).toBe(repo.git('rev-parse', `${ref}^{commit}`));
    });
  });

  it('takes the beginning of a hash, and the workflows at the root of the tree', async () => {
    const repo = repository();
    const hash = repo.commit('Greet', { 'headgate.yaml': 'headgate: 1\n' });
    const { commit, files } = await (await sourceOf(repo.path, hash.slice(0, 8), '.')).read();
    expect(commit?.hash).toBe(hash);
    expect(files).toEqual([{ path: 'headgate.yaml', text: 'headgate: 1\n' }]);
  });

  it('takes what git prints and takes for a commit', async () => {
    const repo = repository();
    const hash = repo.commit('First', FILES);
    repo.git('tag', '--annotate', 'v1', '--message', 'one');
    repo.git('tag', '--annotate', 'v1-again', 'v1', '--message', 'a tag of a tag');
    repo.commit('Second');
    const described = repo.git('describe');
    expect(described).toMatch(/^v1(?:-again)?-1-g/);
    for (const ref of ['v1^{commit}', 'v1^{}', 'v1^0', 'v1-again', `${described}~1`, hash.toUpperCase()])
      expect([ref, (await (await sourceOf(repo.path, ref)).read()).commit?.hash]).toEqual([ref, hash]);
    expect(await codeOf((await sourceOf(repo.path, 'main^{tree}')).read())).toBe('GIT_REF_NOT_FOUND');
    expect(await codeOf((await sourceOf(repo.path, `${hash}:workflows`)).read())).toBe('GIT_REF_NOT_FOUND');
  });

  it('follows links to files and to folders, as a checkout has them', async () => {
    const repo = repository();
    repo.commit('Greet', { ...FILES, 'shared/a.yaml': 'task: a\n', 'shared/deep/b.yml': 'task: b\n' });
    symlinkSync('../shared/a.yaml', join(repo.path, 'workflows/one.yaml'));
    symlinkSync('one.yaml', join(repo.path, 'workflows/two.yaml'));
    symlinkSync('../shared', join(repo.path, 'workflows/all'));
    symlinkSync('workflows', join(repo.path, 'flows'));
    symlinkSync('../README.md', join(repo.path, 'workflows/NOTES.md'));
    repo.commit('Links');
    const expected = [
      ['all/a.yaml', 'task: a\n'],
      ['all/deep/b.yml', 'task: b\n'],
      ['greet.yaml', 'task: greet\n'],
      ['headgate.yaml', 'headgate: 1\n'],
      ['one.yaml', 'task: a\n'],
      ['two.yaml', 'task: a\n'],
    ];
    for (const folder of ['workflows', 'flows', 'shared/../workflows']) {
      const { files } = await (await sourceOf(repo.path, 'main', folder)).read();
      expect(files.map(({ path, text }) => [path.slice(folder.length + 1), text])).toEqual(expected);
    }
    const checkedOut = await readWorkflowDirectory(join(repo.path, 'flows'));
    expect(checkedOut.map(({ path, text }) => [path.split('/flows/').at(-1), text])).toEqual(expected);
  });

  it.each([
    ['a file that is not there', 'lost.yaml', '../nowhere.yaml', /nowhere\.yaml, which is not there/],
    ['a folder that is not there', 'lost', '../flows', /flows, which is not there/],
    ['a place outside', 'out.yaml', '../../out.yaml', /outside the repository/],
    ['an absolute path', 'etc', '/etc', /\/etc, which is outside the repository/],
    ['itself', 'self.yaml', 'self.yaml', /itself/],
    ['a folder that it lies in', 'up', '..', /which it lies in/],
  ])('INV-13: names a link to %s, and leaves nothing out', async (_what, name, target, why) => {
    const repo = repository();
    repo.commit('Greet', FILES);
    symlinkSync(target, join(repo.path, 'workflows', name));
    repo.commit('Link');
    const { files } = await (await sourceOf(repo.path)).read();
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['workflows/greet.yaml', 'workflows/headgate.yaml', `workflows/${name}`]),
    );
    expect(files.find(({ path }) => path === `workflows/${name}`)?.unread).toMatchObject({
      code: 'file-link',
      message: expect.stringMatching(why) as string,
    });
  });

  it('INV-13: names a submodule among the workflows, whose files are elsewhere', async () => {
    const repo = repository();
    const hash = repo.commit('Greet', FILES);
    repo.git('update-index', '--add', '--cacheinfo', `160000,${hash},workflows/team`);
    repo.git('update-index', '--add', '--cacheinfo', `160000,${hash},elsewhere`);
    repo.git('commit', '--quiet', '--message', 'Submodules');
    const { files } = await (await sourceOf(repo.path)).read();
    expect(files.filter(({ unread }) => unread !== undefined)).toMatchObject([
      { path: 'workflows/team', unread: { code: 'file-link' } },
    ]);
    expect((await (await sourceOf(repo.path, 'main', 'elsewhere')).read()).files).toMatchObject([
      { path: 'elsewhere', unread: { code: 'file-link' } },
    ]);
  });

  it('is not hindered by names beside the workflows that are no UTF-8 or hold a backslash, and names a workflow file that has one', async () => {
    const repo = repository();
    repo.commit('Greet', { ...FILES, 'workflows/a\\b.txt': 'notes' });
    const write = (name: string): void =>
      writeFileSync(Buffer.from(`${repo.path}/workflows/${name}`, 'latin1'), 'task: x\n');
    write('r\u00e9sum\u00e9.txt');
    repo.commit('Notes');
    expect((await (await sourceOf(repo.path)).read()).files).toHaveLength(2);
    write('r\u00e9sum\u00e9.yaml');
    write('r\u00e8sum\u00e8.yaml');
    repo.commit('Workflows');
    const { files } = await (await sourceOf(repo.path)).read();
    expect(files.filter(({ unread }) => unread?.code === 'file-name')).toHaveLength(2);
    expect(files).toHaveLength(4);
  });

  it('INV-13: names a file that is not in UTF-8, with the place, and shows it as it is', async () => {
    const repo = repository();
    repo.commit('Greet', FILES);
    writeFileSync(
      join(repo.path, 'workflows/menu.yaml'),
      Buffer.from('task: menu\n# na\u00efve caf\u00e9', 'latin1'),
    );
    repo.commit('Menu');
    const { files } = await (await sourceOf(repo.path)).read();
    expect(files.find(({ path }) => path === 'workflows/menu.yaml')).toMatchObject({
      text: 'task: menu\n# na\u00efve caf\u00e9',
      unread: { code: 'file-encoding', offset: 15 },
    });
  });

  it('reads a clone that borrows its objects, and says what is wrong when they are gone', async () => {
    const lender = repository();
    const hash = lender.commit('Greet', FILES);
    const middle = repository();
    middle.git('clone', '--quiet', '--shared', lender.path, 'one');
    middle.git('clone', '--quiet', '--shared', 'one', 'two');
    middle.git('clone', '--quiet', '--reference', lender.path, lender.path, 'three');
    for (const clone of ['one', 'two', 'three']) {
      const source = await sourceOf(join(middle.path, clone), hash.slice(0, 10));
      expect((await source.read()).files).toHaveLength(2);
    }
    lender.remove();
    const error = await (
      await sourceOf(join(middle.path, 'two'))
    )
      .read()
      .catch((thrown: HeadgateError) => thrown);
    expect(error).toMatchObject({
      code: 'GIT_OBJECT_UNREADABLE',
      message: expect.stringContaining('borrows objects') as string,
    });
  });

  it('refuses a repository of SHA-256 by that name', async () => {
    const repo = repository();
    repo.git('init', '--quiet', '--object-format=sha256', 'other');
    const other = openRepository(join(repo.path, 'other'));
    other.commit('Greet', FILES);
    const error = await (await sourceOf(other.path)).read().catch((thrown: HeadgateError) => thrown);
    expect(error).toMatchObject({
      code: 'GIT_UNSUPPORTED',
      message: expect.stringContaining('SHA-256') as string,
    });
  });

  it('reads a partial clone as far as it was fetched, and says what to fetch', async () => {
    const repo = repository();
    repo.commit('Greet', FILES);
    repo.git('config', 'uploadpack.allowFilter', 'true');
    repo.git('clone', '--quiet', '--bare', '--filter=blob:none', `file://${repo.path}`, 'partial.git');
    const partial = join(repo.path, 'partial.git');
    const error = await (await sourceOf(partial)).read().catch((thrown: HeadgateError) => thrown);
    expect(error).toMatchObject({
      code: 'GIT_OBJECT_UNREADABLE',
      message: expect.stringContaining('partial clone') as string,
      remedy: expect.stringContaining('--refetch') as string,
    });
    openRepository(partial).git('cat-file', '-p', 'main:workflows/greet.yaml');
    openRepository(partial).git('cat-file', '-p', 'main:workflows/headgate.yaml');
    expect((await (await sourceOf(partial)).read()).files).toHaveLength(2);
  });

  it('says of a shallow clone where it ends', async () => {
    const repo = repository();
    repo.commit('First', FILES);
    const second = repo.commit('Second');
    repo.git('clone', '--quiet', '--depth=1', `file://${repo.path}`, 'shallow');
    const shallow = join(repo.path, 'shallow');
    expect((await (await sourceOf(shallow)).read()).commit?.hash).toBe(second);
    const error = await (await sourceOf(shallow, 'main~1')).read().catch((thrown: HeadgateError) => thrown);
    expect(error).toMatchObject({
      code: 'GIT_REF_NOT_FOUND',
      remedy: expect.stringContaining('--unshallow') as string,
    });
  });

  it('reads what was put in the place of a commit, a folder or a file, as git does', async () => {
    const repo = repository();
    const first = repo.commit('First', FILES);
    const other = repo.commit('Other', { 'workflows/greet.yaml': 'task: other\n' });
    repo.git('replace', first, other);
    const { files, commit } = await (await sourceOf(repo.path, first)).read();
    expect(commit).toMatchObject({ hash: first, subject: 'Other' });
    expect(files[0]?.text).toBe('task: other\n');
    repo.git('replace', '-d', first);
    repo.write('put.txt', 'task: put\n');
    repo.git('replace', `${first}:workflows/greet.yaml`, repo.git('hash-object', '-w', 'put.txt'));
    repo.git('pack-refs', '--all');
    expect((await (await sourceOf(repo.path, first)).read()).files[0]?.text).toBe('task: put\n');
  });

  it.each([
    ['ISO-8859-1', 'J\u00fcrgen Gro\u00df', 'latin1'],
    ['latin-1', 'J\u00fcrgen Gro\u00df', 'latin1'],
    [undefined, 'J\u00fcrgen Gro\u00df', 'latin1'],
    [undefined, 'J\u00fcrgen Gro\u00df', 'utf8'],
    ['UTF-8', '\u738b', 'utf8'],
  ] as const)('decodes a commit that says %s', async (encoding, name, bytes) => {
    const repo = repository();
    repo.commit('Greet', FILES);
    const said = encoding === undefined ? '' : `encoding ${encoding}\n`;
    const person = `${name} <j@example.com> 1767225600 +0100`;
    const commit = `tree ${repo.git('rev-parse', 'HEAD^{tree}')}\nauthor ${person}\ncommitter ${person}\n${said}\nFor ${name}\n`;
    const file = join(repo.path, 'commit');
    writeFileSync(file, Buffer.from(commit, bytes));
    repo.git('update-ref', 'refs/heads/main', repo.git('hash-object', '-t', 'commit', '-w', file));
    expect((await (await sourceOf(repo.path)).read()).commit).toMatchObject({
      author: `${name} <j@example.com>`,
      subject: `For ${name}`,
    });
  });

  it('says what is missing: the repository, the ref, the folder', async () => {
    const repo = repository();
    repo.commit('Greet', FILES);
    expect(await codeOf(sourceOf(`${repo.path}/workflows`))).toBe('GIT_NOT_A_REPOSITORY');
    expect(await codeOf((await sourceOf(repo.path, 'mian')).read())).toBe('GIT_REF_NOT_FOUND');
    expect(await codeOf((await sourceOf(repo.path, 'main~5')).read())).toBe('GIT_REF_NOT_FOUND');
    expect(await codeOf((await sourceOf(repo.path, 'main', 'flows')).read())).toBe('WORKFLOWS_EMPTY');
  });

  it.each(['commit', 'tree', 'blob'] as const)('refuses to read on when the %s is damaged', async (type) => {
    const repo = repository();
    const hash = repo.commit('Greet', FILES);
    const damaged = { commit: hash, tree: `${hash}:workflows`, blob: `${hash}:workflows/greet.yaml` }[type];
    const object = repo.git('rev-parse', damaged);
    const file = join(repo.path, '.git/objects', object.slice(0, 2), object.slice(2));
    const whole = readFileSync(file);
    chmodSync(file, 0o644);
    writeFileSync(file, whole.subarray(0, Math.floor(whole.length / 2)));
    const source = await sourceOf(repo.path);
    expect(await codeOf(source.read())).toBe('GIT_OBJECT_UNREADABLE');
    writeFileSync(file, whole);
    expect(await codeOf(source.read())).toBe('none');
  });
});

describe('watching a ref', () => {
  async function watched(path: string, ref = 'main') {
    const clock = createSimulatedClock();
    const source = await sourceOf(path, ref, 'workflows', clock);
    const calls = { count: 0 };
    let reading: Promise<unknown> = Promise.resolve();
    await source.read();
    const stop = await source.watch(() => {
      calls.count += 1;
      reading = source.read().catch(() => undefined);
    });
    /** The look at the ref reads files, which simulated time does not wait for. */
    const poll = async (): Promise<number> => {
      calls.count = 0;
      await clock.advance(POLL_MS);
      while (clock.pendingTimers() === 0) await clock.flush();
      await reading;
      return calls.count;
    };
    return { poll, stop, clock };
  }

  it('calls once for a commit, a force push and a reset, and not while nothing changes', async () => {
    const repo = repository();
    const first = repo.commit('First', FILES);
    const { poll, stop } = await watched(repo.path);
    expect(await poll()).toBe(0);
    repo.commit('Second');
    expect(await poll()).toBe(1);
    expect(await poll()).toBe(0);
    repo.git('commit', '--quiet', '--amend', '--allow-empty', '--message', 'Second, rewritten');
    expect(await poll()).toBe(1);
    repo.git('reset', '--quiet', '--hard', first);
    expect(await poll()).toBe(1);
    expect(await poll()).toBe(0);
    await stop();
  });

  it('goes on asking while the branch is gone, and is quiet once it is back', async () => {
    const repo = repository();
    const hash = repo.commit('First', FILES);
    repo.git('branch', 'release');
    const { poll, stop } = await watched(repo.path, 'release');
    repo.git('branch', '--quiet', '-D', 'release');
    expect(await poll()).toBe(1);
    expect(await poll()).toBe(1);
    repo.git('branch', 'release', hash);
    expect(await poll()).toBe(1);
    expect(await poll()).toBe(0);
    await stop();
  });

  it('looks no more once it is stopped', async () => {
    const repo = repository();
    repo.commit('First', FILES);
    const { stop, clock } = await watched(repo.path);
    await stop();
    repo.commit('Second');
    expect(clock.pendingTimers()).toBe(0);
  });
});
