// The README's own commands, run as they are written, on a free port and a database of their own.
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtMain } from '../support/built.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { closedEnvironment, serve, type Served } from '../support/served.ts';

const run = promisify(execFile);
const readme = readRepositoryFile('README.md');
const fences = fencesOf(readme);
const commands = fences
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text, line }) =>
    text.split('\n').map((command, index) => ({ command, line: line + 1 + index })),
  )
  .filter(({ command }) => command !== '');

/** Commands that this test cannot run inside itself: a clone of a clone, a key of somebody's, the tests from within the tests. */
const notHere = /^(git clone |cd headgate$|export \w+=…$|npm test$)/;

let served: Served;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-readme-'));
  served = await serve({ command: ['npm', 'start'] });
}, 120_000);

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});

describe('the README', () => {
  it('starts with a clone and npm start, and names the test command', () => {
    expect(commands.slice(0, 3).map(({ command }) => command.split(' ').slice(0, 2).join(' '))).toEqual([
      'git clone',
      'cd headgate',
      'npm start',
    ]);
    expect(commands.map(({ command }) => command)).toContain('npm test');
  });

  it('prints where the API and the page are', () => {
    expect(served.output()).toContain(`${served.url}/graphql`);
    expect(served.output()).toContain(`The page: ${served.url}/`);
  });

  const graphql = fences.filter(({ language }) => language === 'graphql');
  it.each(graphql.map(({ text, line }) => ({ text, line })))(
    'answers the operation of line $line without an error',
    async ({ text }) => {
      const response = await fetch(`${served.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query: text }),
      });
      const answer = (await response.json()) as {
        data?: { runTask?: { __typename: string } };
        errors?: unknown;
      };
      expect(answer.errors).toBeUndefined();
      if (answer.data?.runTask) expect(answer.data.runTask.__typename).toBe('Run');
    },
  );

  const shell = commands.filter(({ command }) => !notHere.test(command) && command !== 'npm start');
  it.each(shell)('runs the command of line $line: $command', async ({ command }) => {
    const { stdout } = await run('sh', ['-c', command], {
      cwd: repositoryRoot,
      env: { ...closedEnvironment(), HEADGATE_DATA: join(folder, 'cli') },
    });
    expect(stdout).not.toBe('');
  });

  const yaml = fences.filter(({ language }) => language === 'yaml');
  it.each(yaml.map(({ text, line }) => ({ text, line })))(
    'shows a workflow on line $line that check accepts',
    async ({ text }) => {
      const workflows = join(folder, 'workflows');
      cpSync(join(repositoryRoot, 'workflows'), workflows, { recursive: true });
      // What names no task belongs to the project's file.
      if (/^task:/m.test(text)) writeFileSync(join(workflows, 'from-readme.yaml'), text);
      else appendFileSync(join(workflows, 'headgate.yaml'), `\n${text}`);
      const { stdout } = await run(process.execPath, [builtMain(), 'check', workflows], {
        env: closedEnvironment(),
      });
      expect(stdout).toContain('0 errors');
    },
  );

  it('links only to files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(repositoryRoot, link)))).toEqual([]);
  });
});
