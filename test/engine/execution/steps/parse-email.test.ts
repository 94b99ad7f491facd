import { describe, expect, test } from 'vitest';
import { emailSchema } from '../../../../src/language/definition/parse-schemas.ts';
import { createValidators } from '../../../../src/engine/execution/validators.ts';
import { parseEmail } from '../../../../src/engine/execution/steps/parse-email.ts';
import { hasSharedData, listSharedData, readSharedBytes } from '../../../support/shared-data.ts';

const validate = createValidators().output(emailSchema);

async function parsed(raw: string): Promise<{ readonly [name: string]: unknown }> {
  const outcome = await parseEmail(raw);
  if (!outcome.ok) throw new Error(outcome.error);
  expect({ valid: validate(outcome.value), errors: validate.errors }).toMatchObject({ valid: true });
  return outcome.value as { readonly [name: string]: unknown };
}

const headers =
  'From: Ana Ng <ana@example.com>\r\nTo: ben@example.com, "Team" <team@example.com>\r\nSubject: Hi\r\n';

describe('parse: email', () => {
  test('reads addresses, subject, date and text', async () => {
    const mail = await parsed(
      `${headers}Date: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nSee you on Tuesday.\r\n`,
    );
    expect(mail).toMatchObject({
      from: { name: 'Ana Ng', address: 'ana@example.com' },
      to: [{ address: 'ben@example.com' }, { name: 'Team', address: 'team@example.com' }],
      subject: 'Hi',
      date: '2026-03-02T09:00:00.000Z',
      text: 'See you on Tuesday.',
    });
  });

  test('reads raw UTF-8 in headers, file names and quoted-printable to its last byte, which 0xA0 may be', async () => {
    const parts =
      'Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncittà\r\n' +
      '--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=Novità\r\n\r\nx\r\n--m--\r\n';
    const raw = `From: Università <u@example.com>\r\nSubject: Novità\r\n${parts}`;
    for (const given of [raw, Buffer.from(raw).toString('latin1')])
      expect(await parsed(given)).toMatchObject({
        from: { name: 'Università' },
        subject: 'Novità',
        text: 'città',
        attachments: [{ filename: 'Novità' }],
      });
  });

  test('reads a charset of seven bits where other parts of the message were decoded before', async () => {
    const raw = `From: Jürgen <j@example.com>\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\u001b$BF|K\\\u001b(B`;
    expect(await parsed(raw)).toMatchObject({ from: { name: 'Jürgen' }, text: '日本' });
  });

  test.each([
    ['cp437', 'Gr=81=E1e'],
    ['IBM850', 'Gr=81=E1e'],
    ["'utf-8'", 'Gr=C3=BC=C3=9Fe'],
    ['utf-32be', '=00=00=00G=00=00=00r=00=00=00=FC=00=00=00=DF=00=00=00e'],
  ])('reads the charset %s', async (charset, body) => {
    const raw = `${headers}Content-Type: text/plain; charset=${charset}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${body}`;
    expect(await parsed(raw)).toMatchObject({ text: 'Grüße' });
  });

  test('has no date where the written one cannot be read, rather than the present', async () => {
    expect(await parsed(`${headers}Date: soon\r\n\r\nx`)).toMatchObject({ date: null });
    expect(await parsed(`${headers}\r\nx`)).toMatchObject({ date: null });
  });

  test('makes text of a message that is HTML alone', async () => {
    const html = 'Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>Ana</b></p><script>x()</script>';
    expect(await parsed(`${headers}${html}`)).toMatchObject({ text: 'Hello Ana' });
    const alternative = `MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n${html}\r\n--b--\r\n`;
    expect(await parsed(`${headers}${alternative}`)).toMatchObject({ text: 'Hello Ana' });
  });

  test('reads the declared charset of bytes that came as characters', async () => {
    const bytes = Buffer.concat([
      Buffer.from(
        `${headers}Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`,
      ),
      Buffer.from([0x82, 0xa0, 0x82, 0xa2]),
    ]);
    expect(await parsed(bytes.toString('latin1'))).toMatchObject({ text: 'あい' });
  });

  test('keeps text that was decoded before it came, whatever charset its headers still declare', async () => {
    const decoded = `${headers}Content-Type: text/plain; charset="shift_jis"\r\n\r\nあい`;
    expect(await parsed(decoded)).toMatchObject({ text: 'あい' });
    expect(await parsed(`${headers}Content-Type: text/plain; charset=utf-8\r\n\r\ncafé`)).toMatchObject({
      text: 'café',
    });
    const quoted = `${headers}Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9`;
    expect(await parsed(`X-Note: あ\r\n${quoted}`)).toMatchObject({ text: 'café' });
  });

  test('lists attachments without their content', async () => {
    const raw = `${headers}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n`;
    expect(await parsed(raw)).toMatchObject({
      text: 'hi',
      attachments: [{ filename: 'a.pdf', contentType: 'application/pdf', sizeBytes: 3 }],
    });
  });

  test.each([
    ['', 'it is empty'],
    ['just some words', 'it has no header lines'],
  ])('says what is missing in %j', async (raw, reason) => {
    expect(await parseEmail(raw)).toMatchObject({ ok: false, error: expect.stringContaining(reason) });
  });

  test.each([
    [`Subject: a\n${'x: y\n'.repeat(300_000)}`, 'more than 10000 fields'],
    [`Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n${'--b\n\n'.repeat(20_000)}`, '10000 parts'],
    [
      `Subject: a\n${Array.from({ length: 60 }, (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}x\n\n--b${depth}x\n`).join('')}`,
      'nested',
    ],
  ])('refuses what no letter has', async (raw, reason) => {
    expect(await parseEmail(raw)).toMatchObject({ ok: false, error: expect.stringContaining(reason) });
  });

  test('INV-13: the sender is who sent it, whatever an encoded name says', async () => {
    const from = async (written: string): Promise<unknown> => (await parsed(`From: ${written}\n\nb`))['from'];
    const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
    const jo = 'jo@example.com';
    for (const name of [
      'boss@bank.example',
      '"Jo" <boss@bank.example>',
      'boss@bank.example, Jo',
      'a\r\nFrom: boss@bank.example',
      '(x',
      'Team: a;',
      '\\',
    ])
      for (const written of [`${word(name)} <${jo}>`, `"${word(name)}" <${jo}>`, `${jo} (${word(name)})`])
        expect(await from(written)).toMatchObject({ address: jo });
    expect(await from('=?utf-8?Q?"Jo"_<boss@bank.example>?= <jo@example.com>')).toEqual({
      name: '"Jo" <boss@bank.example>',
      address: jo,
    });
    expect(await from('"Smith, Jo" <jo @ example . com>')).toEqual({ name: 'Smith, Jo', address: jo });
    expect(await from('root (Cron Daemon)')).toEqual({ name: 'Cron Daemon', address: 'root' });
  });

  test('loses no text: of both forms the one that says something, of a mixed message all, of a wrong boundary the body', async () => {
    const part = (type: string, body: string): string => `Content-Type: ${type}\n\n${body}\n`;
    const multi = (kind: string, boundary: string, ...parts: string[]): string =>
      `Content-Type: multipart/${kind}; boundary=${boundary}\n\n${parts.map((one) => `--${boundary}\n${one}`).join('')}--${boundary}--\n`;
    const text = async (body: string): Promise<unknown> =>
      (await parsed(`From: a@example.com\n${body}`))['text'];
    const footer = part('text/plain', 'list footer');
    const html = part('text/html', '<p>late</p>');
    expect(await text(multi('mixed', 'm', multi('alternative', 'a', html), footer))).toBe(
      'late\nlist footer',
    );
    expect(
      await text(multi('mixed', 'm', multi('alternative', 'a', part('text/plain', 'late'), html), footer)),
    ).toBe('late\nlist footer');
    expect(await text(multi('alternative', 'a', part('text/plain', ' '), html))).toBe('late');
    expect(
      await text(multi('mixed', 'm', part('message/rfc822', part('text/plain', 'forwarded')), footer)),
    ).toBe('forwarded\n\nlist footer');
    expect(await text('Content-Type: multipart/mixed; boundary=y\n\n--x\ncall me\n--x--')).toContain(
      'call me',
    );
  });

  test('keeps the cells of a table, the lines of blocks and the addresses of links apart', async () => {
    const { text } = await parsed(
      'From: a@example.com\nContent-Type: text/html\n\n<style>p{}</style><table><tr><td>1<td>23</tr><tr><td>4</td><td>56</td></tr></table><p>a &amp; b<br>c</p><ul><li>d</li></ul><a href="https://evil.example/x">your bank</a>',
    );
    expect(text).toBe('1\t23\n4\t56\n\na & b\nc\n\n* d\n\nyour bank [https://evil.example/x]');
  });
});

describe.skipIf(!hasSharedData('eml'))('real messages', () => {
  const files = hasSharedData('eml')
    ? listSharedData('eml').flatMap((folder) =>
        listSharedData(`eml/${folder}`).map((name) => `eml/${folder}/${name}`),
      )
    : [];

  test.each(files)('%s parses, as bytes and as text', async (file) => {
    const bytes = readSharedBytes(file);
    for (const encoding of ['latin1', 'utf8'] as const) await parsed(bytes.toString(encoding));
  });

  test.each([
    ['a folded subject', 'From: a@example.com\nSubject: one\n two\n\n.', { subject: 'one two' }],
    ['line ends of old Macs', 'From: a@example.com\rSubject: x\r\rwords', { subject: 'x', text: 'words' }],
    [
      'an address of numbers',
      'From: Jo <jo@[IPv6:2001:db8::1]>\n\n.',
      { from: { name: 'Jo', address: 'jo@[IPv6:2001:db8::1]' } },
    ],
    [
      'a name with a comma and no quotes',
      'From: Smith, Jo <jo@example.com>\n\n.',
      { from: { name: 'Jo', address: 'jo@example.com' } },
    ],
  ])('reads %s', async (_what, raw, expected) => {
    expect(await parseEmail(raw)).toMatchObject({ ok: true, value: expected });
  });
});
