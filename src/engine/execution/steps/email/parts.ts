// The parts of an e-mail (RFC 2045 and 2046): a tree by their boundaries, which are looked for once in each part.
import { lineEnd, readHeader, readStructured } from './headers.ts';
import type { HeaderField, Structured } from './headers.ts';

/** Deeper nesting is an attack: forwarded threads come to five or six. */
const MAX_DEPTH = 40;
const MAX_PARTS = 10_000;
const MAX_FIELDS = 10_000;

export interface Part {
  readonly fields: readonly HeaderField[];
  readonly type: Structured;
  readonly disposition: Structured;
  readonly encoding: string;
  /** Of a multipart that has any; where none can be found, its body is a text. */
  readonly children: readonly Part[];
  readonly bodyAt: number;
  readonly end: number;
}

/** Beyond what a letter has; the message says of what. */
export class TooLarge extends Error {}

const TYPE = /^[a-z0-9!#$%&'*+.^_`|~-]+\/[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** `bytes`: the message, a character a byte. */
export function readParts(bytes: string): Part {
  let count = 0;

  function part(start: number, end: number, depth: number, otherwise: string): Part {
    count += 1;
    if (count > MAX_PARTS) throw new TooLarge(`it has more than ${MAX_PARTS} parts`);
    if (depth > MAX_DEPTH) throw new TooLarge(`its parts are nested more than ${MAX_DEPTH} deep`);
    const { fields, bodyAt } = readHeader(bytes, start, end);
    if (fields.length > MAX_FIELDS) throw new TooLarge(`a header of it has more than ${MAX_FIELDS} fields`);
    const written = readStructured(field(fields, 'content-type') ?? otherwise);
    const isType = TYPE.test(written.value);
    // A type that is none counts as text/plain (RFC 2045, 5.2).
    const type = isType ? written : { value: 'text/plain', parameters: written.parameters };
    const inner = {
      type: type.value === 'multipart/digest' ? 'message/rfc822' : 'text/plain',
      depth: depth + 1,
    };
    const boundary = type.parameters.get('boundary');
    const ranges =
      type.value.startsWith('multipart/') && boundary !== undefined && boundary !== ''
        ? partsBetween(bytes, bodyAt, end, boundary)
        : [];
    const disposition = readStructured(field(fields, 'content-disposition') ?? '');
    const [encoding = ''] = readStructured(field(fields, 'content-transfer-encoding') ?? '').value.split(
      /\s/,
    );
    return {
      fields,
      type,
      disposition,
      encoding,
      children: isEmbedded(type, disposition, encoding)
        ? [part(bodyAt, end, inner.depth, 'text/plain')]
        : ranges.map(([from, to]) => part(from, to, inner.depth, inner.type)),
      bodyAt,
      end,
    };
  }

  return part(0, bytes.length, 0, 'text/plain');
}

/** A message in a message that is shown with it; one that was attached is a file. */
function isEmbedded(type: Structured, disposition: Structured, encoding: string): boolean {
  return (
    type.value === 'message/rfc822' &&
    disposition.value !== 'attachment' &&
    /^(?:|7bit|8bit|binary)$/.test(encoding)
  );
}

/** The first of this name. */
export function field(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((one) => one.name === name)?.value;
}

/** From behind each line `--boundary` to before the line end that precedes the next one. */
function partsBetween(bytes: string, start: number, end: number, boundary: string): [number, number][] {
  const delimiter = `--${boundary}`;
  const ranges: [number, number][] = [];
  let from: number | undefined;
  for (
    let at = bytes.indexOf(delimiter, start);
    at !== -1 && at < end;
    at = bytes.indexOf(delimiter, at + 1)
  ) {
    if (at !== start && bytes[at - 1] !== '\n') continue;
    const next = lineEnd(bytes, at, end);
    const rest = bytes.slice(at + delimiter.length, Math.min(next, at + delimiter.length + 200)).trimEnd();
    if (rest !== '' && rest !== '--') continue;
    if (from !== undefined) ranges.push([from, Math.max(from, beforeLineEnd(bytes, at))]);
    from = next;
    if (rest === '--') return ranges;
  }
  // Cut off: what there is of the last part is a part.
  if (from !== undefined && from < end) ranges.push([from, end]);
  return ranges;
}

function beforeLineEnd(bytes: string, at: number): number {
  return bytes[at - 2] === '\r' ? at - 2 : at - 1;
}
