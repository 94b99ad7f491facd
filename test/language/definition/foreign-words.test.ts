// What people write who know another tool: the problem says what to write here, once, and with their own value.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/errors/problem.ts';
import { loadCatalogue } from '../../../src/language/plan/catalogue.ts';
import type { Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../../src/language/plan/compile.ts';
import { baseProject } from './support/fixtures.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const errorsOf = (task: string, project = baseProject.text): readonly Problem[] =>
  compileWorkflows(
    [
      { path: 'workflows/headgate.yaml', text: project },
      { path: 'workflows/t.yaml', text: task },
    ],
    { env: { OPENAI_API_KEY: 'set' }, catalogue, nowMs: Date.parse('2026-11-22T00:00:00Z') },
  ).problems.filter(({ severity }) => severity === 'error');

const TASK =
  'task: t\ninput: { text: string, list: "string[]", n: integer, done: boolean }\nsteps:\n  a:\n    prompt: "Sum up: ${{ input.text }}"\n';

describe('a word of another tool on a step', () => {
  test.each([
    ['model: openai/gpt-5.6-luna', 'route: { from: [openai/gpt-5.6-luna] }'],
    ['model: gpt-5.6-luna', 'route: { from: [PROVIDER/gpt-5.6-luna] }'],
    ['route: openai/gpt-5.6-luna', 'route: { from: [openai/gpt-5.6-luna] }'],
    ['max_tokens: 100', 'maxOutputTokens: 100'],
    ['maxTokens: 100', 'maxOutputTokens: 100'],
    ['if: input.n > 1', 'when: input.n > 1'],
    ['needs: [b]', 'runs after the steps that it mentions'],
    ['depends_on: b', 'runs after the steps that it mentions'],
    ['retries: 3', 'retry: { attempts: 3 }'],
    ['fallback: openai/other', 'from: [provider/model, openai/other]'],
    ['timeout: 30s', 'deadline'],
    ['messages: []', 'prompt: |'],
    ['system_prompt: Be short.', 'system: Be short.'],
    ['foreach: ${{ input.list }}', 'each: ${{ input.list }}'],
    ['each: ["a"]', '${{ ["a"] }}'],
    ['when: !input.done', '"!input.done"'],
    ['schema: { a: string }', 'output:'],
    ['output: { a: bool }', '`boolean`'],
    ['output: { a: str }', '`string`'],
    ['output: { a: "str?" }', '`string?`'],
    ['output: { a: "Optional[str]" }', '`string?`'],
    ['output: { a: "string | null" }', '`string?`'],
    ['output: { a: low | high }', '{ enum: [low, high] }'],
    ['output: { a: "list[str]" }', '"string[]"'],
    ['output: { a: "Array<int>" }', '"integer[]"'],
    ['output: { a: dict }', '{ name: string }'],
    ['maxOutputTokens: 0100', '`100`'],
  ])('%s', (line, remedy) => {
    const problems = errorsOf(`${TASK}    ${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 6, remedy: expect.stringContaining(remedy) as string });
  });
});

describe('a word of another tool on a task', () => {
  test.each([
    ['name: t', 'task: t'],
    ['timeout: 30s', 'allowance: { deadline: 30s }'],
    ['retries: 3', 'allowance: { attempts: 3 }'],
    ['model: openai/x', 'route: { from: [openai/x] }'],
    ['budget: $5/day', '{ limit: $5, per: day }'],
    ['budget: { limit: $10/day, per: day }', 'limit: $10'],
    ['budget: { limit: 10 USD per month, per: month }', '`limit: $10` and `per: month`'],
    ['budget: { limit: 10, per: day }', 'limit: $10'],
    ['budget: { limit: $10, per: monthly }', 'per: month'],
    ['budget: { limit: $10, per: 1 day }', 'per: day'],
    ['budget: { limit: $10, period: day }', 'per: day'],
    ['budget: { amount: $10, per: day }', 'limit: $10'],
    ['budget: { limit: $10, per: day, action: reject }', 'then: reject'],
    ['cache: 1h', '{ for: 1h }'],
    ['retain: hash', '{ content: hash }'],
    ['allowance: { timeout: 30s }', 'deadline: 30s'],
    ['allowance: { attempts: 010 }', 'Write `10`'],
  ])('%s', (line, remedy) => {
    const problems = errorsOf(`${TASK}${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 6, remedy: expect.stringContaining(remedy) as string });
  });
});

describe('an expression of another language', () => {
  test.each([
    ['input.text | upper', 'input.text.upper()'],
    ['input.text.length', 'size(x)'],
    ['input.list.length', 'size(x)'],
    ['len(input.text)', 'size(x)'],
    ['input.text.toUpperCase()', 'text.upper()'],
    ['input.text.includes("x")', 'text.contains(part)'],
    ['input.n ?? 3', 'default(x, y)'],
    ['input.done and input.n > 1', '`&&`'],
    ['input.text is none', 'x == null'],
    ['input.text if input.done else "b"', 'condition ? this : that'],
    ['input.text[0:10]', 'text.substring(from, to)'],
    ['toJSON(input)', 'toJson(x)'],
  ])('%s', (expression, remedy) => {
    const problems = errorsOf(TASK.replace('input.text }}', `${expression.replaceAll('"', "'")} }}`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 5, remedy: expect.stringContaining(remedy) as string });
  });
});

describe('a route as other tools have it', () => {
  test.each([
    ['default: openai/gpt-5.6-luna', '{ from: [openai/gpt-5.6-luna] }'],
    ['default: [openai/a, openai/b]', '{ from: [openai/a, openai/b] }'],
    ['default: { model: openai/a }', 'from: [openai/a]'],
    ['default: { strategy: cheapest, from: [openai/a] }', 'pick: cheapest'],
  ])('%s', (line, remedy) => {
    const project = baseProject.text.replace(/ {2}default:\n.*\n/, `  ${line}\n`);
    const problems = errorsOf(TASK, project);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.remedy).toContain(remedy);
  });
});

