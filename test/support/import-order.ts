// Reads the order of folders out of ARCHITECTURE.md, and finds the imports of src/ that go against it.
import { posix } from 'node:path';

/** A source file: its path relative to the repository (`src/plan/types.ts`) and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** The names in the first column of the table of folders, top to bottom: `common`, …, `app.ts`, `cli`, `index.ts`. */
export function readOrder(architecture: string): string[] {
  const order: string[] = [];
  for (const line of architecture.split('\n')) {
    const name = /^\| `([\w.-]+?)\/?` \|/.exec(line)?.[1];
    if (name !== undefined) order.push(name);
    else if (order.length > 0) break;
  }
  return order;
}

/** The folder that a file of src/ belongs to; the file itself where it lies directly in src/. */
function partOf(path: string): string {
  return path.split('/')[1] ?? '';
}

const importForms = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<target>[^'"]+)\1/gm,
  /^\s*import\s*(['"])(?<target>[^'"]+)\1/gm,
  /\bimport\(\s*(['"`])(?<target>[^'"`]+)\1/g,
  /\bnew URL\(\s*(['"`])(?<target>\.{1,2}\/[^'"`]+\.ts)\1/g,
];

/** What a file imports, as it is written there: statically, dynamically, or as the address of a worker. */
export function importsOf(text: string): string[] {
  return importForms.flatMap((form) =>
    [...text.matchAll(form)].map((match) => match.groups?.['target'] ?? ''),
  );
}

/** One line for each import that goes against the order, each with the file, the import and the rule. */
export function findViolations(order: readonly string[], files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const part = partOf(file.path);
    if (!order.includes(part))
      return [`${file.path}: \`${part}\` is not in ARCHITECTURE.md's table of folders`];
    return importsOf(file.text).flatMap((target) => {
      const problem = target.startsWith('.')
        ? checkInternal(order, part, posix.join(posix.dirname(file.path), target))
        : checkPackage(part, target);
      return problem === undefined ? [] : [`${file.path}: imports ${target}, but ${problem}`];
    });
  });
}

function checkInternal(order: readonly string[], part: string, target: string): string | undefined {
  if (!target.startsWith('src/')) {
    // The version is read from package.json, and the migrations lie beside src/.
    return target === 'package.json' ? undefined : 'it lies outside src/';
  }
  const other = partOf(target);
  if (other === part) return undefined;
  if (!order.includes(other)) return `\`${other}\` is not in ARCHITECTURE.md's table of folders`;
  if (part === 'dashboard') return '`dashboard` imports nothing of the engine';
  if (other === 'dashboard') return 'nothing imports `dashboard`';
  return order.indexOf(other) < order.indexOf(part) ? undefined : `\`${other}\` stands below \`${part}\``;
}

function checkPackage(part: string, target: string): string | undefined {
  if (target === 'yaml' && part !== 'document') return 'only `document` imports the YAML library';
  return undefined;
}
