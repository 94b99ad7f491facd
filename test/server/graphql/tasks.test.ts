// TaskInput and TaskOutput: generated from the plan, faithful to its schemas.
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { printType, validateSchema } from 'graphql';
import type { GraphQLInputObjectType } from 'graphql';
import type { JsonSchema } from '../../../src/language/plan/types.ts';
import { buildSchema, printSchemaSdl, SchemaNameCollision } from '../../../src/server/graphql/schema.ts';
import { readTasks } from '../../../src/server/graphql/tasks.ts';
import { asker, BOB, codeOf, openRealApp, PROJECT, summarizeAs, type RealApp } from '../real.ts';
import { plan, SUMMARIZE, task } from './plan.ts';
import { sized } from '../../support/cases.ts';

const OBJECT = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

function typeOf(name: string, of = plan()): string {
  const type = buildSchema({ plan: of }).getType(name);
  return type === undefined ? 'none' : printType(type);
}

function withInput(properties: { readonly [name: string]: JsonSchema }, required: readonly string[] = []) {
  return plan([task('try-it', { input: { type: 'object', properties, required }, output: OBJECT })]);
}

/** A task of one step, whose output is what its model is told to give. */
const taskFile = (name: string, input: string, output: string): string => `task: ${name}
input:
${input}
steps:
  main:
    prompt: Do it.
    maxOutputTokens: 400
    output:
${output}
`;
const MAIL = taskFile(
  'email-parse',
  `  raw: { type: string, maxLength: 2000000, contentMediaType: message/rfc822 }
  today: date?
  receivedAtMs?: { type: integer, minimum: 0, maximum: 9007199254740991 }
  options?: { type: object, properties: { depth: { type: integer, default: 2 }, strict: { type: boolean }, x-trace: { type: string } } }
  extra: any?`,
  `      subject: string
      from?: { name?: { type: [string, "null"] }, address: string }
      request: { intent: { enum: [question, request, not-sure, spam] }, actions: [{ what: string, due: date? }] }`,
);
const FILES = {
  'headgate.yaml': PROJECT,
  'summarize.yaml': summarizeAs('summarize'),
  'email-parse.yaml': MAIL,
  'code-review.yaml': taskFile(
    'code-review',
    `  diff: string
  focus: { enum: [bugs, security, style], default: bugs }`,
    `      type: array
      items: { type: object, properties: { line: { type: integer }, message: { type: string } }, required: [line, message] }`,
  ),
};
/** What the shipped kinds of tasks give. */
const OUTPUT = { subject: 'Hi', request: { intent: 'spam', actions: [] } };

let real: RealApp;
beforeAll(async () => {
  real = await openRealApp(FILES);
});
beforeEach(() => {
  real.calls.length = 0;
  real.answer(() => ({ json: OUTPUT }));
});

/** The input of the newest run, as the engine took it. */
async function lastInput(): Promise<unknown> {
  const { rows } = await real.app.ledger.runs({}, { limit: 1 });
  return rows[0]?.input;
}

