// The header of an e-mail or of one of its parts: its fields, what their structured values say, and encoded words. Each scan goes forward only.
import { decodeCharset, trimBytes } from './content.ts';

export interface HeaderField {
  /** In lower case. */
  readonly name: string;
  /** Unfolded, its bytes read as characters. */
  readonly value: string;
}

export interface Header {
  readonly fields: readonly HeaderField[];
  /** Where the body begins. */
  readonly bodyAt: number;
}

const FIELD = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/;
/** Longer names are none. */
const MAX_NAME = 256;

/**
 * The fields from `start` on, up to the empty line. What is neither a field nor the rest of one begins the body, as Python has it; and so does a line of blanks after
 * which no field goes on.
 */
export function readHeader(bytes: string, start: number, end: number): Header {
  const fields: { name: string; lines: string[] }[] = [];
  let at = start;
  while (at < end) {
    const next = lineEnd(bytes, at, end);
    const line = bytes.slice(at, next).replace(/\r?\n$/, '');
    if (line === '') return { fields: fields.map(unfold), bodyAt: next };
    const last = fields.at(-1);
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const isBlank = trimBytes(line) === '';
      if (isBlank && !goesOn(bytes, next, end)) return { fields: fields.map(unfold), bodyAt: next };
      if (last === undefined) return { fields: [], bodyAt: at };
      last.lines.push(line);
    } else {
      const name = FIELD.exec(line.slice(0, MAX_NAME))?.[1];
      if (name === undefined) return { fields: fields.map(unfold), bodyAt: at };
      fields.push({ name: name.toLowerCase(), lines: [line.slice(line.indexOf(':') + 1)] });
    }
    at = next;
  }
  return { fields: fields.map(unfold), bodyAt: end };
}

function unfold({ name, lines }: { readonly name: string; readonly lines: readonly string[] }): HeaderField {
  // What goes on begins with a blank of its own (RFC 5322, 2.2.3).
  return { name, value: trimBytes(lines.join('').replaceAll('\t', ' ')) };
}

function goesOn(bytes: string, at: number, end: number): boolean {
  const line = bytes.slice(at, Math.min(end, at + MAX_NAME));
  return FIELD.test(line) || /^[ \t]+[^\s]/.test(line);
}

/** Behind the line's end. */
export function lineEnd(bytes: string, at: number, end: number): number {
  const found = bytes.indexOf('\n', at);
  return found === -1 || found >= end ? end : found + 1;
}

export interface Structured {
  /** `text/plain`, `attachment`, `base64`: in lower case, without comments and quotes. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `type; name=value; name*0="…"`, after RFC 2045 and 2231, and as they are written in life. */
export function readStructured(text: string): Structured {
  const [value = '', ...rest] = splitOutsideQuotes(withoutComments(text), ';');
  const plain = new Map<string, string>();
  const parts = new Map<
    string,
    { readonly order: number; readonly text: string; readonly coded: boolean }[]
  >();
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    if (equals === -1) continue;
    const written = trimBytes(parameter.slice(0, equals)).toLowerCase();
    const given = unquoted(trimBytes(parameter.slice(equals + 1)));
    const [, name, order, coded] = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(written) ?? [];
    if (name === undefined) continue;
    if (order === undefined && coded === undefined) {
      // A boundary is looked for among bytes; what else is written in bytes outside ASCII is read.
      if (!plain.has(name))
        plain.set(name, name === 'boundary' ? given : decodeCharset(Buffer.from(given, 'latin1'), ''));
    } else {
      const some = parts.get(name) ?? [];
      some.push({ order: Number(order ?? 0), text: given, coded: coded !== undefined });
      parts.set(name, some);
    }
  }
  for (const [name, some] of parts) plain.set(name, extended(some));
  return { value: trimBytes(unquoted(trimBytes(value))).toLowerCase(), parameters: plain };
}

/** RFC 2231: the charset stands before the first part, and bytes outside ASCII are written `%C3`. */
function extended(
  parts: readonly { readonly order: number; readonly text: string; readonly coded: boolean }[],
): string {
  let charset = 'utf-8';
  let bytes = '';
  for (const { text, coded } of [...parts].sort((left, right) => left.order - right.order)) {
    let rest = text;
    if (coded && bytes === '') {
      const [, label, value] = /^([^']*)'[^']*'(.*)$/s.exec(text) ?? [];
      if (label !== undefined && label !== '') charset = label;
      rest = value ?? text;
    }
    bytes += coded
      ? rest.replaceAll(/%([0-9a-f]{2})/gi, (_whole, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        )
      : rest;
  }
  return decodeCharset(Buffer.from(bytes, 'latin1'), charset);
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  const end = text.length > 1 && text.endsWith('"') ? text.length - 1 : text.length;
  return text.slice(1, end).replaceAll(/\\(.)/gs, '$1');
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '\\' && quoted) at += 1;
    else if (sign === '"') quoted = !quoted;
    else if (sign === separator && !quoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** Comments nest; what is open at the end was none. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let kept = '';
  let from = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '\\') at += 1;
    else if (sign === '"' && depth === 0) quoted = !quoted;
    else if (sign === '(' && !quoted) {
      if (depth === 0) kept += `${text.slice(from, at)} `;
      depth += 1;
    } else if (sign === ')' && depth > 0) {
      depth -= 1;
      if (depth === 0) from = at + 1;
    }
  }
  return depth > 0 ? kept : kept + text.slice(from);
}

/** `=?charset?Q?text?=`. The text has no `?`, so each is found or given up at the next one. */
const WORD = /=\?([^?\s]{1,64})\?([bq])\?([^?]*)\?=/gi;
export const WORD_HERE = new RegExp(WORD.source, 'iy');

/** A field's text for people: its bytes as UTF-8 where they are that, encoded words decoded (side by side they are one text), no signs of control in it. */
export function decodeText(value: string): string {
  let text = '';
  let from = 0;
  let pending: { readonly charset: string; bytes: string } | undefined;
  const flush = (): void => {
    if (pending !== undefined) text += decodeCharset(Buffer.from(pending.bytes, 'latin1'), pending.charset);
    pending = undefined;
  };
  for (const { 0: whole, 1: label = '', 2: encoding = '', 3: coded = '', index } of value.matchAll(WORD)) {
    const between = value.slice(from, index);
    if (pending === undefined || between.trim() !== '') {
      flush();
      text += between;
    }
    from = index + whole.length;
    const charset = label.replace(/\*.*$/, '').toLowerCase();
    for (const part of encoding.toLowerCase() === 'b' ? [base64Bytes(coded)] : quotedParts(coded)) {
      if (typeof part !== 'string') {
        flush();
        text += part.raw;
      } else if (pending !== undefined && pending.charset === charset) pending.bytes += part;
      else {
        flush();
        pending = { charset, bytes: part };
      }
    }
  }
  flush();
  return printable(text + value.slice(from));
}

export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

function base64Bytes(coded: string): string {
  return Buffer.from(coded, 'base64').toString('latin1');
}

/** Letters that stand there as they are stay those letters. */
function quotedParts(coded: string): (string | { readonly raw: string })[] {
  return coded
    .split(/([^\x00-\x7f]+)/)
    .map((part, index) =>
      index % 2 === 1
        ? { raw: part }
        : part
            .replaceAll('_', ' ')
            .replaceAll(/=([0-9a-f]{2})/gi, (_whole, hex: string) =>
              String.fromCharCode(Number.parseInt(hex, 16)),
            ),
    );
}
