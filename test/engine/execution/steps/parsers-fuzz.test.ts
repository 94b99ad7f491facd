// Every parser against anything: hostile grammar, and mutations of real files. It gives a value or a reason, soon, and never throws.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../../src/common/random.ts';
import { parse } from '../../../../src/engine/execution/thread/jobs.ts';
import type { ParseFormat } from '../../../../src/engine/execution/thread/jobs.ts';
import { LARGE_CHARACTERS } from '../../../../src/engine/execution/thread/large.ts';
import { sized } from '../../../support/cases.ts';
import { hasSharedData, listSharedData, readSharedBytes } from '../../../support/shared-data.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';

const PIECES: { readonly [format in ParseFormat]: readonly string[] } = {
  email: [
    'From: ',
    'To: ',
    'Subject: ',
    'Date: ',
    'Content-Type: ',
    'multipart/mixed; boundary=b',
    'multipart/alternative; boundary="b"',
    'text/html',
    'message/rfc822',
    'Content-Transfer-Encoding: ',
    'base64',
    'quoted-printable',
    'x-uuencode',
    '\n',
    '\r\n',
    '\n\n',
    '--b\n',
    '--b--\n',
    ' ',
    '\t',
    '=?utf-8?Q?',
    '=?utf-7?b?',
    '?=',
    '=',
    '=C3=BC',
    '<',
    '>',
    '(',
    ')',
    '"',
    '\\',
    ',',
    ';',
    ':',
    '@',
    'jo@example.com',
    'a',
    '<div>',
    '</td>',
    '<a href=',
    '&amp;',
    '&#xD800;',
    '<!--',
    '+AGE-',
    'ü',
    '\u0000',
    '; charset=utf-16',
    "*0*=utf-8'en'%C3",
    'begin 644 x\n',
    'M',
  ],
  diff: [
    'diff --git a/x b/x\n',
    'diff --git ',
    'diff --cc x\n',
    '--- a/x\n',
    '+++ b/x\n',
    '*** a\n',
    '@@ -1 +1 @@\n',
    '@@ -0,0 +999999999 @@\n',
    '@@@ -1 -1 +1 @@@\n',
    '+a\n',
    '-b\n',
    ' c\n',
    '\n',
    '\r\n',
    '\\ No newline at end of file\n',
    'rename from ',
    'new file mode 100644\n',
    'Binary files a and b differ\n',
    'GIT binary patch\n',
    'Index: x\n',
    '"a/\\303',
    '"',
    ' a/',
    'b/',
    '\u001b[1m',
    '\u001b[m',
    '\t',
    '-- \n',
  ],
  csv: [
    ',',
    ';',
    '\t',
    '|',
    '"',
    '""',
    '\n',
    '\r',
    '\r\n',
    'a',
    '1',
    '__proto__',
    'sep=;\n',
    '\uFEFF',
    ' ',
    'ü',
    '\u0000',
  ],
  json: [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u12',
    '1',
    '-',
    'e9',
    '.',
    '0',
    'true',
    'null',
    ' ',
    '\n',
    '\u0000',
    '"__proto__"',
    '12345678901234567890',
  ],
};
const FORMATS = Object.keys(PIECES) as ParseFormat[];
/** Of processor time. What backtracks takes minutes. */
const SOON_MS = 3_000;

async function soon(format: ParseFormat, text: string): Promise<void> {
  const startMs = cpuTimeMs();
  const parsed = await parse({ format, text, schema: null }, null);
  expect(cpuTimeMs() - startMs).toBeLessThan(SOON_MS);
  if (parsed.ok) expect(JSON.stringify(parsed.value)).toBeTypeOf('string');
  else expect(parsed.error.length).toBeLessThan(1_000);
}

describe.each(FORMATS)('the parser of %s', (format) => {
  test('gives a value or a reason for any arrangement of its own signs', async () => {
    const piece = fc.constantFrom(...PIECES[format]);
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, (given) => soon(format, given)),
      { numRuns: sized(250) },
    );
  });

  test('is linear: each sign, and each pair of signs, over and over, up to what is worked on here', async () => {
    const random = seededRandom(4);
    const pieces = PIECES[format];
    const some = (): string => pieces[Math.floor(random() * pieces.length)] ?? '';
    const repeated = [...pieces, ...Array.from({ length: sized(20) }, () => some() + some() + some())];
    for (const unit of repeated) {
      const many = unit.repeat(Math.floor(LARGE_CHARACTERS / unit.length));
      await soon(format, many);
      await soon(format, `${some()}${some()}${many}`);
      if (format === 'email')
        for (const name of ['From', 'Date', 'Subject', 'Content-Type', 'Content-Transfer-Encoding'])
          await soon(format, `${name}: ${many}\n\nbody`);
      if (format === 'diff')
        await soon(format, `--- ${many.replaceAll('\n', '')}x\n+++ b\n@@ -1 +1 @@\n-a\n+b\n`);
    }
  }, 180_000);
});

const folders = ['eml/mikel-mail', 'eml/postal-mime', 'diffs'].filter((folder) => hasSharedData(folder));

describe.skipIf(folders.length === 0)('mutations of real files', () => {
  test.each(folders)(
    'of %s give a value or a reason',
    async (folder) => {
      const random = seededRandom(9);
      const format: ParseFormat = folder === 'diffs' ? 'diff' : 'email';
      const at = (length: number): number => Math.floor(random() * length);
      for (const name of listSharedData(folder)) {
        const text = readSharedBytes(`${folder}/${name}`).toString('latin1').slice(0, 300_000);
        for (let time = 0; time < 12; time += 1) {
          const [from, to] = [at(text.length), at(text.length)];
          const piece = PIECES[format][at(PIECES[format].length)] ?? '';
          const mutations = [
            text.slice(0, from),
            text.slice(0, from) + piece.repeat(1 + at(50)) + text.slice(from),
            text.slice(0, from) + text.slice(to),
            text.slice(0, from) +
              text
                .slice(from, from + 500)
                .split('')
                .reverse()
                .join('') +
              text.slice(from + 500),
          ];
          await soon(format, mutations[time % mutations.length] ?? '');
        }
      }
    },
    180_000,
  );
});
