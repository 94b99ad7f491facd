// Reading YAML: values, places, and what is refused.
import { isStringOneByteRepresentation } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { MAX_FILE_CHARACTERS, parseDocument } from '../../../src/language/document/parse.ts';
import type { DocumentNode } from '../../../src/language/document/types.ts';
import { toJson } from '../../../src/language/definition/fields/json-schema.ts';

const parse = (text: string): ReturnType<typeof parseDocument> =>
  parseDocument({ path: 'workflows/task.yaml', text });
const valueOf = (text: string): unknown => {
  const { document, problems } = parse(text);
  expect(problems).toEqual([]);
  return document && toJson(document);
};
const codesOf = (text: string): string[] => parse(text).problems.map(({ code }) => code);

function at(node: DocumentNode | null | undefined, ...path: (string | number)[]): DocumentNode {
  let found: DocumentNode | undefined = node ?? undefined;
  for (const step of path) {
    if (found?.kind === 'map') found = found.entries.find(({ key }) => key === step)?.value;
    else if (found?.kind === 'list') found = found.items[Number(step)];
  }
  if (!found) throw new Error(`nothing at ${path.join('.')}`);
  return found;
}

describe('a document', () => {
  test.each([
    ['a placeholder', 'a: { b: ${{ input.text }} }\n'],
    ['a sign beyond Latin-1', '# seven → eight\n'],
  ])('with %s keeps its other texts in a byte a character', (_what, start) => {
    const said = valueOf(`${start}model: north/a-model-with-a-name\n`) as { readonly model: string };
    expect(isStringOneByteRepresentation(said.model)).toBe(true);
  });

  test('keeps YAML 1.2: `no` is a text, dates are texts', () => {
    expect(valueOf('a: no\nb: 2026-11-22\nc: 0o17\nd: ~\ne: true\nf: 1.5\n')).toEqual({
      a: 'no',
      b: '2026-11-22',
      c: 15,
      d: null,
      e: true,
      f: 1.5,
    });
  });

  test('keeps the text of a number, so that money is never read through a float', () => {
    const { document } = parse('limit: 0.10\n');
    const node = at(document, 'limit');
    expect(node).toMatchObject({ kind: 'scalar', value: 0.1, text: '0.10' });
  });

  test('keeps block scalars exactly', () => {
    expect(valueOf('p: |\n  a "quote" \\n\n    deeper ${{ x }}\n\n  end\n')).toEqual({
      p: 'a "quote" \\n\n  deeper ${{ x }}\n\nend\n',
    });
  });

  test('tells where each value stands', () => {
    const { document } = parse('a:\n  - b: hello # there\n');
    expect(at(document, 'a', 0, 'b').at).toEqual({
      file: 'workflows/task.yaml',
      line: 2,
      column: 8,
      endColumn: 13,
      excerpt: '  - b: hello # there',
    });
  });

  test('reads the same with Windows line ends, and tells the same places', () => {
    const text = 'a: 1\nb:\n  c: |\n    x ${{ y }}\n';
    const unix = parse(text);
    const windows = parse(text.replaceAll('\n', '\r\n'));
    expect(windows.document && toJson(windows.document)).toEqual(unix.document && toJson(unix.document));
    expect(at(windows.document, 'b', 'c').at).toEqual(at(unix.document, 'b', 'c').at);
  });

  test('takes a byte order mark at the start for nothing', () => {
    expect(valueOf('\uFEFFa: 1\n')).toEqual({ a: 1 });
  });
});

describe('a placeholder', () => {
  test.each([
    [
      'in a flow map',
      '{ type: string, default: ${{ now.date }} }',
      { type: 'string', default: '${{ now.date }}' },
    ],
    ['in a flow list', '[ ${{ f(a, b) }}, x, a${{ [1, 2] }}b ]', ['${{ f(a, b) }}', 'x', 'a${{ [1, 2] }}b']],
    ['with a colon and quotes', '${{ a ? "x: y" : \'z\' }} # comment', '${{ a ? "x: y" : \'z\' }}'],
    ['with a number sign', '${{ "a #b" }} # comment', '${{ "a #b" }}'],
    ['with braces of its own', '${{ {"a": {"b": 1}} }}', '${{ {"a": {"b": 1}} }}'],
    ["in double quotes, where YAML's escapes hold", '"${{ x == \\"a\\" }}"', '${{ x == "a" }}'],
    ['in single quotes', "'${{ x == ''a'' }}'", "${{ x == 'a' }}"],
    ['in the middle of a plain text', 'Hello ${{ a ? "b" : "c" }}, you', 'Hello ${{ a ? "b" : "c" }}, you'],
  ])('may stand unquoted %s', (_where, written, value) => {
    expect(valueOf(`a: ${written}\nb: 1\n`)).toEqual({ a: value, b: 1 });
  });

  test('is left alone in comments and block scalars', () => {
    expect(valueOf('# ${{ "unclosed\na: |\n  ${{ "x: {" }}\n# ${{\n')).toEqual({ a: '${{ "x: {" }}\n' });
  });

  test('gives way to private use characters of the text', () => {
    const odd = String.fromCodePoint(0xe07b, 0xe100);
    expect(valueOf(`a: ${odd}\${{ {"x": 1} }}\n`)).toEqual({ a: `${odd}\${{ {"x": 1} }}` });
  });
});

