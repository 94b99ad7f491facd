// headgate test: recorded, replayed and live, with the results for people and for CI.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headgate, temporaryFolder } from './support.ts';

const PROJECT = `headgate: 1
providers:
  openai:
    adapter: openai
    baseUrl: \${{ default(env.OPENAI_BASE_URL, "https://api.openai.com/v1") }}
    apiKey: \${{ secrets.OPENAI_API_KEY }}
`;
const TASK = `task: mood
input: { text: string }
steps:
  answer:
    route:
      - from: [openai/gpt-5-mini]
    prompt: How does the writer feel? \${{ input.text }}
    output:
      mood: { enum: [glad, sad] }
tests:
  - name: a glad one
    input: { text: { file: tests/glad.txt } }
    now: "2026-01-02T03:04:05Z"
    expect:
      - output.mood == "glad"
      - run.attempts == 1
      - run.models == ["openai/gpt-5-mini"]
`;

const folder = temporaryFolder({ 'headgate.yaml': PROJECT, 'mood.yaml': TASK });
const answers = join(folder, 'tests', 'mood.answers.json');
const mock = new LLMock({ port: 0 });
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  mkdirSync(join(folder, 'tests'));
  writeFileSync(join(folder, 'tests', 'glad.txt'), 'What a day!');
  mock.onMessage(/What a day/, {
    content: '{"mood":"glad"}',
    usage: { prompt_tokens: 10, completion_tokens: 5 },
  });
  await mock.start();
  env = { OPENAI_API_KEY: 'sk-secret-of-a-person', OPENAI_BASE_URL: `${mock.url}/v1` };
});
afterAll(() => mock.stop());

const test = (args: readonly string[], from: NodeJS.ProcessEnv = {}) =>
  headgate(['test', '--workflows', folder, ...args], from);

describe('headgate test', () => {
  it('fails, and says how to record, while nothing is recorded', async () => {
    const { code, out } = await test([]);
    expect(code).toBe(1);
    expect(out).toContain('FAIL mood: a glad one');
    expect(out).toContain('headgate test --record');
  });

  it('INV-9: records what the provider answers beside the workflow, without the key', async () => {
    const { code } = await test(['--record'], env);
    expect(code).toBe(0);
    expect(readFileSync(answers, 'utf8')).toContain('What a day!');
    expect(readFileSync(answers, 'utf8')).not.toContain('sk-secret');
  });

  it('replays it without a key and without a call, and writes JUnit XML', async () => {
    const calls = mock.getRequests().length;
    const junit = join(folder, 'results.xml');
    const { code, out } = await test(['--junit', junit]);
    expect(code).toBe(0);
    expect(out).toContain('1 test, 0 failed');
    expect(mock.getRequests()).toHaveLength(calls);
    expect(readFileSync(junit, 'utf8')).toContain('<testcase classname="mood" name="a glad one"');
  });

  it('names the expectation that does not hold, with its line and the output', async () => {
    const task = join(folder, 'mood.yaml');
    writeFileSync(task, TASK.replace('== "glad"', '== "sad"'));
    const { code, out } = await test(['mood']);
    writeFileSync(task, TASK);
    expect(code).toBe(1);
    expect(out).toContain('line 15: output.mood == "sad" does not hold; output is {"mood":"glad"}');
  });

  it('calls the provider again with --live, and says what that cost', async () => {
    const calls = mock.getRequests().length;
    const { code, out } = await test(['--live'], env);
    expect(code).toBe(0);
    expect(mock.getRequests()).toHaveLength(calls + 1);
    expect(out).toMatch(/1 test, 0 failed, \$0\.0000\d+ spent/);
    expect(existsSync(answers)).toBe(true);
  });

  it('passes on the shipped workflows as they come', async () => {
    const { code, out } = await headgate(['test']);
    expect(out).toMatch(/\d+ tests, 0 failed$/);
    expect(code).toBe(0);
  });
});
