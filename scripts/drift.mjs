// `node scripts/drift.mjs`: fails when a generated file in the repository is not what its source generates today.
//
// It runs each generator in place, compares, and puts everything back as it was.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { prepare, root } from './lib/command.mjs';
import { isMain } from './lib/is-main.mjs';

const generators = [
  {
    script: 'scripts/codegen.mjs',
    args: [],
    folders: ['schema', 'test/generated', 'src/cli/generated', 'src/page/generated'],
    remedy: 'npm run codegen',
  },
  {
    script: 'node_modules/drizzle-kit/bin.cjs',
    args: ['generate'],
    folders: ['migrations'],
    remedy: 'npm run db:generate',
  },
];

/** The files under `folders`, by their path relative to the checkout. */
function snapshot(folders) {
  const files = new Map();
  for (const folder of folders) {
    const names = readdirSync(join(root, folder), { recursive: true });
    for (const name of names) {
      const path = join(folder, String(name));
      if (statSync(join(root, path)).isFile()) files.set(path, readFileSync(join(root, path)));
    }
  }
  return files;
}

/** The paths that differ between two snapshots, each with what happened to it. */
export function difference(before, after) {
  const changed = [];
  for (const [path, bytes] of after) {
    const old = before.get(path);
    if (old === undefined) changed.push(`${path} is missing`);
    else if (!old.equals(bytes)) changed.push(`${path} is out of date`);
  }
  for (const path of before.keys()) if (!after.has(path)) changed.push(`${path} is no longer generated`);
  return changed;
}

function restore(before, after) {
  for (const path of after.keys()) if (!before.has(path)) removeWithEmptyFolders(path);
  for (const [path, bytes] of before) {
    if (after.get(path)?.equals(bytes)) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
}

/** A new migration is a new folder: without its files it would still look like one. */
function removeWithEmptyFolders(path) {
  rmSync(join(root, path));
  for (let folder = dirname(path); readdirSync(join(root, folder)).length === 0; folder = dirname(folder)) {
    rmdirSync(join(root, folder));
  }
}

/** Of tools: what they make at the root, and put there again. */
const made = new Set(['.git', '.cache', '.headgate', 'coverage', 'dist', 'node_modules']);

/** Names at the root that neither git nor a tool knows: what a run left behind, which an ignore rule would hide. */
export function unknownAtRoot(names, tracked) {
  const known = new Set(tracked.map((path) => path.split('/', 1)[0]));
  return names.filter((name) => !known.has(name) && !made.has(name));
}

async function main() {
  const listed = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  const tracked = listed.stdout.split('\0').filter((path) => path !== '');
  for (const name of unknownAtRoot(readdirSync(root), tracked)) {
    console.log(`Remove ${name} from the root, or commit it: nothing knows it there.`);
    process.exitCode = 1;
  }
  const node = await prepare('full');
  for (const { script, args, folders, remedy } of generators) {
    const before = snapshot(folders);
    const { status, stdout, stderr } = spawnSync(node, [script, ...args], { cwd: root, encoding: 'utf8' });
    const after = snapshot(folders);
    restore(before, after);
    if (status !== 0) {
      console.log(`${script} failed:\n${stdout}${stderr}`);
      process.exitCode = 1;
    }
    const changed = difference(before, after);
    if (changed.length === 0) continue;
    console.log(`Run "${remedy}" and commit what it writes:`);
    for (const line of changed) console.log(`  ${line}`);
    process.exitCode = 1;
  }
}

if (isMain(import.meta.url)) await main();
