// parseDocumentOnce: the same file is parsed once, a changed one again.
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/language/document/parse.ts';
import { parseDocumentOnce } from '../../../src/language/document/parse-once.ts';

const file = (path: string, text: string) => ({ path, text });

describe('parseDocumentOnce', () => {
  it('gives the same document for the same file, as parseDocument does', () => {
    const first = parseDocumentOnce(file('workflows/a.yaml', 'task: a\nbad: [\n'));
    expect(parseDocumentOnce(file('workflows/a.yaml', 'task: a\nbad: [\n'))).toBe(first);
    expect(first.problems).toEqual(parseDocument(file('workflows/a.yaml', 'task: a\nbad: [\n')).problems);
  });

  it('parses a file again when its text has changed, and another with the same text under its own path', () => {
    const before = parseDocumentOnce(file('workflows/b.yaml', 'task: b'));
    const after = parseDocumentOnce(file('workflows/b.yaml', 'task: c'));
    expect(after).not.toBe(before);
    expect(parseDocumentOnce(file('workflows/c.yaml', 'task: c')).document?.at.file).toBe('workflows/c.yaml');
  });

  it('INV-14: keeps no more than the files used last', () => {
    const first = parseDocumentOnce(file('many/first.yaml', 'task: a'));
    for (let index = 0; index < 300; index += 1) parseDocumentOnce(file(`many/${index}.yaml`, 'task: a'));
    expect(parseDocumentOnce(file('many/first.yaml', 'task: a'))).not.toBe(first);
    const kept = parseDocumentOnce(file('many/299.yaml', 'task: a'));
    expect(parseDocumentOnce(file('many/299.yaml', 'task: a'))).toBe(kept);
  });
});
