// Templates: the text stays as it is, a placeholder alone keeps its type.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/common/json.ts';
import { createEnvironment } from '../../../src/language/expression/environment.ts';
import {
  parseTemplate,
  placeholdersOf,
  printTemplate,
} from '../../../src/language/expression/template-parts.ts';
import { compileTemplate } from '../../../src/language/expression/template.ts';
import type { Template } from '../../../src/language/expression/types.ts';

const environment = createEnvironment({
  roots: {
    name: { type: 'string' },
    list: { type: 'array', items: { type: 'integer' } },
    gone: { type: ['string', 'null'] },
    any: {},
  },
});
const values = { name: 'Ana', list: [1, 2], gone: null, any: { a: [true] } };

function templateOf(text: string): Template {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value.template;
}

function evaluate(template: Template, given: Record<string, unknown> = values): Json {
  const compiled = compileTemplate(template, environment);
  if (!compiled.ok) throw new Error(compiled.error.message);
  const result = compiled.value.evaluate(given);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('a template', () => {
  test.each<[string, Json]>([
    ['', ''],
    ['plain $ { } text', 'plain $ { } text'],
    ['${{ list }}', [1, 2]],
    ['${{list}}', [1, 2]],
    ['a ${{ list }} b', 'a [1,2] b'],
    ['${{ name }}, ${{ gone }}!', 'Ana, !'],
    ['${{ any }}\n', '{"a":[true]}\n'],
    ['it costs $${{ list[0] }}', 'it costs $1'],
    ['${{ "${{" }} stays', '${{ stays'],
    ['${{ {"a": {"b": "}}"}} }}', { a: { b: '}}' } }],
    ['  \t${{ name }}\\n"\'', '  \tAna\\n"\''],
  ])('%j gives %j', (text, gives) => {
    expect(evaluate(templateOf(text))).toEqual(gives);
  });

  test('of a map or a list gives the same shape', () => {
    const template: Template = {
      kind: 'object',
      members: {
        a: templateOf('${{ list }}'),
        b: { kind: 'list', items: [templateOf('x'), templateOf('${{ name }}')] },
      },
    };
    expect(evaluate(template)).toEqual({ a: [1, 2], b: ['x', 'Ana'] });
  });

  test('does not read placeholders that come from outside', () => {
    expect(evaluate(templateOf('${{ name }} ${{ gone }}'), { ...values, name: '${{ list }}' })).toBe(
      '${{ list }} ',
    );
  });

  test('that is not closed is a problem at the place where it opens', () => {
    expect(parseTemplate('ab ${{ name }')).toMatchObject({
      ok: false,
      error: { code: 'expression-syntax', start: 3, end: 6 },
    });
  });

  test('knows where each of its expressions starts', () => {
    const text = 'a ${{  name }} b ${{list}}';
    const parsed = parseTemplate(text);
    const found = parsed.ok
      ? parsed.value.placeholders.map(({ source, offset }) => text.slice(offset, offset + source.length))
      : [];
    expect(found).toEqual(['name', 'list']);
  });

  test('keeps any text around placeholders exactly', () => {
    const piece = fc
      .string()
      .filter((text) => !text.includes('${{') && !text.endsWith('$') && !text.endsWith('${'));
    fc.assert(
      fc.property(piece, piece, (before, after) => {
        expect(evaluate(templateOf(`${before}\${{ name }}${after}!`))).toBe(`${before}Ana${after}!`);
      }),
    );
  });

  test('prints as it was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', ' $', '${{ name }}', '${{ list }}', '\n'), { maxLength: 6 }),
        (pieces) => {
          const template = templateOf(pieces.join(''));
          const printed = printTemplate(template);
          expect(typeof printed === 'string' && templateOf(printed)).toEqual(template);
          expect(placeholdersOf(template).length).toBe(
            pieces.filter((piece) => piece.startsWith('${{')).length,
          );
        },
      ),
    );
  });
});
