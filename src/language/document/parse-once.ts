// Files that have not changed are parsed once: a reload of a hundred files reads the one that was edited.
import { parseDocument } from './parse.ts';
import type { ParsedDocument, SourceFile } from './types.ts';

/** More files than most projects have; beyond it the one unused for longest is parsed again (INV-14). */
const MAX_FILES = 256;

interface Parsed {
  readonly text: string;
  readonly parsed: ParsedDocument;
}

const byPath = new Map<string, Parsed>();

/** As `parseDocument`. What it gives is shared by all who ask for the same file, and never changed. */
export function parseDocumentOnce(file: SourceFile): ParsedDocument {
  // Its text does not say what is wrong with it.
  if (file.unread !== undefined) return parseDocument(file);
  const known = byPath.get(file.path);
  // Taken out and put back at the end, where the most recently used ones stand.
  byPath.delete(file.path);
  const entry =
    known !== undefined && known.text === file.text
      ? known
      : { text: file.text, parsed: parseDocument(file) };
  byPath.set(file.path, entry);
  if (byPath.size > MAX_FILES) {
    const [oldest] = byPath.keys();
    if (oldest !== undefined) byPath.delete(oldest);
  }
  return entry.parsed;
}
