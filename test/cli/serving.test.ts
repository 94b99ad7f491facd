// What a served process says, and to whom: three lines at its start, a log in one form, and GraphiQL with something that runs.
import { spawnSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineForPeople } from '../../src/cli/log.ts';
import { firstQuery } from '../../src/server/graphiql-query.ts';
import { builtMain } from '../support/built.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { closedEnvironment, serve, type Served } from '../support/served.ts';
import { temporaryFolder } from './support.ts';

let served: Served;
beforeAll(async () => {
  served = await serve({ env: { HEADGATE_LOG: 'info' } });
}, 60_000);
afterAll(() => served.stop());

async function post(query: string): Promise<unknown> {
  const response = await fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const isJson = (line: string): boolean => line.startsWith('{') && typeof JSON.parse(line) === 'object';

describe('headgate serve', () => {
  it('begins with three lines, and logs JSON lines alone where nobody watches; a run’s line has its model, tokens and tags', async () => {
    const text =
      'Rain fell on the hills. The river rose by a metre. The gate was shut at noon. No field was flooded.';
    await post(
      `mutation { runTask(task: { summarize: { text: "${text}" } }, options: { tags: [{ key: "project", value: "atlas" }] }) { __typename } }`,
    );
    await expect.poll(() => served.output()).toContain('"task":"summarize"');
    const lines = served.output().trim().split('\n');
    const people = lines.filter((line) => !isJson(line));
    expect(people).toEqual([
      expect.stringMatching(/^Headgate serves .*summarize.* at http:\/\/127\.0\.0\.1:\d+\/graphql$/),
      expect.stringContaining('page'),
      expect.stringContaining('No API key exists'),
    ]);
    const run = lines
      .filter(isJson)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find(({ msg }) => msg === 'run');
    expect(run).toMatchObject({
      task: 'summarize',
      status: 'succeeded',
      model: 'builtin/extract',
      inputTokens: expect.any(Number) as number,
      outputTokens: expect.any(Number) as number,
      tags: { project: 'atlas' },
    });
    expect(JSON.stringify(run)).not.toContain('hills');
  });

  it('opens GraphiQL with the README’s mutation, which runs', async () => {
    const readme = fencesOf(readRepositoryFile('README.md')).find(({ language }) => language === 'graphql');
    const query = firstQuery({ tasks: { summarize: {} } } as unknown as Parameters<typeof firstQuery>[0]);
    expect(query.trim()).toBe(readme?.text.trim());
    const page = await fetch(`${served.url}/graphql`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    expect(html).toContain('icebreaker');
    expect(html).not.toContain('Welcome to Yoga');
    expect(await post(query)).toMatchObject({ data: { runTask: { __typename: 'Run' } } });
    expect(await post(firstQuery({ tasks: {} }))).toMatchObject({
      data: { taskTypes: expect.any(Array) as unknown[] },
    });
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'writes lines for people on a terminal',
    async () => {
      // exec: a shell that stays in between would be ended by the Ctrl-C itself, and tell of that.
      const command = `exec ${process.execPath} ${builtMain()} serve --port 0 --data ${temporaryFolder()}`;
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: repositoryRoot,
        env: { ...closedEnvironment(), HEADGATE_LOG: 'info' },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      let shown = '';
      child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      await expect.poll(() => shown, { timeout: 30_000 }).toContain('No API key exists');
      // Ctrl-C.
      child.stdin.write('\u0003');
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(0);
      expect(shown).toContain('headgate: stopping; running tasks are finished first');
      expect(shown.split('\n').filter((line) => line.startsWith('{'))).toEqual([]);
    },
    60_000,
  );
});

describe('a line of the log for people', () => {
  it('has the time, the level, what happened and its fields; a failure its stack', () => {
    const atMs = Date.UTC(2026, 10, 28, 9, 30, 5);
    expect(
      lineForPeople(
        JSON.stringify({
          level: 30,
          time: atMs,
          task: 'ask',
          tags: { a: 'b' },
          why: 'two words',
          msg: 'run',
        }),
      ),
    ).toBe('09:30:05 info run: task=ask tags={"a":"b"} why="two words"');
    expect(
      lineForPeople(
        JSON.stringify({
          level: 50,
          time: atMs,
          err: { message: 'no', stack: 'Error: no\n    at x' },
          msg: 'bad',
        }),
      ),
    ).toBe('09:30:05 error bad\n  Error: no\n    at x');
  });
});
