// headgate plan: the two sides it compares, what it prints, and when it ends with 3.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRepository, type TestRepository } from '../support/git.ts';
import { headgate, PROJECT, TASK, temporaryFolder } from './support.ts';

const BUDGET = 'budgets: { all: { limit: $10, per: day } }\n';
let repo: TestRepository;
let folder = '';

beforeAll(() => {
  repo = createRepository();
  repo.commit('First', { 'flows/headgate.yaml': PROJECT + BUDGET, 'flows/shorten.yaml': TASK });
  repo.commit('Raise', { 'flows/headgate.yaml': PROJECT + BUDGET.replace('$10', '$20') });
  folder = join(repo.path, 'flows');
});
afterAll(() => repo.remove());

const plan = (...args: readonly string[]) => headgate(['plan', ...args, '--workflows', folder]);

describe('headgate plan', () => {
  it('compares the last commit with the folder as it is', async () => {
    expect(await plan()).toMatchObject({
      code: 0,
      out: expect.stringContaining('No difference in meaning.') as string,
    });
    repo.write('flows/shorten.yaml', TASK.replace('default: 2', 'default: 3'));
    const { code, out } = await plan();
    repo.write('flows/shorten.yaml', TASK);
    expect(code).toBe(0);
    expect(out).toContain('task shorten: input sentences has the default 3 instead of 2');
    expect(out).toMatch(/^HEAD \([0-9a-f]{12}\) → /);
  });

  it('compares two refs, a ref with the folder, and two folders', async () => {
    const raised = 'budget all: goes from $10 a day (UTC) to $20 a day (UTC) [limit-raised]';
    expect((await plan('HEAD~1', 'main')).out).toContain(raised);
    expect((await plan('HEAD~1')).out).toContain(raised);
    expect((await plan('main', 'HEAD~1')).out).toContain('[limit-lowered]');
    const other = temporaryFolder({ 'headgate.yaml': PROJECT + BUDGET, 'shorten.yaml': TASK });
    expect((await plan(other, folder)).out).toContain(raised);
    expect((await plan(folder, `${other}/`)).out).toContain('[limit-lowered]');
  });

  it('ends with 3 for what --fail-on names, and with 0 for other changes', async () => {
    const { code, err, out } = await plan('HEAD~1', '--fail-on', 'breaking,limit-raised');
    expect(code).toBe(3);
    expect(err).toBe('headgate: stopped by --fail-on: limit-raised.');
    expect(out).toContain('[limit-raised]');
    expect((await plan('HEAD~1', '--fail-on', 'breaking', '--fail-on', 'cost-raised')).code).toBe(0);
    expect((await plan('HEAD~1', '--fail-on', 'any')).code).toBe(3);
    expect((await plan('--fail-on', 'any')).code).toBe(0);
  });

  it('counts a breaking change of the API as breaking', async () => {
    const narrower = temporaryFolder({
      'headgate.yaml': PROJECT,
      'shorten.yaml': TASK.replace('  sentences: { type: integer, minimum: 1, default: 2 }\n', '').replace(
        '${{ input.sentences }}',
        '2',
      ),
    });
    const { code, out } = await plan(folder, narrower, '--fail-on', 'breaking');
    expect(code).toBe(3);
    expect(out).toMatch(/GraphQL\n.*sentences.*\(breaking\)/);
  });

  it('gives JSON and Markdown', async () => {
    const json = JSON.parse(
      (await plan('HEAD~1', '--format', 'json', '--fail-on', 'limit-raised')).out,
    ) as object;
    expect(json).toMatchObject({
      base: { name: expect.stringMatching(/^HEAD~1 \(/) as string, commit: repo.git('rev-parse', 'HEAD~1') },
      head: { name: folder, commit: null },
      changes: [{ subject: 'budget all', effects: ['limit-raised'] }],
      effects: ['limit-raised'],
      worstCosts: [{ task: 'shorten', before: '0', after: '0' }],
      graphql: [],
      stoppedBy: ['limit-raised'],
    });
    const { out } = await plan('HEAD~1', '--format', 'markdown', '--fail-on', 'limit-raised');
    expect(out).toContain('**Stopped by:** `limit-raised`');
    expect(out).toContain('- **budget all** goes from $10 a day (UTC) to $20 a day (UTC) `limit-raised`');
  });

  it('takes a commit without workflows as one without tasks', async () => {
    repo.git('switch', '--quiet', '--orphan', 'empty');
    repo.commit('Nothing here');
    repo.git('switch', '--quiet', 'main');
    expect((await plan('empty')).out).toContain('task shorten: is new [task-added]');
  });

  it('says what is wrong with a side, and with what was asked', async () => {
    expect(await plan('mian')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no "mian"') as string,
    });
    const broken = temporaryFolder({
      'headgate.yaml': PROJECT,
      'shorten.yaml': 'task: shorten\nsteps: {}\n',
    });
    const ended = await plan('HEAD', broken);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('shorten.yaml:');
    expect(ended.err).toContain('so there is nothing to compare');
    expect(await plan('--fail-on', 'everything')).toMatchObject({
      code: 2,
      err: expect.stringContaining('limit-raised') as string,
    });
    expect(await plan('HEAD', '--print')).toMatchObject({ code: 2 });
  });

  it('prints the plan with --print, --task or --json, and where there is no repository', async () => {
    expect((await plan('--print')).out).toMatch(/^plan [0-9a-f]{12}\n\ntask shorten/);
    expect((await plan('--task', 'shorten')).out).not.toContain('budgets');
    expect(JSON.parse((await plan('--json')).out)).toMatchObject({ language: 1 });
    const outside = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': TASK });
    const { code, out, err } = await headgate(['plan', '--workflows', outside]);
    expect({ code, isPlan: out.startsWith('plan ') }).toEqual({ code: 0, isPlan: true });
    expect(err).toContain('not lie in a git repository');
    expect(await headgate(['plan', 'main', '--workflows', outside])).toMatchObject({ code: 1 });
  });

  it('gives the same plan wherever the workflows lie', async () => {
    const copy = join(temporaryFolder(), 'deep', 'down');
    mkdirSync(copy, { recursive: true });
    writeFileSync(join(copy, 'headgate.yaml'), PROJECT + BUDGET.replace('$10', '$20'));
    writeFileSync(join(copy, 'shorten.yaml'), TASK);
    expect((await plan('main', copy)).out).toContain('No difference in meaning.');
  });
});