describe('TaskInput', () => {
  it('has one field per task, of which exactly one is given', () => {
    const type = buildSchema({ plan: plan() }).getType('TaskInput') as GraphQLInputObjectType;
    expect(type.isOneOf).toBe(true);
    expect(Object.keys(type.getFields())).toEqual(['codeReview', 'emailParse', 'summarize']);
    expect(type.getFields()['emailParse']?.description).toBe(
      'Read a raw e-mail; say who wants what, and by when.',
    );
  });

  it('says enums, lists, nested objects, defaults and limits', () => {
    expect(typeOf('CodeReviewInput')).toContain('focus: CodeReviewInputFocus = bugs');
    expect(typeOf('CodeReviewInputFocus')).toMatch(
      /enum CodeReviewInputFocus \{\s+bugs\s+security\s+style\s+\}/,
    );
    expect(typeOf('CodeReviewInput')).toContain('paths: [String!]');
    expect(typeOf('EmailParseInput')).toContain('options: EmailParseInputOptions');
    expect(typeOf('EmailParseInput')).toContain('(message/rfc822; at most 2000000 characters)');
    expect(typeOf('SummarizeInput')).toContain('text: String!');
    expect(typeOf('SummarizeInput')).toContain('sentences: Int = 3');
  });

  it('INV-13: takes an integer beyond 32 bits as it is, and refuses one that JSON would change', async () => {
    const wide = await openRealApp({
      'headgate.yaml': PROJECT,
      'try-it.yaml': taskFile(
        'try-it',
        '  id?: { type: integer, maximum: 9007199254740992 }',
        '      text: string',
      ),
    });
    wide.answer(() => ({ json: { text: 'a' } }));
    const { ask } = await asker(wide);
    const run = (id: string) =>
      ask('mutation ($id: BigInt) { runTask(task: { tryIt: { id: $id } }) { __typename } }', {
        variables: { id },
      });
    expect(codeOf(await run('9007199254740993'))).toBe('BAD_USER_INPUT');
    expect((await run('9007199254740992')).errors).toBeUndefined();
    const { rows } = await wide.app.ledger.runs({}, { limit: 2 });
    expect(rows.map(({ input: taken }) => taken)).toEqual([{ id: 2 ** 53 }]);
  });

  it('marks what is deprecated', () => {
    const old = plan([
      task('old', { input: OBJECT, output: OBJECT, deprecated: 'Use summarize.' }),
      SUMMARIZE,
    ]);
    expect(typeOf('TaskInput', old)).toContain('old: OldInput @deprecated(reason: "Use summarize.")');
    expect(typeOf('TryItInput', withInput({ a: { type: 'string', deprecated: true } }))).toContain(
      'a: String @deprecated',
    );
  });

  it.each([
    [{ type: 'integer', maximum: 5_000_000_000 }, 'BigInt'],
    [{ type: 'integer' }, 'Int'],
    [{ type: 'number' }, 'Float'],
    [{ type: ['string', 'null'] }, 'String'],
    [{ type: ['string', 'integer'] }, 'JSON'],
    [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'JSON'],
    [{ enum: [1, 2] }, 'JSON'],
    [{ enum: ['a b', 'a-b'] }, 'JSON'],
    [{ const: 'only' }, 'TryItInputX'],
    [{ type: 'object' }, 'JSON'],
    [{}, 'JSON'],
    [{ type: 'array' }, '[JSON]'],
    [{ type: 'array', items: { type: 'array', items: { type: 'string' } } }, '[JSON!]'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '[String]'],
  ] satisfies [JsonSchema, string][])('shows %j as %s', (schema, type) => {
    expect(typeOf('TryItInput', withInput({ x: schema }))).toContain(`x: ${type}\n`);
  });

  it('notes for `check` where GraphQL cannot say what the schema says', () => {
    const { notes } = readTasks(withInput({ x: { anyOf: [{ type: 'string' }] }, y: { type: 'string' } }), []);
    expect(notes).toEqual([{ place: 'try-it.input.x', reason: '`anyOf` has no counterpart in GraphQL' }]);
  });

  it('refuses names that collide, with both holders', () => {
    const twice = plan([
      task('e-mail', { input: OBJECT, output: OBJECT }),
      task('eMail', { input: OBJECT, output: OBJECT }),
    ]);
    expect(() => buildSchema({ plan: twice })).toThrow(SchemaNameCollision);
    expect(readTasks(twice, []).collisions[0]).toEqual({
      name: 'eMail',
      holders: ['task "e-mail"', 'task "eMail"'],
    });
    expect(() => buildSchema({ plan: plan([task('tag', { input: OBJECT, output: OBJECT })]) })).toThrow(
      'TagInput is claimed by the API itself and by task "tag"',
    );
  });

  it('serves a plan without tasks', async () => {
    const { ask } = await asker(await openRealApp({ 'headgate.yaml': PROJECT }));
    expect((await ask('{ taskTypes { name } }')).data).toEqual({ taskTypes: [] });
  });

  it('gives the engine property names, enum values and numbers as the schema has them', async () => {
    const { ask } = await asker(real);
    await ask(
      'mutation { runTask(task: { emailParse: { raw: "x", receivedAtMs: "1700000000000", options: { strict: null, xTrace: "t" }, today: null, extra: { a: [1, "b", null, 2.5] } } }) { __typename } }',
    );
    expect(await lastInput()).toEqual({
      raw: 'x',
      receivedAtMs: 1_700_000_000_000,
      options: { depth: 2, 'x-trace': 't' },
      today: null,
      extra: { a: [1, 'b', null, 2.5] },
    });
    await ask(
      'mutation ($focus: CodeReviewInputFocus) { runTask(task: { codeReview: { diff: "d", focus: $focus } }) { __typename } }',
      { variables: { focus: 'security' } },
    );
    expect(await lastInput()).toEqual({ diff: 'd', focus: 'security' });
  });

  it.each([
    ['two tasks at once', '{ summarize: { text: "a" }, codeReview: { diff: "d" } }'],
    ['no task', '{}'],
    ['null', '{ summarize: null }'],
    ['an unknown field', '{ summarize: { text: "a", colour: "red" } }'],
    ['a missing field', '{ summarize: {} }'],
    ['an unknown enum value', '{ codeReview: { diff: "d", focus: everything } }'],
  ])('refuses %s before anything runs (INV-13)', async (_what, input) => {
    const { ask, reads } = await asker(real);
    const result = await ask(`mutation { runTask(task: ${input}) { __typename } }`);
    expect(result.errors?.length).toBeGreaterThan(0);
    expect([real.calls, reads]).toEqual([[], []]);
  });
});

