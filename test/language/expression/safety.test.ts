// Expressions never escape: not to a prototype, not to a function of the host, not to endless work.
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/common/json.ts';
import type { Json } from '../../../src/common/json.ts';
import { compileExpression } from '../../../src/language/expression/compile.ts';
import { createEnvironment } from '../../../src/language/expression/environment.ts';
import { functionNames } from '../../../src/language/expression/functions/registry.ts';
import { macroTable } from '../../../src/language/expression/functions/macros.ts';
import { parseTemplate } from '../../../src/language/expression/template-parts.ts';
import { compileTemplate } from '../../../src/language/expression/template.ts';
import { sized } from '../../support/cases.ts';

const HOST_NAMES = [
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'call',
  'apply',
  'bind',
  'length',
  'process',
  'globalThis',
  'require',
  'then',
  'toJSON',
  'at',
  'concat',
  'eval',
];

const environment = createEnvironment({
  roots: {
    input: {},
    list: { type: 'array', items: {} },
    text: { type: 'string' },
    open: { type: 'object', additionalProperties: true },
  },
});
const values: { readonly [name: string]: Json } = deepFreeze({
  input: { a: 1, b: ['x', { c: null }], text: 'abc' },
  list: [1, 'two', null, [3], { four: 4 }],
  text: 'constructor',
  open: { a: { b: true } },
});

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

/** `refused` when it does not compile, `failed` when it cannot be evaluated. */
function run(source: string, given: Record<string, unknown> = values): Json {
  const compiled = compileExpression(source, environment);
  if (!compiled.ok) return 'refused';
  const result = compiled.value.evaluate(given);
  return result.ok ? result.value : 'failed';
}

/** Expressions of any shape, hostile names among them; many do not compile, and that is all right. */
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression');
  const name = fc.constantFrom(...HOST_NAMES, 'a', 'b', 'four', 'text');
  const method = fc.constantFrom(
    ...functionNames(true),
    ...macroTable.map((macro) => macro.name),
    ...HOST_NAMES,
  );
  const called = fc.constantFrom(
    ...functionNames(false),
    ...macroTable.map((macro) => macro.name),
    ...HOST_NAMES,
  );
  return {
    expression: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.constantFrom(
        'input',
        'list',
        'text',
        'open',
        'x',
        '1',
        '2.5',
        '"a"',
        'null',
        'true',
        '[]',
        '{}',
        ...HOST_NAMES,
      ),
      fc.tuple(inner, name).map(([object, field]) => `${object}.${field}`),
      fc.tuple(inner, inner).map(([object, index]) => `${object}[${index}]`),
      fc.tuple(inner, name).map(([object, field]) => `${object}["${field}"]`),
      fc
        .tuple(inner, method, fc.array(inner, { maxLength: 2 }))
        .map(([object, function_, args]) => `${object}.${function_}(${args.join(', ')})`),
      fc
        .tuple(inner, fc.constantFrom('map', 'filter', 'exists', 'all', 'sortBy'), inner)
        .map(([object, walk, body]) => `${object}.${walk}(x, ${body})`),
      fc
        .tuple(called, fc.array(inner, { maxLength: 2 }))
        .map(([function_, args]) => `${function_}(${args.join(', ')})`),
      fc
        .tuple(inner, fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', 'in', '&&', '||'), inner)
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(inner, inner, inner).map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
      fc.tuple(name, inner).map(([key, value]) => `{"${key}": ${value}}`),
      fc.tuple(inner, inner).map(([left, right]) => `[${left}, ${right}]`),
    ),
  };
});

describe('any expression', () => {
  test('gives plain JSON, is refused, or fails; it changes nothing and throws nothing', () => {
    const before = canonicalJson(values);
    let gave = 0;
    fc.assert(
      fc.property(expression, (source) => {
        const value = run(source);
        if (value !== 'refused' && value !== 'failed') gave += 1;
        expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        expect(canonicalJson(values)).toBe(before);
      }),
      { numRuns: sized(1_000) },
    );
    expect(gave).toBeGreaterThan(20);
  });

  test('of random characters is refused or compiled, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from('abx01.,()[]{}?:+-*/%!&|=<>"\'\\ \nru`$')),
          maxLength: 80,
        }),
        (source) => {
          run(source);
          const template = parseTemplate(`a ${source} \${{ ${source} }}`);
          if (template.ok) compileTemplate(template.value.template, environment);
        },
      ),
      { numRuns: sized(1_000) },
    );
  });
});

