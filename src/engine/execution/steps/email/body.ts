// What an e-mail says: the text of its parts, no part of it lost and none said twice, and the attachments beside it.
import { decodeCharset, decodeTransfer, isSevenBit, strictUtf8 } from './content.ts';
import { decodeText, printable } from './headers.ts';
import { htmlText } from './html-text.ts';
import type { Part } from './parts.ts';

export interface Attachment {
  readonly filename: string | null;
  readonly contentType: string;
  /** Decoded. */
  readonly sizeBytes: number;
}

export interface MailMessage {
  /** A character a byte. */
  readonly bytes: string;
  /** What is not encoded in it was decoded before it came here: it is UTF-8 now, whatever its headers declare. */
  readonly isDecoded: boolean;
}

/** `report`: what came back is attached to it; it is not what it says. */
type Inside = 'root' | 'mixed' | 'alternative' | 'report';

export interface Body {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

export async function readBody(message: MailMessage, root: Part): Promise<Body> {
  const attachments: Attachment[] = [];

  async function textOf(part: Part, inside: Inside): Promise<string> {
    if (part.children.length > 0 && !(part.type.value === 'message/rfc822' && inside === 'report')) {
      const isAlternative = part.type.value === 'multipart/alternative';
      const texts: { readonly text: string; readonly isHtml: boolean }[] = [];
      for (const child of part.children)
        texts.push({
          text: await textOf(child, insideOf(part)),
          isHtml: isHtml(child),
        });
      const said = texts.filter(({ text }) => text.trim() !== '');
      // The forms of one text: the plain one, unless there is nothing in it.
      if (isAlternative) return (said.find((form) => !form.isHtml) ?? said.at(-1))?.text ?? '';
      return said.map(({ text }) => text).join('\n');
    }
    const { kind, bytes } = contentOf(message, part);
    if (kind === 'multipart' || isText(part, inside)) return readText(message, part, bytes);
    attachments.push({
      filename: filenameOf(part),
      contentType: part.type.value,
      sizeBytes: bytes.length,
    });
    return '';
  }

  const text = await textOf(root, 'root');
  return { text: text.trim(), attachments };
}

function contentOf(
  { bytes }: MailMessage,
  part: Part,
): { readonly kind: 'multipart' | 'leaf'; readonly bytes: Buffer } {
  const body = bytes.slice(part.bodyAt, part.end);
  // Without any part to be found, what stands there is the text, as it is.
  if (part.type.value.startsWith('multipart/'))
    return { kind: 'multipart', bytes: Buffer.from(body, 'latin1') };
  return { kind: 'leaf', bytes: decodeTransfer(body, part.encoding) };
}

function insideOf({ type }: Part): Inside {
  if (type.value === 'multipart/alternative') return 'alternative';
  if (type.value === 'multipart/report') return 'report';
  return type.value === 'message/rfc822' ? 'root' : 'mixed';
}

function isHtml(part: Part): boolean {
  const { value } = part.type;
  if (value === 'text/html' || value === 'application/xhtml+xml') return true;
  return part.children.some(isHtml) && !part.children.some(({ type }) => type.value === 'text/plain');
}

/** A kind of text that is not known is text where it is the whole (RFC 2046, 4.1.4); beside others, what has a name is a file. */
function isText({ type, disposition, fields }: Part, inside: Inside): boolean {
  if (disposition.value === 'attachment') return false;
  // Reports: of a delivery, a reading, an abuse.
  if (/^message\/(?:delivery-status|disposition-notification|feedback-report)$/.test(type.value)) return true;
  if (!type.value.startsWith('text/')) return false;
  if (inside === 'root' || type.value === 'text/plain' || type.value === 'text/html') return true;
  const isNamed = type.parameters.has('name') || disposition.parameters.has('filename');
  const isMade = /^text\/(?:calendar|x?-?v(?:card|calendar)|css|javascript|rfc822-headers|x-amp-html)$/;
  return inside !== 'alternative' && !isNamed && !isMade.test(type.value) && fields.length > 0;
}

async function readText(message: MailMessage, part: Part, bytes: Buffer): Promise<string> {
  const { parameters, value } = part.type;
  const charset = parameters.get('charset') ?? '';
  // A charset of seven bits is ASCII until it is read, whatever was decoded around it.
  const isEncoded = /^(?:base64|quoted-printable|x?-?uu)/.test(part.encoding) || isSevenBit(charset);
  const text =
    message.isDecoded && !isEncoded
      ? (strictUtf8(bytes) ?? decodeCharset(bytes, charset))
      : decodeCharset(bytes, charset || (value === 'text/html' ? metaCharset(bytes) : ''));
  const lines = text.replaceAll('\r\n', '\n').replace(/^\uFEFF/, '');
  if (value === 'text/html') return htmlText(lines);
  return parameters.get('format')?.toLowerCase() === 'flowed'
    ? unflowed(lines, parameters.get('delsp')?.toLowerCase() === 'yes')
    : lines;
}

function metaCharset(bytes: Buffer): string {
  const head = bytes.subarray(0, 2_048).toString('latin1');
  return /<meta[^>]{0,200}charset\s{0,5}=\s{0,5}["']?([\w-]{1,40})/i.exec(head)?.[1] ?? '';
}

/** RFC 3676: a line that ends with a blank goes on in the next, but for the line before a signature. */
function unflowed(text: string, deletesSpace: boolean): string {
  const out: string[] = [];
  let open: { readonly quotes: string; text: string } | undefined;
  for (const line of text.split('\n')) {
    const quotes = /^>*/.exec(line)?.[0] ?? '';
    const said = line.slice(quotes.length).replace(/^ /, '');
    const flows = said.endsWith(' ') && said !== '-- ';
    const bare = flows && deletesSpace ? said.slice(0, -1) : said;
    if (open !== undefined && open.quotes === quotes && said !== '-- ') open.text += bare;
    else {
      if (open !== undefined) out.push(shown(open));
      open = { quotes, text: bare };
    }
    if (!flows) {
      out.push(shown(open));
      open = undefined;
    }
  }
  if (open !== undefined) out.push(shown(open));
  return out.join('\n');
}

function shown({ quotes, text }: { readonly quotes: string; readonly text: string }): string {
  return quotes === '' ? text : `${quotes} ${text}`;
}

function filenameOf({ type, disposition }: Part): string | null {
  const written = disposition.parameters.get('filename') ?? type.parameters.get('name');
  if (written === undefined) return null;
  const name = decodeText(written);
  return name === '' ? null : printable(name);
}
