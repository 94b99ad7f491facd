// Definition → Plan: resolved, priced, frozen, and the same from the same files anywhere.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCatalogue, type Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows, type Compiled } from '../../../src/language/plan/compile.ts';
import { decodePlan, encodePlan, planHash } from '../../../src/language/plan/encode.ts';
import type { Plan, PlanModelStep } from '../../../src/language/plan/types.ts';

const PROJECT = `headgate: 1
providers:
  builtin: { adapter: builtin }
  openai:
    adapter: openai
    baseUrl: \${{ default(env.OPENAI_BASE_URL, "https://api.openai.com/v1") }}
    apiKey: \${{ secrets.OPENAI_API_KEY }}
    policy: hosted
  anthropic: { adapter: anthropic, apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
policies:
  hosted: { timeout: 5s, retry: { attempts: 1 } }
routes:
  main:
    - from: [openai/gpt-5-mini, anthropic/claude-haiku-4-5, builtin/extract]
budgets:
  company: { limit: $400, per: month, then: reject }
`;
const TASK = `task: shorten
input: { text: string }
steps:
  answer:
    route: main
    prompt: Shorten this. \${{ input.text }}
`;
const OTHER = `task: second
input: { text: string }
steps:
  first:
    task: shorten
    input: { text: "\${{ input.text }}" }
`;

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

type Files = readonly { readonly path: string; readonly text: string }[];
const files = (project = PROJECT, task = TASK): Files => [
  { path: 'workflows/headgate.yaml', text: project },
  { path: 'workflows/shorten.yaml', text: task },
  { path: 'workflows/second.yaml', text: OTHER },
];
const compile = (from: Files = files(), env: { [name: string]: string } = {}): Compiled =>
  compileWorkflows(from, { env, catalogue, nowMs: Date.UTC(2026, 10, 22) });
function plan(from?: Files, env?: { [name: string]: string }): Plan {
  const compiled = compile(from, env);
  if (compiled.plan === null) throw new Error(compiled.problems.map(({ message }) => message).join('\n'));
  return compiled.plan;
}
const codes = (from: Files): readonly string[] => compile(from).problems.map(({ code }) => code);

