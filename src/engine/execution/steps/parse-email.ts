// RFC 5322 and MIME → addresses, subject, date, text and the list of attachments, whatever the charset.
import type { AddressObject, EmailAddress, ParsedMail } from 'mailparser';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { emailBytes } from './email-bytes.ts';

/** Made into text no further: HTML of that size is not a letter. */
const MAX_HTML = 2_000_000;

const HEADER = /^[\x21-\x39\x3b-\x7e]+[ \t]*:/m;

/** Fails with the reason when the text is no message. */
export async function parseEmail(raw: string): Promise<Outcome<Json, string>> {
  const text = raw.replace(/^\uFEFF?\s*/, '');
  if (text === '') return fail('it is empty');
  if (!HEADER.test(text.slice(0, 4_096)))
    return fail('it has no header lines such as "From: ana@example.com"');
  const { simpleParser } = await import('mailparser');
  const parse = (bytes: Buffer): Promise<ParsedMail> =>
    simpleParser(bytes, { skipTextToHtml: true, skipImageLinks: true, maxHtmlLengthToParse: MAX_HTML });
  let mail: ParsedMail;
  let body: string;
  try {
    mail = await parse(emailBytes(withoutMboxLine(text)));
    // Of HTML that is the only part of a multipart/alternative, mailparser makes no text; of a message of its own it does.
    const alone = (mail.text ?? '') === '' && typeof mail.html === 'string' && mail.html.length <= MAX_HTML;
    body =
      (alone
        ? (await parse(Buffer.from(`Content-Type: text/html; charset=utf-8\n\n${String(mail.html)}`, 'utf8')))
            .text
        : mail.text) ?? '';
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  const [from] = addresses(mail.from);
  return succeed({
    from: from ?? null,
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    replyTo: addresses(mail.replyTo),
    subject: mail.subject ?? '',
    date: dateOf(mail),
    messageId: mail.messageId ?? null,
    inReplyTo: mail.inReplyTo ?? null,
    text: body.replaceAll('\r\n', '\n').trim(),
    attachments: mail.attachments.map(({ filename, contentType, size }) => ({
      filename: filename ?? null,
      contentType,
      sizeBytes: size,
    })),
  });
}

/** mailparser takes the present for a date that it cannot read; here that is no date. */
function dateOf({ headerLines }: ParsedMail): string | null {
  const line = headerLines.find(({ key }) => key === 'date')?.line ?? '';
  const written = line
    .slice(line.indexOf(':') + 1)
    .replace(/\([^)]*\)/g, '')
    .trim();
  const epochMs = Date.parse(written);
  if (written === '' || Number.isNaN(epochMs)) return null;
  return new Date(epochMs).toISOString();
}

/** `From ana@example.com Mon Jan …`: what a mailbox file puts before each message. */
function withoutMboxLine(text: string): string {
  return text.replace(/^>?From [^\n]*\n/, '');
}

function addresses(
  given: AddressObject | readonly AddressObject[] | undefined,
): { name: string; address: string }[] {
  if (given === undefined) return [];
  const all = Array.isArray(given) ? (given as readonly AddressObject[]) : [given as AddressObject];
  return all.flatMap(({ value }) => value.flatMap(flatten));
}

/** A group (`Team: ana@example.com, ben@example.com;`) is its members. */
function flatten({ name, address, group }: EmailAddress): { name: string; address: string }[] {
  if (group !== undefined) return group.flatMap(flatten);
  return [{ name, address: address ?? '' }];
}
