// What the check of generated files finds: what is out of date, and what a run left at the root.
import { expect, test } from 'vitest';
import { difference, unknownAtRoot } from '../../scripts/drift.mjs';

test('a file at the root that neither git nor a tool knows is named, also where an ignore rule would hide it', () => {
  const tracked = ['README.md', 'src/app.ts'];
  const names = ['.git', 'README.md', 'isolate-0x1-v8.log', 'node_modules', 'notes.txt', 'src'];
  expect(unknownAtRoot(names, tracked)).toEqual(['isolate-0x1-v8.log', 'notes.txt']);
});

test('a generated file that is missing, out of date or no longer generated is named', () => {
  const files = (of: { readonly [path: string]: string }): Map<string, Buffer> =>
    new Map(Object.entries(of).map(([path, text]) => [path, Buffer.from(text)]));
  expect(difference(files({ a: '1', b: '1', c: '1' }), files({ a: '1', b: '2', d: '1' }))).toEqual([
    'b is out of date',
    'd is missing',
    'c is no longer generated',
  ]);
});
