import { describe, expect, test } from 'vitest';
import { parseCsv } from '../../../../src/engine/execution/steps/parse-csv.ts';
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

describe('parse: json', () => {
  test('gives the value, or the line and column where it breaks', () => {
    expect(parseJsonText('{"a": [1, null]}')).toEqual({ ok: true, value: { a: [1, null] } });
    expect(parseJsonText('{\n  "a": 1,\n  b: 2\n}')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/line 3, column 3/),
    });
  });
});
