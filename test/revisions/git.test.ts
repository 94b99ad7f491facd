// The git source against real repositories: what it reads, and what it says when it cannot.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HeadgateError } from '../../src/errors/headgate-error.ts';
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

  it.each([
    ['HEAD~1', 'Second'],
    ['main^', 'Second'],
    ['main~2', 'First'],
    ['v1', 'First'],
    ['annotated', 'Second'],
    ['refs/heads/main', 'Third'],
    ['@', 'Third'],
  ])('takes %s as git does', async (ref, subject) => {
    const repo = repository();
    repo.commit('First', FILES);
    repo.git('tag', 'v1');
    repo.commit('Second');
    repo.git('tag', '--annotate', 'annotated', '--message', 'a tag of its own');
    repo.commit('Third');
    const { commit } = await (await sourceOf(repo.path, ref)).read();
    expect(commit?.subject).toBe(subject);
    expect(commit?.hash).toBe(repo.git('rev-parse', `${ref}^{commit}`));
  });

  it('takes the beginning of a hash, and the workflows at the root of the tree', async () => {
    const repo = repository();
    const hash = repo.commit('Greet', { 'headgate.yaml': 'headgate: 1\n' });
    const { commit, files } = await (await sourceOf(repo.path, hash.slice(0, 8), '.')).read();
    expect(commit?.hash).toBe(hash);
    expect(files).toEqual([{ path: 'headgate.yaml', text: 'headgate: 1\n' }]);
  });

  it('leaves out links, whose content is a path', async () => {
    const repo = repository();
    repo.commit('Greet', FILES);
    repo.git(
      'update-index',
      '--add',
      '--cacheinfo',
      `120000,${repo.git('hash-object', '-w', 'workflows/greet.yaml')},workflows/link.yaml`,
    );
    repo.git('commit', '--quiet', '--message', 'Link');
    expect((await (await sourceOf(repo.path)).read()).files.map(({ path }) => path)).not.toContain(
      'workflows/link.yaml',
    );
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
