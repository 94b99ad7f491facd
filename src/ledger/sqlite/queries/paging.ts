// Pages by key: one row more than asked for tells whether there are more.
import type { Page, PageRequest } from '../../port.ts';

/** The most rows of a page; who asks for more gets this many and `hasMore`. */
const LARGEST_PAGE = 1_000;

const sizeOf = (page: PageRequest): number => Math.max(0, Math.min(page.limit, LARGEST_PAGE));

export function rowLimit(page: PageRequest): number {
  return sizeOf(page) + 1;
}

/** Rows in the order that they were read; a page read backwards is turned round, so that pages are always newest first. */
export function pageOf<Row>(rows: readonly Row[], page: PageRequest): Page<Row> {
  const size = sizeOf(page);
  const kept = rows.slice(0, size);
  return { rows: page.backwards === true ? kept.reverse() : kept, hasMore: rows.length > size };
}