describe('a plan', () => {
  it('is the same whether a schema refers to its parts or writes them out: whoever reads a plan follows no reference', () => {
    const task = (person: string, $defs: string, age: string): string => `task: shorten
input:
  author: { type: object, properties: { name: { type: string } }, required: [name] }
  editor: ${person}
  text: string
steps:
  rows:
    parse: csv
    from: \${{ input.text }}
    output: { type: object, properties: { name: { type: string }, age: ${age} }${$defs} }
  answer:
    route: main
    prompt: \${{ input.editor.name }} \${{ default(steps.rows[0].age, 1) + 1 }}
    output:
      type: object
      properties: { age: ${age}, ages: { type: array, items: ${age} } }
      required: [age]${$defs.replace(', ', '\n      ')}
`;
    const referring = task(
      '{ $ref: "#/properties/author" }',
      ', $defs: { age: { type: integer, maximum: 150 } }',
      '{ $ref: "#/$defs/age" }',
    );
    const written = task(
      '{ type: object, properties: { name: { type: string } }, required: [name] }',
      '',
      '{ type: integer, maximum: 150 }',
    );
    const planOf = (text: string): Plan => ({ ...plan(files(PROJECT, text).slice(0, 2)), hash: '' });
    expect(planOf(referring)).toEqual(planOf(written));
  });

  it('takes a schema that leads into itself, and typed where it does not', () => {
    const nested = TASK.replace(
      'prompt:',
      `output: { type: object, properties: { top: { $ref: "#/$defs/node" } }, required: [top], $defs: { node: { type: object, properties: { name: { type: string }, below: { type: array, items: { $ref: "#/$defs/node" } } }, required: [name, below] } } }
    accept: output.top.below.all(one, one.name != "")
    prompt:`,
    );
    expect(codes(files(PROJECT, nested))).toEqual(codes(files()));
    expect(codes(files(PROJECT, nested.replace('output.top.below', 'output.top.bellow')))).toContain(
      'unknown-field',
    );
  });

  it('INV-6: has the same hash whatever the order of the files, and whatever the environment', () => {
    const { hash } = plan();
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...files()], { minLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[A-Z_]{1,12}$/), fc.string()),
        (order, env) => {
          expect(plan(order, env).hash).toBe(hash);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('INV-6: carries the environment variables that its expressions mention, and no others', () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:9', HOME: '/home/ana', OPENAI_API_KEY: 'sk-secret' };
    expect(plan(files(), env).environment).toEqual({ OPENAI_BASE_URL: 'http://127.0.0.1:9' });
    expect(plan().environment).toEqual({ OPENAI_BASE_URL: null });
  });

  it('INV-9: names secrets and holds none', () => {
    const text = encodePlan(plan(files(), { OPENAI_API_KEY: 'sk-secret-value' }));
    expect(text).toContain('"apiKeySecret":"OPENAI_API_KEY"');
    expect(text).not.toContain('sk-secret-value');
  });

  it('INV-6: is frozen to its depths', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(plan())).toBe(true);
  });

  it('is the same after it was stored and read', () => {
    const original = plan();
    const read = decodePlan(encodePlan(original));
    expect(read).toEqual(original);
    expect(planHash(read)).toBe(original.hash);
    expect(() =>
      decodePlan(encodePlan(original).replace('$400', '$401').replace('"shorten"', '"shorter"')),
    ).toThrow('does not have that hash');
  });

  it('changes its hash with its meaning', () => {
    const { hash } = plan();
    for (const changed of [
      PROJECT.replace('$400', '$401'),
      PROJECT.replace('5s', '6s'),
      PROJECT.replace('gpt-5-mini', 'gpt-5-nano'),
    ])
      expect(plan(files(changed)).hash).not.toBe(hash);
    expect(plan(files(`# a comment\n${PROJECT}`)).hash).toBe(hash);
  });

  it("changes a task's revision with what the task uses, and with nothing else", () => {
    const before = plan().tasks;
    const repriced = plan(files(`${PROJECT}models:\n  openai/gpt-5-mini: { quality: 3 }\n`)).tasks;
    expect(repriced['shorten']?.revision).not.toBe(before['shorten']?.revision);
    expect(repriced['second']?.revision).not.toBe(before['second']?.revision);
    const budgeted = plan(files(PROJECT.replace('$400', '$500'))).tasks;
    expect(budgeted['shorten']?.revision).toBe(before['shorten']?.revision);
  });

  it('resolves policies with their defaults, and prices with their source', () => {
    const { models } = plan();
    expect(models['openai/gpt-5-mini']?.policy).toMatchObject({
      name: 'hosted',
      timeoutMs: 5000,
      firstTokenMs: 5000,
      retry: { attempts: 1, initialDelayMs: 250 },
    });
    expect(models['anthropic/claude-haiku-4-5']?.policy).toMatchObject({
      name: 'default',
      timeoutMs: 30_000,
    });
    expect(models['openai/gpt-5-mini']?.price).toMatchObject({
      kind: 'rates',
      source: 'genai-prices 0.1.8',
      tiers: [{ input: 250_000_000n, output: 2_000_000_000n }],
    });
    expect(models['builtin/extract']?.price).toEqual({ kind: 'free' });
  });

  it('takes the price that is nearest to the model', () => {
    const priced = `${PROJECT}models:\n  openai/gpt-5-mini: { price: { input: $1, output: $2 } }\n`;
    expect(plan(files(priced)).models['openai/gpt-5-mini']?.price).toMatchObject({
      source: 'yaml',
      tiers: [
        {
          input: 1_000_000_000n,
          cachedInput: 1_000_000_000n,
          output: 2_000_000_000n,
          reasoning: 2_000_000_000n,
        },
      ],
    });
  });

  it('orders steps by what they read, whatever the order in the file', () => {
    const task = `task: shorten
input: { text: string }
steps:
  last: { route: main, prompt: "\${{ steps.middle.text }} \${{ steps.first.text }}" }
  middle: { route: main, prompt: "\${{ steps.first.text }}" }
  first: { route: main, prompt: "\${{ input.text }}" }
`;
    const steps = plan(files(PROJECT, task)).tasks['shorten']?.steps as readonly PlanModelStep[];
    expect(steps.map(({ key, after }) => [key, after])).toEqual([
      ['first', []],
      ['middle', ['first']],
      ['last', ['first', 'middle']],
    ]);
  });
});

describe('what only a plan can find', () => {
  it('is a model without a price, with the nearest name that has one', () => {
    const { plan: none, problems } = compile(files(PROJECT.replace('gpt-5-mini', 'gpt-5-mni')));
    expect(none).toBeNull();
    expect(problems[0]).toMatchObject({
      code: 'model-without-price',
      severity: 'error',
      file: 'workflows/headgate.yaml',
      line: 14,
    });
    expect(problems[0]?.remedy).toContain('"openai/gpt-5-mini"');
  });

  it('is a model without a known context', () => {
    const own = PROJECT.replace('openai/gpt-5-mini', 'openai/our-tuned').concat(
      'models:\n  openai/our-tuned: { price: free }\n',
    );
    expect(codes(files(own))).toContain('model-without-context');
  });

  it('is structured output that no candidate can give', () => {
    const task = TASK.replace('route: main', 'route: [{ from: [builtin/extract] }]').concat(
      '    output: { answer: string }\n',
    );
    expect(codes(files(PROJECT, task))).toContain('no-structured-output');
  });

  it('is an answer longer than any window', () => {
    expect(
      codes(files(PROJECT.replace(', builtin/extract', ''), TASK.concat('    maxOutputTokens: 900000\n'))),
    ).toContain('output-beyond-context');
  });

  it('INV-2: is a hold that can never fit its budget', () => {
    const dear = TASK.replace('route: main', 'route: [{ from: [anthropic/claude-haiku-4-5] }]').concat(
      '    maxOutputTokens: 10000\nbudget: { limit: $0.04, per: day }\n',
    );
    expect(codes(files(PROJECT, dear))).toContain('hold-never-fits');
    expect(codes(files(PROJECT, dear.replace('$0.04', '$0.06')))).not.toContain('hold-never-fits');
  });
});
