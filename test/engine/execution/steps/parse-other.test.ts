import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inexactCell, parseCsv } from '../../../../src/engine/execution/steps/parse-csv.ts';
import { parseJsonText } from '../../../../src/engine/execution/steps/parse-json.ts';

describe('parse: csv', () => {
  test('gives a record a row, by the names of the first row', async () => {
    expect(await parseCsv('\uFEFFname,note\r\nana,"two\nlines, and ""quotes"""\r\n\r\nben,\r\n')).toEqual({
      ok: true,
      value: [
        { name: 'ana', note: 'two\nlines, and "quotes"' },
        { name: 'ben', note: '' },
      ],
    });
  });

  test.each([
    ['Betrag, EUR;Name\n1,5;Jo\n', { 'Betrag, EUR': '1,5', Name: 'Jo' }],
    ['a, b, c;Name;X\n1;Jo;2\n', { 'a, b, c': '1', Name: 'Jo', X: '2' }],
    ['a,b;c,d\n1,2;3,4\n', { a: '1', 'b;c': '2;3', d: '4' }],
  ])(
    'takes the separator by which the rows agree with the header, whatever its names hold: %j',
    async (raw, row) => {
      expect(await parseCsv(raw)).toEqual({ ok: true, value: [row] });
    },
  );

  test.each([';', '\t', '|'])('finds %j as the separator', async (separator) => {
    expect(await parseCsv(`a${separator}b\n1${separator}2,5\n`)).toEqual({
      ok: true,
      value: [{ a: '1', b: '2,5' }],
    });
  });

  test('says what is wrong, and in which line', async () => {
    expect(await parseCsv('a,b\n1,"2\n')).toMatchObject({ ok: false, error: expect.stringMatching(/line/i) });
    expect(await parseCsv('a,a\n1,2\n')).toMatchObject({ ok: false, error: 'two columns are named "a"' });
  });
});

describe('parse: csv, as spreadsheets write it', () => {
  test.each([
    ['sep=;\na;b\n1;2\n', [{ a: '1', b: '2' }]],
    [
      'a,b\r\n1,2\n3,4\r\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['"unit\nprice";b\n1;2\n', [{ 'unit\nprice': '1', b: '2' }]],
    ['a,b,,\n1,2,,\n', [{ a: '1', b: '2' }]],
    [' \n \n', []],
    ['', []],
  ])('%j', async (raw, value) => {
    expect(await parseCsv(raw)).toEqual({ ok: true, value });
  });

  test('refuses what would lose a cell, and what has more cells than a step works on', async () => {
    expect(await parseCsv('a, a\n1,2\n')).toMatchObject({ ok: false });
    expect(await parseCsv('a,b\n1,2,3\n')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/line 2/),
    });
    const columns = Array.from({ length: 2_500 }, (_, index) => `c${index}`).join(',');
    expect(await parseCsv(`${columns}\n${'a\n'.repeat(2_500)}`)).toMatchObject({
      ok: false,
      error: expect.stringContaining('more than 200000 cells'),
    });
  });

  test.each([
    [
      'lines of blanks, before the header and between rows',
      '  \n\na,b\n1,2\n   \n3,4\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'empty cells beyond the header',
      'a,b\n1,2,\n3,4,,\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['a cell of a blank in a table of one column', 'a\n \n1\n', [{ a: ' ' }, { a: '1' }]],
  ])('reads over %s', async (_what, raw, rows) => {
    expect(await parseCsv(raw)).toEqual({ ok: true, value: rows });
  });

  test.each([
    ['sep=;\na;b\n1;2;3\n', 'line 3 has 3 cells, and the header 2'],
    ['\n\na,b\n1,2\n"l1\nl2",2\n1,2,3\n', 'line 7 has 3 cells'],
    ['\n\na,b\n5"x,2\n', 'at line 4'],
  ])('counts the line of %j from the beginning of the text', async (raw, words) => {
    expect(await parseCsv(raw)).toMatchObject({ ok: false, error: expect.stringContaining(words) });
  });

  test('tells a number that would be changed, with its row', () => {
    const schema = {
      type: 'array',
      items: { type: 'object', properties: { id: { type: ['integer', 'null'] }, note: { type: 'string' } } },
    };
    const rows = [
      { id: '12', note: '12345678901234567890' },
      { id: '12345678901234567890', note: '' },
    ];
    expect(inexactCell(rows.slice(0, 1), schema)).toBeUndefined();
    expect(inexactCell(rows, schema)).toMatch(/row 2, column "id": the number 12345678901234567890 /);
  });
});

describe('parse: json', () => {
  test.each([
    [
      '{"id":12345678901234567890}',
      /line 1, column 7: the number 12345678901234567890 cannot be kept exactly/,
    ],
    ['[1e400]', /line 1, column 2/],
    ['{\n  "a": NaN\n}', /line 2, column 8/],
    ['{\n  "a": [1,\n  2,]\n}', /line 3, column 5/],
    [`${'['.repeat(600)}${']'.repeat(600)}`, /more than 500 deep/],
    [`[${'{},'.repeat(300_000)}{}]`, /more than 200000 values/],
    ['"a', /without its closing quote/],
    ['', /the end/],
  ])('refuses %.40j with its place', (raw, error) => {
    expect(parseJsonText(raw)).toMatchObject({ ok: false, error: expect.stringMatching(error) });
  });

  test('takes what JSON.parse takes and gives the same, but for numbers that it would change', () => {
    const same = (text: string): void => {
      let value: unknown;
      let isJson = true;
      try {
        value = JSON.parse(text);
      } catch {
        isJson = false;
      }
      const parsed = parseJsonText(text);
      if (parsed.ok) expect(parsed.value).toEqual(value);
      else if (isJson) expect(parsed.error).toMatch(/cannot be kept exactly/);
      expect(parsed.ok && !isJson).toBe(false);
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, indent) => same(JSON.stringify(value, null, indent))),
    );
    const sign = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u12',
      '0',
      '-',
      '1e',
      '.5',
      'true',
      'nul',
      ' ',
      '\n',
      '"a"',
      '9007199254740993',
    );
    fc.assert(
      fc.property(
        fc.array(sign, { maxLength: 12 }).map((signs) => signs.join('')),
        same,
      ),
      { numRuns: 2_000 },
    );
  });

  test('gives the value, or the line and column where it breaks', () => {
    expect(parseJsonText('{"a": [1, null]}')).toEqual({ ok: true, value: { a: [1, null] } });
    expect(parseJsonText('{\n  "a": 1,\n  b: 2\n}')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/line 3, column 3/),
    });
  });
});
