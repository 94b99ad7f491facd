// Reads the order of folders and the doors of rooms out of ARCHITECTURE.md, and finds the imports of src/ that go against them.
import { posix } from 'node:path';

/** A source file: its path relative to the repository (`src/language/plan/types.ts`) and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** The structure that ARCHITECTURE.md states. */
export interface Structure {
  /** The folders, each may import from those before it: `common`, …, `language/document`, …, `app.ts`, `cli`, `index.ts`. */
  readonly order: readonly string[];
  /** By room, the files that other rooms may import, relative to the room: `language` → `plan/types.ts`, …. */
  readonly doors: ReadonlyMap<string, readonly string[]>;
}

/** The table of folders and, behind it, the table of doors: each begins where its header says so. */
export function readStructure(architecture: string): Structure {
  const order: string[] = [];
  const doors = new Map<string, string[]>();
  let table = '';
  for (const line of architecture.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 3) table = '';
    else if (table === '') table = cells[1] ?? '';
    else {
      const name = /^`([\w./-]+?)\/?`$/.exec(cells[1] ?? '')?.[1];
      if (name === undefined) continue;
      if (table === 'folder') order.push(name);
      if (table === 'room')
        doors.set(
          name,
          [...(cells[2] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
        );
    }
  }
  return { order, doors };
}

/** The folder of the table that a file of src/ belongs to; undefined where the table has none. */
function partOf(order: readonly string[], path: string): string | undefined {
  const inside = path.slice('src/'.length);
  return order.find((name) => inside === name || inside.startsWith(`${name}/`));
}

/** The room of a file of src/: its first folder; the file itself where it lies directly in src/. */
function roomOf(path: string): string {
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

/** One line for each import that goes against the order or past a door, each with the file, the import and the rule. */
export function findViolations(structure: Structure, files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const part = partOf(structure.order, file.path);
    if (part === undefined)
      return [`${file.path}: \`${folderOf(file.path)}\` is not in ARCHITECTURE.md's table of folders`];
    return importsOf(file.text).flatMap((target) => {
      const problem = target.startsWith('.')
        ? checkInternal(structure, part, file.path, posix.join(posix.dirname(file.path), target))
        : checkPackage(part, target);
      return problem === undefined ? [] : [`${file.path}: imports ${target}, but ${problem}`];
    });
  });
}

/** One line for each door that no other room goes through: it is no door. */
export function unusedDoors(structure: Structure, files: readonly SourceFile[]): string[] {
  const used = new Set(
    files.flatMap((file) =>
      importsOf(file.text)
        .map((target) => posix.join(posix.dirname(file.path), target))
        .filter((target) => roomOf(target) !== roomOf(file.path) && !isRoot(file.path)),
    ),
  );
  return [...structure.doors].flatMap(([room, doors]) =>
    doors.map((door) => `src/${room}/${door}`).filter((door) => !used.has(door)),
  );
}

/** The composition root wires the rooms, so that it alone may open whatever it wires. */
function isRoot(path: string): boolean {
  return ['app.ts', 'serve.ts'].includes(roomOf(path));
}

function folderOf(path: string): string {
  return posix.dirname(path).slice('src/'.length);
}

function checkInternal(
  { order, doors }: Structure,
  part: string,
  from: string,
  target: string,
): string | undefined {
  if (!target.startsWith('src/')) {
    // The version is read from package.json, and the migrations lie beside src/.
    return target === 'package.json' ? undefined : 'it lies outside src/';
  }
  const other = partOf(order, target);
  if (other === part) return undefined;
  if (other === undefined) return `\`${folderOf(target)}\` is not in ARCHITECTURE.md's table of folders`;
  if (part === 'page') return '`page` imports nothing of the engine';
  if (other === 'page') return 'nothing imports `page`';
  if (order.indexOf(other) > order.indexOf(part)) return `\`${other}\` stands below \`${part}\``;
  const room = roomOf(target);
  const listed = doors.get(room);
  if (room === roomOf(from) || isRoot(from) || listed === undefined) return undefined;
  const door = target.slice(`src/${room}/`.length);
  return listed.includes(door) ? undefined : `\`${door}\` is no door of \`${room}\``;
}

function checkPackage(part: string, target: string): string | undefined {
  if (target === 'yaml' && part !== 'language/document')
    return 'only `language/document` imports the YAML library';
  return undefined;
}