describe('TaskOutput', () => {
  const OUTPUT_FIELDS =
    'output { __typename ... on EmailParseOutput { subject from { name address } request { intent actions { what due } } } }';
  const ASK = `mutation { runTask(task: { emailParse: { raw: "x" } }) { ... on Run {
    outputJson
    ${OUTPUT_FIELDS}
  } } }`;

  it('shows an output by its type, with enum values by their names', async () => {
    const { ask } = await asker(real);
    const output = {
      subject: 'Hi',
      from: { name: null, address: 'a@b.c' },
      request: { intent: 'not-sure', actions: [{ what: 'call' }] },
    };
    real.answer(() => ({ json: output }));
    const { data, errors } = await ask(ASK);
    expect(errors).toBeUndefined();
    expect(data.runTask.outputJson).toEqual(output);
    expect(data.runTask.output).toEqual({
      __typename: 'EmailParseOutput',
      subject: 'Hi',
      from: { name: null, address: 'a@b.c' },
      request: { intent: 'not_sure', actions: [{ what: 'call', due: null }] },
    });
  });

  it.each([
    ['lacks a required field', { request: { intent: 'spam', actions: [] } }],
    ['has another type', { subject: 5, request: { intent: 'spam', actions: [] } }],
    ['has an unknown enum value', { subject: 'a', request: { intent: 'new-one', actions: [] } }],
    ['is no object', 'text'],
  ])(
    'is null, and outputJson still there, where an output of an older revision %s',
    async (_what, output) => {
      const { ask } = await asker(real);
      const earlier = MAIL.slice(0, MAIL.indexOf('    output:'));
      real.files.set('email-parse.yaml', `${earlier}output: ${JSON.stringify(output)}\n`);
      await real.app.revisions.reload();
      const { data: ran } = await ask(
        'mutation { runTask(task: { emailParse: { raw: "x" } }) { ... on Run { id } } }',
      );
      real.files.set('email-parse.yaml', MAIL);
      await real.app.revisions.reload();
      const { data, errors } = await ask(
        `query ($id: ID!) { run(id: $id) { outputJson ${OUTPUT_FIELDS} } }`,
        { variables: { id: ran.runTask.id } },
      );
      expect(errors).toBeUndefined();
      expect(data.run).toEqual({ output: null, outputJson: output });
    },
  );

  it('puts an output that is not an object under `value`', async () => {
    const { ask } = await asker(real);
    real.answer(() => ({ json: [{ line: 3, message: 'm' }] }));
    const { data } = await ask(
      'mutation { runTask(task: { codeReview: { diff: "d" } }) { ... on Run { output { ... on CodeReviewOutput { value { line message } } } } } }',
    );
    expect(data.runTask.output).toEqual({ value: [{ line: 3, message: 'm' }] });
  });
});

describe('buildSchema', () => {
  it('gives the same SDL for the same plan, sorted, whatever the order of its tasks', () => {
    const tasks = Object.values(plan().tasks);
    expect(printSchemaSdl(buildSchema({ plan: plan(tasks) }))).toBe(
      printSchemaSdl(buildSchema({ plan: plan(tasks.toReversed()) })),
    );
  });

  it('builds a valid schema of any JSON Schema, or says which names collide', () => {
    const leaf = fc.oneof(
      fc.constantFrom<JsonSchema>(
        { type: 'string' },
        { type: 'integer' },
        { type: 'number' },
        { type: 'boolean' },
        {},
        { enum: ['a', 'b-c', '1'] },
        { type: ['null', 'string'] },
        { type: 'integer', default: 4 },
        { enum: ['x', 'y'], default: 'y' },
      ),
      fc.record({ enum: fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 3 }) }),
    );
    const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.record({ type: fc.constant('array' as const), items: tie('schema') }),
        fc
          .tuple(
            fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), tie('schema'), {
              maxKeys: 3,
              noNullPrototype: true,
            }),
            fc.boolean(),
          )
          .map(([properties, all]): JsonSchema => ({
            type: 'object',
            properties,
            required: all ? Object.keys(properties) : [],
          })),
      ),
    }));
    fc.assert(
      fc.property(schema, schema, (input, output) => {
        const any = plan([task('any', { input, output })]);
        if (readTasks(any, []).collisions.length > 0)
          expect(() => buildSchema({ plan: any })).toThrow(SchemaNameCollision);
        else expect(validateSchema(buildSchema({ plan: any }))).toEqual([]);
      }),
      { numRuns: sized(20) },
    );
  });
});

describe('RunTaskResult', () => {
  it('tells an input that GraphQL lets through and the schema does not, with a path per problem', async () => {
    const { ask } = await asker(real);
    const { data } = await ask(
      'mutation { runTask(task: { summarize: { text: "" } }) { ... on InvalidInput { code message remedy problems { path code message } } } }',
    );
    expect(data.runTask).toEqual({
      code: 'INVALID_INPUT',
      message: expect.any(String) as string,
      remedy: expect.any(String) as string,
      problems: [{ path: '/text', code: 'minLength', message: expect.any(String) as string }],
    });
    expect(real.calls).toEqual([]);
  });

  it('refuses another task than the key is for, without asking the engine (INV-12)', async () => {
    const { ask, reads } = await asker(real);
    const result = await ask(
      'mutation { runTask(task: { codeReview: { diff: "d" } }) { ... on Unauthorized { code scope remedy } } }',
      { caller: BOB },
    );
    expect(codeOf(result)).toBeUndefined();
    expect(result.data.runTask).toEqual({
      code: 'UNAUTHORIZED',
      scope: 'run:code-review',
      remedy: 'Use a key with the scope "run:code-review": headgate keys create --scope run:code-review',
    });
    expect([real.calls, reads]).toEqual([[], []]);
  });
});
