// How many pages a PDF has: counted where its objects are plain, unpacked where they are not, and bounded by its size where neither says.
import { inflateSync } from 'node:zlib';

const PAGE = /\/Type\s*\/Page(?![a-zA-Z])/g;
const COUNT = /\/Count\s+(\d{1,6})/g;
const PACKED = /\/Type\s*\/ObjStm[^]{0,400}?stream\r?\n/g;
/** What one packed group of objects may grow to. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024;
const MAX_GROUPS = 2_000;
/** No page of text has fewer; a vendor takes at most so many pages. */
const LEAST_PAGE_BYTES = 2_000;
const MOST_PAGES = 1_000;

/** At least 1. `data`: base64. */
export function pdfPages(data: string): number {
  const bytes = Buffer.from(data, 'base64');
  const text = bytes.toString('latin1');
  let counted = countIn(text);
  let groups = 0;
  for (const { index, 0: opening } of text.matchAll(PACKED)) {
    groups += 1;
    if (groups > MAX_GROUPS) break;
    const start = index + opening.length;
    const end = text.indexOf('endstream', start);
    counted += countIn(unpacked(bytes.subarray(start, end === -1 ? undefined : end)));
  }
  const said = [...text.matchAll(COUNT)].map(([, count]) => Number(count));
  const pages = Math.max(counted, ...said);
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
