// The life of a branch: commits, force pushes, a broken commit and its fix, a branch that disappears, a damaged object.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createGitSource } from '../../src/revisions/git.ts';
import { createRepository } from '../support/git.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';
import { BROKEN, greet, PROJECT, revisionsFixture } from './support.ts';

async function served() {
  const repo = createRepository();
  onTestFinished(() => repo.remove());
  repo.commit('Hello', { 'workflows/headgate.yaml': PROJECT, 'workflows/greet.yaml': greet('Hello') });
  // A server's bare clone, to which people push.
  const bare = join(repo.path, '.git', 'served.git');
  repo.git('clone', '--quiet', '--bare', '.', bare);
  repo.git('remote', 'add', 'served', bare);
  const source = await createGitSource({
    repository: bare,
    ref: 'main',
    folder: 'workflows',
    clock: createSimulatedClock(),
  });
  const fixture = await revisionsFixture(source);
  await fixture.revisions.reload();
  const push = async (...args: readonly string[]) => {
    repo.git('push', '--quiet', ...args, 'served', 'HEAD:main');
    return fixture.revisions.reload();
  };
  return { ...fixture, repo, bare, push };
}

describe('serving a branch', () => {
  it('follows pushes, force pushes and reverts, and names each by its commit', async () => {
    const { revisions, repo, push } = await served();
    const first = revisions.active();
    expect(first.record).toMatchObject({
      subject: 'Hello',
      commit: repo.git('rev-parse', 'HEAD'),
      dirty: false,
    });

    repo.commit('Goodbye', { 'workflows/greet.yaml': greet('Goodbye') });
    expect(await push()).toMatchObject({ kind: 'activated', revision: { record: { subject: 'Goodbye' } } });

    repo.write('workflows/greet.yaml', greet('Farewell'));
    repo.git('commit', '--quiet', '--all', '--amend', '--message', 'Farewell');
    expect(await push('--force')).toMatchObject({
      kind: 'activated',
      revision: { record: { subject: 'Farewell' } },
    });

    repo.git('revert', '--no-edit', 'HEAD');
    expect(await push()).toMatchObject({
      kind: 'activated',
      revision: { record: { subject: 'Revert "Farewell"' } },
    });
    expect(revisions.active().plan).toEqual(first.plan);

    repo.git('reset', '--quiet', '--hard', 'HEAD~2');
    expect(await push('--force')).toMatchObject({ kind: 'unchanged' });
  });

  it('INV-7: refuses a broken commit as a whole, and takes the fix', async () => {
    const { revisions, ledger, repo, push } = await served();
    repo.commit('Break it', {
      'workflows/greet.yaml': BROKEN,
      'workflows/more.yaml': greet('More').replace('greet', 'more'),
    });
    expect(await push()).toMatchObject({ kind: 'refused', record: { subject: 'Break it' } });
    expect(Object.keys(revisions.active().plan.tasks)).toEqual(['greet']);
    repo.commit('Mend it', { 'workflows/greet.yaml': greet('Hello again') });
    expect(await push()).toMatchObject({ kind: 'activated' });
    expect(Object.keys(revisions.active().plan.tasks)).toEqual(['greet', 'more']);
    expect(
      (await ledger.revisions({ limit: 10 })).rows.map(({ subject, problems }) => [
        subject,
        problems.length > 0,
      ]),
    ).toEqual([
      ['Mend it', false],
      ['Break it', true],
      ['Hello', false],
    ]);
  });

  it('serves on while the branch is away, and goes on when it is back', async () => {
    const { revisions, repo, push, notices, bare } = await served();
    const hash = repo.git('rev-parse', 'HEAD');
    repo.git('--git-dir', bare, 'update-ref', '-d', 'refs/heads/main');
    expect(await revisions.reload()).toMatchObject({
      kind: 'refused',
      record: { problems: [{ code: 'git-ref-not-found' }] },
    });
    expect(revisions.active().record.commit).toBe(hash);
    expect(notices).toHaveLength(1);
    expect(await push()).toMatchObject({ kind: 'unchanged' });
    expect(revisions.refused()).toBeNull();
  });

  it('serves on when an object is damaged, and takes it once it is whole', async () => {
    const { revisions, repo, push, bare } = await served();
    const before = revisions.active();
    const hash = repo.commit('Goodbye', { 'workflows/greet.yaml': greet('Goodbye') });
    repo.git('push', '--quiet', 'served', 'HEAD:main');
    const blob = repo.git('rev-parse', `${hash}:workflows/greet.yaml`);
    const file = join(bare, 'objects', blob.slice(0, 2), blob.slice(2));
    const whole = readFileSync(file);
    chmodSync(file, 0o644);
    writeFileSync(file, whole.subarray(0, 10));
    expect(await revisions.reload()).toMatchObject({
      kind: 'refused',
      record: { problems: [{ code: 'git-object-unreadable' }] },
    });
    expect(revisions.active()).toBe(before);
    writeFileSync(file, whole);
    expect(await push()).toMatchObject({ kind: 'activated', revision: { record: { subject: 'Goodbye' } } });
  });
});
