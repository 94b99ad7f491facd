// Finds keys that were pasted into a file, wherever they stand; what is found is never shown.
import type { DocumentNode } from '../document/types.ts';
import type { Reader } from './reader.ts';

/** The shapes that vendors give their keys, so that secret scanners find them. */
const KEY_SHAPES: readonly RegExp[] = [
  /\bsk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,}/,
  /\bhg_[A-Za-z0-9]{20,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36,}/,
  /\bgithub_pat_[A-Za-z0-9_]{40,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  /\bAIza[0-9A-Za-z_-]{35}/,
  /\bhf_[A-Za-z0-9]{30,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /:\/\/[^/\s:@]+:[^/\s:@]{3,}@/,
];

export function findSecrets(node: DocumentNode, reader: Reader): void {
  if (node.kind === 'map') for (const { value } of node.entries) findSecrets(value, reader);
  else if (node.kind === 'list') for (const item of node.items) findSecrets(item, reader);
  else if (typeof node.value === 'string' && KEY_SHAPES.some((shape) => shape.test(String(node.value)))) {
    reader.report(
      'literal-secret',
      { ...node.at, excerpt: HIDDEN, column: 1, endColumn: 2 },
      'A secret is written into the file.',
      'Name it, `${{ secrets.NAME }}`, set the environment variable NAME, and replace the secret: it is in the history of git.',
    );
  }
}

/** In place of a line that holds a secret. */
export const HIDDEN = '(not shown: it holds a secret)';
