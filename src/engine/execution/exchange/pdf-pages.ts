// How many pages a PDF has: counted where its objects are plain, unpacked where they are not, and bounded by its size where neither says.
import { inflateSync } from 'node:zlib';

const PAGE = /\/Type\s*\/Page(?![a-zA-Z])/g;
const COUNT = /\/Count\s+(\d{1,6})/g;
const PACKED = /\/Type\s*\/ObjStm[^]{0,400}?stream\r?\n/g;
/** What one packed group of objects may grow to. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024;
const MAX_GROUPS = 2_000;
/** And all of them together: what unpacks to more is no list of pages. */
const MOST_UNPACKED_BYTES = 32 * 1024 * 1024;
/** No page of text has fewer; a vendor takes at most so many pages. */
const LEAST_PAGE_BYTES = 2_000;
const MOST_PAGES = 1_000;

/** At least 1. `data`: base64. */
export function pdfPages(data: string): number {
  const bytes = Buffer.from(data, 'base64');
  const text = bytes.toString('latin1');
  let counted = countIn(text);
  let groups = 0;
  let left = MOST_UNPACKED_BYTES;
  let end = 0;
  for (const { index, 0: opening } of text.matchAll(PACKED)) {
    groups += 1;
    if (groups > MAX_GROUPS || left <= 0) break;
    const start = index + opening.length;
    // The same end serves all that begin before it: nothing is looked through twice.
    if (end < start) end = text.indexOf('endstream', start);
    if (end === -1) end = text.length;
    const group = unpacked(bytes.subarray(start, end));
    left -= group.length;
    counted += countIn(group);
  }
  let pages = counted;
  for (const [, count] of text.matchAll(COUNT)) pages = Math.max(pages, Number(count));
  return pages > 0 ? pages : Math.min(MOST_PAGES, Math.max(1, Math.ceil(bytes.length / LEAST_PAGE_BYTES)));
}

function countIn(text: string): number {
  return text.match(PAGE)?.length ?? 0;
}

function unpacked(bytes: Buffer): string {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }).toString('latin1');
  } catch {
    return '';
  }
}