describe('the host', () => {
  afterEach(() => {
    delete (Object.prototype as { polluted?: unknown }).polluted;
    delete (Array.prototype as { polluted?: unknown }).polluted;
  });

  test.each(HOST_NAMES)('is not reached by the name %s', (name) => {
    for (const source of [
      name,
      `input.${name}`,
      `input["${name}"]`,
      `open.${name}`,
      `open[text]`,
      `list.${name}`,
      `text.${name}`,
      `{"a": 1}["${name}"]`,
      `list.map(x, x.${name})`,
    ]) {
      const value = run(source);
      expect(['refused', 'failed', null].includes(value as string | null) || Array.isArray(value)).toBe(true);
      expect(typeof value).not.toBe('function');
    }
  });

  test('is not reached through a polluted prototype', () => {
    (Object.prototype as { polluted?: unknown }).polluted = 'reached';
    (Array.prototype as { polluted?: unknown }).polluted = 'reached';
    expect(run('input.polluted')).toBe(null);
    expect(run('has(open.polluted)')).toBe(false);
    expect(run('"polluted" in open')).toBe(false);
    expect(run('polluted')).toBe('refused');
  });

  test('gets no prototype from an object whose field is called __proto__', () => {
    const value = run('{"__proto__": {"admin": true}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(run('{"__proto__": {"admin": true}}.admin')).toBe('refused');
  });

  test('is not called by values that have functions', () => {
    expect(run('input.toJSON', { input: { a: 1 } })).toBe(null);
    expect(
      run('input.a', {
        get input(): unknown {
          return { a: 1 };
        },
      }),
    ).toBe(1);
  });
});

// Each of these is built to take seconds, minutes or for ever where nothing bounds it; the timeout is the guard.
describe('hostile expressions end at once', { timeout: 15_000 }, () => {
  const long = {
    ...values,
    input: Array.from({ length: 3000 }, (_, index) => `item ${index}`),
    text: 'a'.repeat(200_000),
  };

  test.each([
    'text.matches("(a+)+$")',
    'text.matches("(a|aa)+b")',
    'text.matches("(.*)(.*)(.*)(.*)(.*)b")',
    'text.matches("a{500}")',
    'input.map(a, input.map(b, input.map(c, a + b + c)))',
    'input.map(a, input).flatten().map(x, input).flatten().size()',
    'input.map(a, input.toJson()).join("").size()',
    'input.map(a, text.replace("a", text))',
    'input.map(a, text + text).join("")',
    'text.replace("a", text)',
    'text.matches("(a|b)*a(a|b){300}c|a{300}b")',
    'input.filter(a, a in input)',
    'input.map(a, { "a": a }).distinct().size()',
    'input.filter(a, input.sort().reverse() == input)',
    'input.map(a, input.distinct()).flatten().distinct()',
    `${'['.repeat(1500)}${']'.repeat(1500)}`,
    `${'('.repeat(1900)}1${')'.repeat(1900)}`,
    '!'.repeat(3900),
    '-'.repeat(3900),
    `1${' + 1'.repeat(900)}`,
    `text${'.trim()'.repeat(500)}`,
    `text${'.a'.repeat(1900)}`,
    `true${' ? true : false'.repeat(250)}`,
    'x'.repeat(100_000),
  ])('%#', (source) => {
    const value = run(source, long);
    expect(value === undefined).toBe(false);
  });

  test.each([
    ['list.filter(a, a in list).size()', 'visits more than'],
    ['list.filter(a, list.contains(a)).size()', 'visits more than'],
    ['list.filter(a, list.exists(b, b == a)).size()', 'visits more than'],
    [
      'text.matches("(a|b)*a(a|b){300}c")',
      'looks for a pattern of 908 steps in a text of 200,000 characters',
    ],
  ])('INV-14: comparing is work too, by what is looked at: %s', (source, sentence) => {
    const list = Array.from({ length: 1500 }, (_, index) => ({ a: 1, b: [1, 2, index] }));
    const compiled = compileExpression(source, environment);
    expect(compiled.ok && compiled.value.evaluate({ ...long, list })).toMatchObject({
      error: { message: expect.stringContaining(sentence) as string },
    });
  });

  test('INV-14: `distinct` looks at each item once, whatever it holds', () => {
    let reads = 0;
    const item = (index: number): Json => ({
      get n(): number {
        reads += 1;
        return index % 700;
      },
    });
    const list = Array.from({ length: 7000 }, (_, index) => item(index));
    expect(run('list.distinct().size()', { ...values, list })).toBe(700);
    expect(reads).toBe(7000);
  });

  test('a pattern that grows beyond bounds is refused before the run', () => {
    const compiled = compileExpression('text.matches("((a{100}){100}){100}")', environment);
    expect(compiled).toMatchObject({ ok: false, error: { code: 'invalid-pattern' } });
  });
});
