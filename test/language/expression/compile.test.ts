// Expressions: what they give, what type they have, and what is refused before a run.
import { describe, expect, test } from 'vitest';
import type { Json, JsonSchema } from '../../../src/common/json.ts';
import { compileExpression } from '../../../src/language/expression/compile.ts';
import { references } from '../../../src/language/expression/references.ts';
import { createEnvironment, nowSchema, nowValues } from '../../../src/language/expression/environment.ts';
import { functionTable } from '../../../src/language/expression/functions/registry.ts';
import { macroTable } from '../../../src/language/expression/functions/macros.ts';
import type { ExpressionProblem } from '../../../src/language/expression/types.ts';

const text: JsonSchema = { type: 'string' };
const object = (properties: Record<string, JsonSchema>, required = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const finding = object(
  { line: { type: 'integer' }, severity: { enum: ['low', 'medium', 'high'] }, message: text, owner: text },
  ['line', 'severity', 'message'],
);
const environment = createEnvironment({
  roots: {
    input: object(
      {
        text,
        count: { type: 'integer' },
        share: { type: 'number' },
        note: text,
        open: { type: 'object', additionalProperties: true },
        free: {},
      },
      ['text', 'count', 'share', 'open', 'free'],
    ),
    steps: object({
      reviews: { type: 'array', items: object({ findings: { type: 'array', items: finding } }) },
      verdict: { anyOf: [object({ text }), { type: 'null' }] },
    }),
    env: { type: 'object', additionalProperties: text },
    now: nowSchema,
  },
});
const values = {
  input: { text: 'Hello wörld 🎉', count: 5, share: 0.5, open: { a: { b: 1 } }, free: [1, 'x', null] },
  steps: {
    reviews: [{ findings: [{ line: 1, severity: 'high', message: 'm' }] }, { findings: [] }],
    verdict: null,
  },
  env: { HOME_PAGE: 'here' },
  now: nowValues(Date.parse('2026-11-22T09:30:00Z')),
};

function evaluate(source: string): Json {
  const compiled = compileExpression(source, environment);
  if (!compiled.ok) throw new Error(`${compiled.error.code}: ${compiled.error.message}`);
  const result = compiled.value.evaluate(values);
  if (!result.ok) throw new Error(`run: ${result.error.message}`);
  return result.value;
}

function schemaOf(source: string): JsonSchema {
  const compiled = compileExpression(source, environment);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.value.schema;
}

function problemOf(source: string): ExpressionProblem & { readonly shown: string } {
  const compiled = compileExpression(source, environment);
  if (compiled.ok) throw new Error(`${source} compiles`);
  return { ...compiled.error, shown: source.slice(compiled.error.start, compiled.error.end) };
}

describe('every example of the reference page', () => {
  const examples = [...functionTable, ...macroTable].flatMap(({ examples: all }) => all);

  test.each(examples)('%s gives %j', (source, gives) => {
    expect(evaluate(source)).toEqual(gives);
  });
});

describe('an expression gives', () => {
  test.each<[string, Json]>([
    ['input.count + 1', 6],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['7 % 3', 1],
    ['7.0 / 2', 3.5],
    ['input.share * 2', 1],
    ['input.count > 3 && input.text.startsWith("Hello")', true],
    ['input.count in [1, 5]', true],
    ['"a" in input.open', true],
    ['size(input.text)', 13],
    ['input.text.truncate(13)', 'Hello wörld 🎉'],
    ['input.text.truncate(12)', 'Hello wörld '],
    ['input.text.substring(12)', '🎉'],
    ['steps.reviews.map(r, r.findings).flatten()', [{ line: 1, severity: 'high', message: 'm' }]],
    ['steps.reviews.exists(r, r.findings.exists(f, f.severity == "high"))', true],
    ['steps.reviews[0].findings[0].line', 1],
    ['steps.verdict == null', true],
    ['steps.verdict.text', null],
    ['default(steps.verdict.text, "none")', 'none'],
    ['default(steps.verdict.text, input.note, "none")', 'none'],
    ['has(steps.verdict.text)', false],
    ['input.open.a.b', 1],
    ['input.open.missing.deeper', null],
    ['input.free[1]', 'x'],
    ['input.free.map(x, default(x, 0))', [1, 'x', 0]],
    ['env.HOME_PAGE', 'here'],
    ['env.NOT_SET', null],
    ['now.date + " " + now.weekday', '2026-11-22 Sunday'],
    ['input.text.matches("w.rld")', true],
    ['{"a": [1, 2.5, null], "b": {"c": true}}', { a: [1, 2.5, null], b: { c: true } }],
    ['[1, 2] + [3] == [1, 2, 3]', true],
    ['input.note != null && input.note.size() > 3', false],
    ['has(input.note) ? input.note.upper() : "-"', '-'],
    ['[1, 2, 3].map(x, [10].map(x, x + 1)[0] + x)', [12, 13, 14]],
    ['// a comment\n1 + 1', 2],
  ])('%s → %j', (source, gives) => {
    expect(evaluate(source)).toEqual(gives);
  });
});

describe('an expression has the schema of what it gives', () => {
  test.each<[string, JsonSchema]>([
    ['input.count + 1', { type: 'integer' }],
    ['input.count / 2.0', { type: 'number' }],
    ['steps.reviews.map(r, r.findings).flatten()', { type: 'array', items: finding }],
    [
      'steps.reviews.map(r, r.findings).flatten()[0].severity',
      { type: 'string', enum: ['low', 'medium', 'high'] },
    ],
    ['default(steps.verdict.text, "none")', { type: 'string' }],
    ['steps.verdict.text', { type: ['string', 'null'] }],
    ['steps.verdict', { ...object({ text }), type: ['object', 'null'] }],
    ['input.count > 1 ? 1 : 2.5', { type: 'number' }],
    ['input.count > 1 ? "a" : null', { type: ['string', 'null'] }],
    ['input.free', {}],
    ['[1, "a"]', { type: 'array', items: {} }],
  ])('%s', (source, schema) => {
    expect(schemaOf(source)).toMatchObject(schema);
  });
});

describe('an error of the file, with its place and the nearest name', () => {
  test.each([
    ['input.txt', 'unknown-field', 'txt', 'Did you mean `text`?'],
    ['steps.verdct.text', 'unknown-field', 'verdct', 'Did you mean `verdict`?'],
    [
      'steps.reviews.exists(r, r.findings.exists(f, f.severty == "high"))',
      'unknown-field',
      'severty',
      'Did you mean `severity`?',
    ],
    ['inptu.text', 'unknown-name', 'inptu', 'Did you mean `input`?'],
    ['input.text.trunctate(3)', 'unknown-function', 'trunctate', 'Did you mean `truncate`?'],
    ['trim(input.text)', 'unknown-function', 'trim', 'Write `text.trim()`.'],
    [
      'input.text + 1',
      'expression-type',
      'input.text + 1',
      'Convert it: `string(x)`; or write the text as a template.',
    ],
    [
      'input.text > 1',
      'expression-type',
      'input.text > 1',
      'Compare two numbers or two texts; `int(x)` and `size(x)` give numbers.',
    ],
    ['input.text && true', 'expression-type', 'text', 'Compare it: `size(x) > 0`, `x != ""`.'],
    [
      'steps.reviews[0].findings[0].severity == "hgh"',
      'expression-type',
      '"hgh"',
      'It can be: "low", "medium", "high".',
    ],
    [
      'input.note.size()',
      'expression-may-be-null',
      'note',
      'Say what to use then: `default(…, "")`; or ask first: `x != null && …`.',
    ],
    ['input.note == null || input.note.size() > 3 || input.note.upper() == "A"', '', '', ''],
    [
      'input.note == null && input.note.size() > 3',
      'expression-may-be-null',
      'note',
      'Say what to use then: `default(…, "")`; or ask first: `x != null && …`.',
    ],
    ['input.count.map(x, x)', 'expression-type', 'map', 'Name a list, or split a text: `text.lines()`.'],
    [
      'input.text.matches("(?<=a)b")',
      'invalid-pattern',
      '"(?<=a)b"',
      'Patterns are RE2: no look-around, no back-references; write r"…" so that backslashes stay.',
    ],
    ['input.text === "x"', 'expression-syntax', '=', 'Write `==` or `!=`; CEL has no `===`.'],
    ['input.text and true', 'expression-syntax', 'and', 'Write `&&`, `||` and `!`.'],
    ['input.note ?? "x"', 'expression-syntax', '?', 'Write `default(x, y)` for a value in place of null.'],
    ['9007199254740993', 'expression-syntax', '9007199254740993', 'Write a number up to 9007199254740991.'],
  ])('%s', (source, code, shown, remedy) => {
    if (code === '') {
      expect(evaluate(source)).toBe(true);
      return;
    }
    expect(problemOf(source)).toMatchObject({ code, shown, remedy });
  });
});

describe('a run that fails says why, and where', () => {
  test.each([
    ['1 + 1 / [0][0]', 'A number is divided by zero.', '1 / [0][0]'],
    ['steps.reviews[7]', 'There is no item 7 in a list of 2.', 'steps.reviews[7]'],
    ['input.free[1].deeper', '`deeper` is asked of a text, which has no fields.', 'deeper'],
    ['input.free[0].upper()', '`upper` does not take a number.', 'upper'],
    ['int(input.text)', '"Hello wörld 🎉" is not a number.', 'int'],
    [
      '9007199254740991 + input.count',
      'The result is too large to be an exact integer.',
      '9007199254740991 + input.count',
    ],
    [
      'input.text.matches(input.text + "(")',
      'The pattern cannot be read: missing closing ): `Hello wörld 🎉(`.',
      'matches',
    ],
  ])('%s', (source, message, shown) => {
    const compiled = compileExpression(source, environment);
    const result = compiled.ok ? compiled.value.evaluate(values) : compiled;
    if (result.ok || !('source' in result.error)) throw new Error('it did not fail');
    const { start, end } = result.error;
    expect({ message: result.error.message, shown: source.slice(start, end) }).toEqual({ message, shown });
  });

  test("a side of && or || that decides alone makes the other side's failure not matter", () => {
    expect(evaluate('1 / (input.count - 5) == 1 || true')).toBe(true);
    expect(evaluate('1 / (input.count - 5) == 1 && false')).toBe(false);
    expect(evaluate('[0, 1].exists(n, 1 / n == 1)')).toBe(true);
  });
});

describe('a value that is not of the type that its schema gave it', () => {
  test.each([
    'input.text.upper()',
    'input.text.truncate(input.count)',
    'steps.reviews.map(r, r.findings).flatten()',
    'input.count + 1',
    'input.text.split(",")',
    'steps.reviews[0].findings',
  ])('makes the run fail, and nothing worse: %s', (source) => {
    const compiled = compileExpression(source, environment);
    if (!compiled.ok) throw new Error(compiled.error.message);
    for (const odd of [7, 'x', true, [1], { a: 1 }, null, undefined]) {
      const result = compiled.value.evaluate({ input: { text: odd, count: odd }, steps: { reviews: odd } });
      expect(typeof result.ok).toBe('boolean');
    }
  });
});

describe('references', () => {
  test('are the roots, steps and variables that the text mentions, items of lists left out', () => {
    const compiled = compileExpression(
      'steps.reviews.map(input, input.findings).size() + size(default(env.A, env["B"], "")) + size(steps["verdict"].text == null ? "" : "x")',
      environment,
    );
    expect(compiled.ok && compiled.value.references).toEqual({
      roots: ['env', 'steps'],
      steps: ['reviews', 'verdict'],
      env: ['A', 'B'],
      moment: [],
    });
  });

  test.each([
    ['caller.tier == "trial" && now.date > "2026"', ['caller.tier', 'now.date']],
    ['caller["tags"].app + caller.name', ['caller.name', 'caller.tags']],
    ['default(caller.tags["app"], "")', ['caller.tags']],
    ['size(string(caller)) > 3', ['caller']],
    ['["a"].map(caller, caller).size() > 0', []],
  ])('%s reads %j of who calls and when', (text, moment) => {
    expect(references(text).moment).toEqual(moment);
  });
});
