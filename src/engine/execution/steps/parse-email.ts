// RFC 5322 and MIME → addresses, subject, date, text and the list of attachments, whatever the charset.
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { readAddresses } from './email/addresses.ts';
import type { Address } from './email/addresses.ts';
import { readBody } from './email/body.ts';
import type { MailMessage } from './email/body.ts';
import { decodeCharset, isSevenBit, strictUtf8 } from './email/content.ts';
import { readDate } from './email/date.ts';
import { decodeText } from './email/headers.ts';
import { field, readParts, TooLarge } from './email/parts.ts';
import type { Part } from './email/parts.ts';

/** Fails with the reason when the text is no message. */
export async function parseEmail(raw: string): Promise<Outcome<Json, string>> {
  const bare = raw.replace(/^\uFEFF/, '').trimStart();
  // Line ends of old Macs, and of what was pasted from a form.
  const given = bare.includes('\n') ? bare : bare.replaceAll('\r', '\n');
  if (given === '') return fail('it is empty');
  const message = messageOf(withoutMboxLine(given));
  try {
    const root = readParts(message.bytes);
    if (root.fields.length === 0) return fail('it has no header lines such as "From: ana@example.com"');
    return succeed(await mailOf(message, root));
  } catch (error) {
    if (error instanceof TooLarge) return fail(error.message);
    throw error;
  }
}

async function mailOf(message: MailMessage, root: Part): Promise<Json> {
  const charset = root.type.parameters.get('charset') ?? '';
  const written = (name: string): string | undefined => {
    const value = field(root.fields, name);
    return value === undefined ? undefined : characters(value, charset);
  };
  const all = (name: string): readonly Address[] =>
    root.fields
      .filter((one) => one.name === name)
      .flatMap(({ value }) => readAddresses(characters(value, charset)));
  const from = written('from');
  const atMs = readDate(written('date') ?? '');
  const { text, attachments } = await readBody(message, root);
  const list = (addresses: readonly Address[]): Json =>
    addresses.map(({ name, address }) => ({ name, address }));
  const senders = from === undefined ? [] : readAddresses(from);
  // `From: Smith, Jo <jo@example.com>`: a comma that should have been quoted makes an address of a name.
  const sender = senders.find(({ address }) => address.includes('@')) ?? senders[0];
  return {
    from: sender === undefined ? null : { name: sender.name, address: sender.address },
    to: list(all('to')),
    cc: list(all('cc')),
    replyTo: list(all('reply-to')),
    subject: decodeText(written('subject') ?? ''),
    date: atMs === null ? null : new Date(atMs).toISOString(),
    messageId: identifier(written('message-id')),
    inReplyTo: identifier(written('in-reply-to')),
    text,
    attachments: attachments.map(({ filename, contentType, sizeBytes }) => ({
      filename,
      contentType,
      sizeBytes,
    })),
  };
}

function identifier(written: string | undefined): string | null {
  const text = decodeText(written ?? '');
  return text === '' ? null : text;
}

/** A header's bytes: UTF-8 where they are that, else as the message declares. */
function characters(value: string, charset: string): string {
  if (isAscii(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return strictUtf8(bytes) ?? decodeCharset(bytes, isSevenBit(charset) ? '' : charset);
}

const OTHER_CHARSET = /charset\s{0,5}=\s{0,5}"?(?!utf-?8|us-ascii)[\w-]/i;

/**
 * JSON holds characters, a message holds bytes. Three things can have happened to them:
 * - every character stands for a byte (the file was read as latin1): the bytes are these, and the declared charset reads them, or UTF-8 where
 *   they are that;
 * - the text was decoded before it came here: its bytes are UTF-8 now, whatever its headers still declare;
 * - it is ASCII, as base64 and quoted-printable are: there is no difference.
 */
function messageOf(text: string): MailMessage {
  if (isAscii(text)) return { bytes: text, isDecoded: false };
  if (isBytes(text)) {
    if (strictUtf8(Buffer.from(text, 'latin1')) !== undefined) return { bytes: text, isDecoded: true };
    if (OTHER_CHARSET.test(text)) return { bytes: text, isDecoded: false };
  }
  return { bytes: Buffer.from(text, 'utf8').toString('latin1'), isDecoded: true };
}

/** `From ana@example.com Mon Jan …`: what a mailbox file puts before each message. */
function withoutMboxLine(text: string): string {
  if (!text.startsWith('From ') && !text.startsWith('>From ')) return text;
  const end = text.indexOf('\n');
  return end === -1 ? '' : text.slice(end + 1);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function isBytes(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}
