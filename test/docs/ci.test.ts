// The examples of docs/ci are run as they stand, by a real git and a real shell.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { builtMain } from '../support/built.ts';
import { cleanEnvironment, createRepository, openRepository, type TestRepository } from '../support/git.ts';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { TrafficWriter } from '../../src/simulation/traffic-file.ts';

const HEADGATE = `${process.execPath} ${builtMain()}`;
const PROJECT = `headgate: 1
providers: { builtin: { adapter: builtin } }
routes: { default: [{ from: [builtin/extract] }] }
budgets: { all: { limit: $10, per: day } }
`;
const TASK = 'task: greet\ninput: { text: string }\nsteps:\n  answer: { prompt: "${{ input.text }}" }\n';
const BROKEN = 'task: greet\nsteps: {}\n';
const FILES = { 'workflows/headgate.yaml': PROJECT, 'workflows/greet.yaml': TASK };

function repository(): TestRepository {
  const repo = createRepository();
  onTestFinished(() => repo.remove());
  return repo;
}

describe('docs/ci/pre-commit', () => {
  interface Committed {
    readonly ok: boolean;
    readonly output: string;
  }

  /** `before`: committed before there is a hook. */
  function hooked(before?: { readonly [path: string]: string }) {
    const repo = repository();
    if (before !== undefined) repo.commit('Before', before);
    const hook = join(repo.path, '.git/hooks/pre-commit');
    mkdirSync(join(repo.path, '.git/hooks'), { recursive: true });
    copyFileSync(join(repositoryRoot, 'docs/ci/pre-commit'), hook);
    chmodSync(hook, 0o755);
    const commit = (files: { readonly [path: string]: string }, ...flags: readonly string[]): Committed => {
      for (const [path, text] of Object.entries(files)) repo.write(path, text);
      repo.git('add', '--all');
      const { status, stdout, stderr } = spawnSync('git', ['commit', '--message', 'Try', ...flags], {
        cwd: repo.path,
        env: { ...cleanEnvironment(), HEADGATE },
        encoding: 'utf8',
      });
      return { ok: status === 0, output: `${stdout}${stderr}` };
    };
    return { repo, commit };
  }

  it('lets a first commit and a harmless one through, and says what changes', () => {
    const { commit } = hooked();
    expect(commit(FILES)).toMatchObject({ ok: true });
    const { ok, output } = commit({ 'workflows/greet.yaml': `${TASK}cache: { for: 1h }\n` });
    expect({ ok, output }).toMatchObject({ ok: true });
    expect(output).toContain('task greet: answers the same input from its cache for 1h');
  });

  it('checks what is staged, not what lies in the work tree', () => {
    const { repo } = hooked(FILES);
    repo.write('workflows/greet.yaml', BROKEN);
    repo.git('add', '--all');
    repo.write('workflows/greet.yaml', TASK);
    const { status, stderr, stdout } = spawnSync('git', ['commit', '--message', 'Broken'], {
      cwd: repo.path,
      env: { ...cleanEnvironment(), HEADGATE },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(`${stdout}${stderr}`).toContain('workflows/greet.yaml:');
  });

  it('stops a raised limit, unless it is said to be meant', () => {
    const { commit } = hooked(FILES);
    const raised = { 'workflows/headgate.yaml': PROJECT.replace('$10', '$20') };
    const { ok, output } = commit(raised);
    expect(ok).toBe(false);
    expect(output).toContain('budget all: goes from $10 a day (UTC) to $20 a day (UTC)');
    expect(output).toContain('--no-verify');
    expect(commit(raised, '--no-verify').ok).toBe(true);
  });

  it('lets the fix of a broken commit through, and leaves other commits alone', () => {
    const { commit } = hooked(FILES);
    expect(commit({ 'workflows/greet.yaml': BROKEN }, '--no-verify').ok).toBe(true);
    expect(commit({ 'README.md': 'not a workflow' })).toEqual(expect.objectContaining({ ok: true }));
    expect(commit({ 'workflows/greet.yaml': TASK }).ok).toBe(true);
  });
});

describe('docs/ci/github-actions.yml', () => {
  const file = parse(readRepositoryFile('docs/ci/github-actions.yml')) as {
    readonly on: { readonly pull_request: { readonly paths: readonly string[] } };
    readonly permissions: { readonly [name: string]: string };
    readonly jobs: {
      readonly workflows: {
        readonly steps: readonly {
          readonly name?: string;
          readonly run?: string;
          readonly with?: { readonly [name: string]: unknown };
        }[];
      };
    };
  };
  const { steps } = file.jobs.workflows;

  /** Runs each command as Actions does, in a checkout of the pull request, until one fails. */
  function runOn(change: { readonly [path: string]: string }, traffic: string | null = null) {
    const origin = repository();
    origin.commit('Base', FILES);
    const path = join(origin.path, '.git', 'checkout');
    execFileSync('git', ['clone', '--quiet', origin.path, path], { env: cleanEnvironment() });
    const checkout = openRepository(path);
    checkout.git('switch', '--quiet', '--create', 'change');
    checkout.commit('Change', change);
    const bin = join(path, '.git', 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'npx'),
      `#!/bin/sh\n[ "$1 $2" = "--yes headgate" ] || exit 9\nshift 2\nexec ${HEADGATE} "$@"\n`,
      { mode: 0o755 },
    );
    const temp = join(path, '.git', 'temp');
    mkdirSync(temp);
    if (traffic !== null) writeFileSync(join(temp, 'traffic.hgt'), gzipSync(traffic));
    // What `gh` would post is kept; its flags are those of its manual.
    const comments = join(path, '.git', 'comments');
    writeFileSync(
      join(bin, 'gh'),
      `#!/bin/sh\n[ "$1 $2 $3 $4 $5 $6" = "pr comment 7 --edit-last --create-if-none --body-file" ] || exit 9\ncat "$7" > '${comments}'\n`,
      { mode: 0o755 },
    );
    const summary = join(path, '.git', 'summary.md');
    writeFileSync(summary, '');
    const env = {
      ...cleanEnvironment(),
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      GITHUB_BASE_REF: 'main',
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: temp,
      PULL_REQUEST: '7',
    };
    const ended: { readonly step: string; readonly code: number | null; readonly output: string }[] = [];
    for (const { name = '', run } of steps) {
      if (run === undefined) continue;
      const { status, stdout, stderr } = spawnSync(
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run],
        { cwd: path, env, encoding: 'utf8' },
      );
      ended.push({ step: name, code: status, output: `${stdout}${stderr}` });
      if (status !== 0) break;
    }
    const comment = existsSync(comments) ? readFileSync(comments, 'utf8') : null;
    return { ended, summary: readFileSync(summary, 'utf8'), comment };
  }

  it('may read, and comment, and nothing else, looks at workflows alone, and fetches what it compares with', () => {
    expect(file.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
    expect(file.on.pull_request.paths).toEqual(['workflows/**']);
    expect(steps[0]?.with).toEqual({ 'fetch-depth': 0 });
  });

  it('passes a harmless change, and shows it on the summary page', () => {
    const { ended, summary, comment } = runOn({ 'workflows/greet.yaml': `${TASK}description: Greets.\n` });
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(comment).toBe(summary);
    expect(summary).toContain('**task greet** is described otherwise');
    expect(summary).toContain('### Workflows: `origin/main');
  });

  it('tells what the change costs where traffic was fetched, and stops what it would refuse', () => {
    const fromMs = Date.UTC(2026, 9, 1);
    const writer = new TrafficWriter({ fromMs, toMs: fromMs + 3_600_000, hashed: false });
    const who = { name: 'ana', team: null, tier: null, tags: {} };
    const run = { task: 'greet', who, outcome: 'succeeded', latencyMs: 3, steps: [] };
    const runs = [1, 2, 3].map((at) => writer.run({ ...run, atMs: fromMs + at * 1_000, input: at }));
    const { ended, comment } = runOn(
      {
        'workflows/headgate.yaml': PROJECT.replace('limit: $10, per: day', 'limit: 2 calls, per: day'),
      },
      [writer.header, ...runs].join(''),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 3]);
    expect(ended.at(-1)?.output).toContain('refused');
    expect(comment).toContain('1 more refusal by budget all');
  });

  it('annotates the line of an error', () => {
    const { ended } = runOn({ 'workflows/greet.yaml': BROKEN });
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({ code: 1 });
    expect(ended[0]?.output).toMatch(/^::error file=workflows\/greet\.yaml,line=\d+/m);
  });

  it('stops with exit code 3 at a breaking change and a raised limit, after having shown them', () => {
    const { ended, summary } = runOn({
      'workflows/headgate.yaml': PROJECT.replace('$10', '$20'),
      'workflows/greet.yaml': TASK.replace('text: string', 'text: string, name: string').replace(
        'input.text }}',
        'input.text }} ${{ input.name }}',
      ),
    });
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 3]);
    expect(ended.at(-1)?.output).toContain('stopped by --fail-on: breaking, limit-raised');
    expect(summary).toContain('#### Breaking for callers');
  });
});