describe('a part of a text', () => {
  test.each([
    ['plain', 'a: Hello ${{ wrong }}', 1, 14],
    ['double-quoted', 'a: "Hello ${{ wrong }}"', 1, 15],
    ['after an escape', 'a: "\\"Hi\\" ${{ wrong }}"', 1, 16],
    ['in a block', 'a: |\n  first\n    deeper ${{ wrong }}\n', 3, 16],
    ['in a folded block', 'a: >-\n  first\n  second ${{ wrong }}\n', 3, 14],
    ['in a flow map', 'a: { b: x${{ wrong }} }', 1, 14],
    ['over several plain lines', 'a: first\n  second ${{ wrong }}', 2, 14],
  ])('is found where it stands when it is %s', (_style, text, line, column) => {
    const { document, problems } = parse(text);
    expect(problems).toEqual([]);
    const node = at(document, 'a', 'b');
    if (node.kind !== 'scalar' || typeof node.value !== 'string') throw new Error('no text');
    const start = node.value.indexOf('wrong');
    const place = node.locate(start, start + 5);
    expect({
      line: place.line,
      column: place.column,
      shown: place.excerpt.slice(place.column - 1, place.endColumn - 1),
    }).toEqual({ line, column, shown: 'wrong' });
  });
});

describe('what is refused', () => {
  test('several problems of one file are all reported', () => {
    expect(codesOf('a: 1\na: 2\nb: &x 3\nc: *x\nd: !!str 4\n? [k]\n: 5\n<<: { e: 6 }\n')).toEqual([
      'yaml-duplicate-key',
      'yaml-alias',
      'yaml-alias',
      'yaml-tag',
      'yaml-key',
      'yaml-merge-key',
    ]);
  });

  test.each([
    ['a line that is indented beyond its neighbours', 'a:\n  b: 1\n\n# c\n d: 2\n', 5, 'indented'],
    ['a key that is indented below a text', 'a: one\n\n # c\n b: 2\nc: 3\n', 4, 'indented'],
    ['a dash in a map of keys', 'a:\n    b: 1\n    - c: 2\n', 3, 'indented'],
    ['a first line without a colon', '# x\nheadgate 1\n\nb: 2\n', 2, '`key: value`'],
    ['a first line without a space after the colon', 'headgate:1\nb: 2\nc: 3\n', 1, ''],
  ])('%s is shown where it stands, not where the reader stopped', (_what, text, line, words) => {
    const [problem] = parse(text).problems;
    expect(problem?.line).toBe(line);
    expect(`${problem?.message} ${problem?.remedy}`).toContain(words);
    expect(problem?.excerpt.trim()).not.toBe('');
  });

  test('a duplicate key counts once, as it stands first', () => {
    expect(parse('a: 1\na: 2\n').document).toMatchObject({ entries: [{ key: 'a', value: { value: 1 } }] });
  });

  test('a file beyond the limit is not read', () => {
    expect(codesOf(`a: "${'x'.repeat(MAX_FILE_CHARACTERS)}"`)).toEqual(['yaml-too-large']);
  });
});

// Each of these would keep a naive reader busy for seconds or forever; the timeout is the guard.
describe('hostile files end at once', { timeout: 15_000 }, () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 25 }, (_, index) => `b${index}: &b${index} [${'*a, '.repeat(8)}*a]`),
  ].join('\n');

  test.each([
    ['a bomb of aliases', bomb],
    ['a deep flow list', '['.repeat(250_000)],
    ['deep flow maps', '{a: '.repeat(60_000)],
    ['deep block lists', '- '.repeat(120_000)],
    ['deep block maps', Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['question marks', '? '.repeat(120_000)],
    ['an unclosed quote of backslashes', `a: "${'\\'.repeat(250_000)}`],
    ['placeholders that never close', `a: ${'${{'.repeat(80)} ${'x${{ "'.repeat(35_000)}`],
    ['many placeholders on one line', `a: ${'${{ x }}'.repeat(35_000)}`],
    ['very many keys', Array.from({ length: 18_000 }, (_, index) => `k${index}: ${index}`).join('\n')],
    ['very many anchors', '&a '.repeat(80_000)],
    ['tabs', '\t'.repeat(250_000)],
    ['colons', ': '.repeat(120_000)],
    ['documents', '---\n'.repeat(60_000)],
    ['directives', '%YAML 1.2\n'.repeat(25_000)],
    ['commas', `[${','.repeat(250_000)}]`],
  ])('%s', (_name, text) => {
    expect(Array.isArray(parse(text).problems)).toBe(true);
  });
});
