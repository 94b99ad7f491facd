// Finds keys that were pasted into a file, wherever they stand, and keeps them out of what is reported (INV-9).
import type { DocumentNode } from '../document/types.ts';
import type { Problem } from '../../errors/problem.ts';
import type { Reader } from './reader.ts';

/** The shapes that vendors give their keys, so that secret scanners find them. */
const KEY_SHAPES: readonly RegExp[] = [
  /\bsk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,}/g,
  /\bhg_[A-Za-z0-9]{20,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{36,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{40,}/g,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/g,
  /\bAIza[0-9A-Za-z_-]{35}/g,
  /\bhf_[A-Za-z0-9]{30,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
  /:\/\/[^/\s:@]+:[^/\s:@]{3,}@/g,
];

/** A line that gives a key a value which is not the name of a secret. */
const KEY_LINE =
  /\b(?:api[-_]?key|authorization|x-api-key|password)["']?\s*:\s*(?!["']?\$\{\{|[{[]|["']?(?:string|integer|number|boolean|date|datetime|any)\b)\S/i;

/** In place of a line that holds a secret. */
export const HIDDEN = '(not shown: it holds a secret)';

export function findSecrets(node: DocumentNode, reader: Reader): void {
  if (node.kind === 'map') for (const { value } of node.entries) findSecrets(value, reader);
  else if (node.kind === 'list') for (const item of node.items) findSecrets(item, reader);
  else if (typeof node.value === 'string') {
    const start = secretIn(node.value);
    if (start === -1) return;
    const remedy =
      'Name it, `${{ secrets.NAME }}`, set the environment variable NAME, and replace the secret: it is in the history of git.';
    reader.report(
      'literal-secret',
      { ...node.locate(start, start + 1), excerpt: HIDDEN, column: 1, endColumn: 2 },
      'A secret is written into the file.',
      remedy,
    );
  }
}

/** Words with dashes between them are a name, such as a task's; no vendor makes keys of them. */
const NAME_OF_WORDS = /^[a-z]+(?:[-_][a-z]+)*$/;

function secretIn(text: string): number {
  for (const shape of KEY_SHAPES)
    for (const found of text.matchAll(shape)) if (!NAME_OF_WORDS.test(found[0])) return found.index;
  return -1;
}

/** Another problem on the same line shows neither the line nor the secret. */
export function withoutSecrets(problem: Problem): Problem {
  const message = KEY_SHAPES.reduce(
    (text, shape) => text.replaceAll(shape, (found) => (NAME_OF_WORDS.test(found) ? found : '(a secret)')),
    problem.message,
  );
  if (secretIn(problem.excerpt) === -1 && !KEY_LINE.test(problem.excerpt))
    return message === problem.message ? problem : { ...problem, message };
  return { ...problem, message, excerpt: HIDDEN, column: 1, endColumn: 2 };
}