test('a blank that is no space is told by its name where it stands for one', () => {
  for (const [text, line] of [
    ['task: t\nsteps:\n\u00a0 a: { prompt: x }\n', 3],
    ['task: t\nsteps:\n  a:\n  \u00a0 prompt: x\n', 4],
    ['task: t\nsteps:\n  a:\n    prompt\u200b: x\n', 4],
  ] as const)
    expect(errorsOf(text)).toMatchObject([
      { line, code: 'yaml-control-character', message: expect.stringMatching(/U\+(00A0|200B)/) as string },
    ]);
});

test('keys that are not set are one warning for all rules, in one line', async () => {
  const { problemsText } = await import('../../../src/cli/format/problems.ts');
  const { problems } = compileWorkflows(
    [
      {
        path: 'workflows/headgate.yaml',
        text: `${baseProject.text}  strong: { from: [openai/gpt-5.6-terra] }\n  wide:\n    - when: prompt.tokens > 9\n      from: [openai/gpt-5.6-luna]\n    - from: [openai/gpt-5.6-terra]\n`,
      },
      { path: 'workflows/t.yaml', text: `${TASK}    route: strong\n` },
    ],
    { env: {}, catalogue, nowMs: Date.parse('2026-11-22T00:00:00Z') },
  );
  const warnings = problems.filter(({ code }) => code === 'route-without-key');
  expect(warnings).toMatchObject([
    {
      message:
        'OPENAI_API_KEY is not set here: rules of "default", "strong", "wide" have no candidate with a key.',
    },
  ]);
  const plain = (text: string): string => text;
  const colours = { bold: plain, dim: plain, red: plain, yellow: plain, blue: plain } as never;
  expect(
    problemsText(warnings, 2, colours)
      .trim()
      .split('\n')
      .filter((line) => line !== ''),
  ).toHaveLength(2);
});
