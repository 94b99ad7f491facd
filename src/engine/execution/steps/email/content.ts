// Transfer encodings and charsets: from the bytes of a part, as characters of one byte, to what they say.

const isBlankByte = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
};

/** Where bytes are characters, 0xA0 is no blank: it is the second half of an `à`. */
export function trimBytes(text: string): string {
  let from = 0;
  while (from < text.length && isBlankByte(text, from)) from += 1;
  return trimBytesEnd(text.slice(from));
}

function trimBytesEnd(text: string): string {
  let to = text.length;
  while (to > 0 && isBlankByte(text, to - 1)) to -= 1;
  return text.slice(0, to);
}

/** Undoes Content-Transfer-Encoding; what is none is left as it is. Bytes as characters of one byte each, in and out. */
export function decodeTransfer(body: string, encoding: string): Buffer {
  switch (encoding) {
    case 'base64':
      return decodeBase64(body);
    case 'quoted-printable':
      return decodeQuotedPrintable(body);
    case 'uuencode':
    case 'x-uuencode':
    case 'uue':
    case 'x-uue':
      return decodeUuencode(body);
    default:
      return Buffer.from(body, 'latin1');
  }
}

/** Several that were put one behind the other are each decoded: `=` ends one. */
function decodeBase64(body: string): Buffer {
  const bare = body.replaceAll(/[^A-Za-z0-9+/=]+/g, '');
  const ends = bare.indexOf('=');
  if (ends === -1 || !/[^=]/.test(bare.slice(ends, ends + 3))) return Buffer.from(bare, 'base64');
  return Buffer.concat(bare.split(/=+/).map((part) => Buffer.from(part, 'base64')));
}

function decodeQuotedPrintable(body: string): Buffer {
  const lines = body.split('\n');
  const joined = lines
    .map((line, index) => {
      // Blanks at a line's end were added on the way.
      const bare = trimBytesEnd(line);
      if (bare.endsWith('=')) return bare.slice(0, -1);
      const end = index === lines.length - 1 ? '' : '\n';
      return line.endsWith('\r') ? `${bare}\r${end}` : `${bare}${end}`;
    })
    .join('');
  return Buffer.from(
    joined.replaceAll(/=([0-9a-fA-F]{2})/g, (_match, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  );
}

function decodeUuencode(body: string): Buffer {
  const bytes: number[] = [];
  let inside = false;
  for (const line of body.split(/\r?\n/)) {
    if (!inside) inside = /^begin [0-7]{3,4} /.test(line);
    else if (line === 'end') break;
    else {
      const length = (line.charCodeAt(0) - 32) & 63;
      const six = (at: number): number => ((at < line.length ? line.charCodeAt(at) : 32) - 32) & 63;
      const first = bytes.length;
      for (let at = 1; bytes.length - first < length; at += 4) {
        const group = (six(at) << 18) | (six(at + 1) << 12) | (six(at + 2) << 6) | six(at + 3);
        bytes.push(group >> 16, (group >> 8) & 255, group & 255);
      }
      bytes.length = first + length;
    }
  }
  return Buffer.from(bytes);
}

/** A charset that is written in ASCII alone. */
export function isSevenBit(label: string): boolean {
  return /^\s*'?(?:(?:unicode-1-1-)?utf-?7|iso-2022-|hz-)/i.test(label);
}

/** Text in a charset by its label; of an unknown one as UTF-8 where it is that, else as Windows-1252. */
export function decodeCharset(bytes: Uint8Array, label: string): string {
  const name = label
    .trim()
    .replace(/^'(.*)'$/, '$1')
    .toLowerCase()
    .replace(/^(?:ibm|cp)-?(437|850)$/, 'cp$1');
  if (/^(?:unicode-1-1-)?utf-?7$/.test(name)) return decodeUtf7(Buffer.from(bytes).toString('latin1'));
  const page = CODE_PAGES[name];
  if (page !== undefined) return ofCodePage(bytes, page);
  if (/^utf-?32(?:[lb]e)?$/.test(name)) return decodeUtf32(bytes, name);
  // ASCII says nothing of the bytes beyond it.
  const decoder = /^(?:|us-ascii|ascii|ansi_x3\.4-1968|7bit|8bit|unknown.*)$/.test(name)
    ? undefined
    : decoderOf(name);
  if (decoder !== undefined) return decoder.decode(bytes);
  return strictUtf8(bytes) ?? new TextDecoder('windows-1252').decode(bytes);
}

/** undefined: these bytes are no UTF-8. Bytes of another charset hardly ever are by accident. */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Names that mail has for charsets which the web calls otherwise. */
const ALIASES: { readonly [name: string]: string } = {
  utf8: 'utf-8',
  'iso-8859-8-i': 'iso-8859-8',
  cp932: 'shift_jis',
  'windows-31j': 'shift_jis',
  ms932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  'iso-2022-jp-2': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  'x-mac-roman': 'macintosh',
};

/** From 0x80 on: the charsets of DOS, which the web does not know. */
const CODE_PAGES: { readonly [name: string]: string } = {
  cp437:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  cp850:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
};

function ofCodePage(bytes: Uint8Array, page: string): string {
  const letters = Array.from(page);
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : (letters[byte - 0x80] ?? '\ufffd'),
  ).join('');
}

function decodeUtf32(bytes: Uint8Array, name: string): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % 4));
  const isLittle =
    name.endsWith('le') ||
    (!name.endsWith('be') && view.byteLength >= 4 && view.getUint32(0, true) === 0xfeff);
  let text = '';
  for (let at = 0; at < view.byteLength; at += 4) {
    const code = view.getUint32(at, isLittle);
    text += code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  }
  return text.replace(/^\ufeff/, '');
}

function decoderOf(name: string): TextDecoder | undefined {
  const known =
    ALIASES[name] ?? name.replace(/^cp-?(125\d)$/, 'windows-$1').replace(/^latin-?(\d)$/, 'latin$1');
  try {
    return new TextDecoder(known);
  } catch {
    return undefined;
  }
}

/** RFC 2152: `+…-` is base64 of UTF-16. */
function decodeUtf7(text: string): string {
  return text.replaceAll(/\+([A-Za-z0-9+/]*)-?/g, (_whole, coded: string) => {
    if (coded === '') return '+';
    const bytes = Buffer.from(coded, 'base64');
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}
