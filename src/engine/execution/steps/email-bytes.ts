// An e-mail given as text → its bytes: what its declared charsets are to be read from.

const OTHER_CHARSET = /charset\s*=\s*"?(?!utf-?8|us-ascii)[\w-]+/i;

/**
 * JSON holds characters, a message holds bytes. Three things can have happened to them:
 * - every character stands for a byte (the file was read as latin1): the bytes are these, and the declared charset reads them, or UTF-8 where
 *   they are that;
 * - the text was decoded before it came here: its bytes are UTF-8 now, whatever its headers still declare;
 * - it is ASCII, as base64 and quoted-printable are: there is no difference.
 */
export function emailBytes(given: string): Buffer {
  const text = given.replace(/^(content-transfer-encoding:[ \t]*)([^\r\n]*)/gim, knownEncoding);
  if (isAscii(text)) return Buffer.from(text, 'latin1');
  if (!isBytes(text)) return Buffer.from(declaringUtf8(text), 'utf8');
  const decoded = asUtf8(Buffer.from(text, 'latin1'));
  if (decoded !== undefined) return Buffer.from(declaringUtf8(decoded), 'utf8');
  return OTHER_CHARSET.test(text) ? Buffer.from(text, 'latin1') : Buffer.from(declaringUtf8(text), 'utf8');
}

/** An encoding that is none (`text/html`) means that nothing was encoded; mailparser would drop the part. */
function knownEncoding(whole: string, before: string, value: string): string {
  return value.includes('/') ? `${before}8bit` : whole;
}

function declaringUtf8(text: string): string {
  return text.replace(
    /^(content-type:[^\n]*(?:\r?\n[ \t][^\n]*)*?charset\s*=\s*"?)([\w-]+)/gim,
    declareUtf8(text),
  );
}

/** Only parts that are sent as they are were decoded with the text: base64 and quoted-printable still hold bytes of their own charset. */
function declareUtf8(
  text: string,
): (whole: string, before: string, charset: string, offset: number) => string {
  return (whole, before, _charset, offset) => {
    const headersEnd = text.slice(offset).search(/\r?\n\r?\n/);
    const headersStart = Math.max(text.lastIndexOf('\n\n', offset), text.lastIndexOf('\r\n\r\n', offset), 0);
    const headers = text.slice(headersStart, headersEnd === -1 ? undefined : offset + headersEnd);
    return /content-transfer-encoding:\s*"?(?:base64|quoted-printable)/i.test(headers)
      ? whole
      : `${before}utf-8`;
  };
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function isBytes(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}

/** undefined: these bytes are no UTF-8. Bytes of another charset hardly ever are by accident. */
function asUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
