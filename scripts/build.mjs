// `npm run build`, and what `npm pack` runs first: compiles src/ to dist/, because Node strips no types under node_modules, and builds the page.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './lib/command.mjs';
import { buildPage } from './lib/page.mjs';

const node = await prepare('full');
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
const compiler = ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'];
// The compiler's words go to stderr: what `npm pack` prints to stdout is the name of the tarball.
const { status } = spawnSync(node, compiler, { cwd: root, stdio: ['ignore', 2, 2] });
if (status === 0) renameWorkerAddresses(dist);
process.exitCode = status === 0 && buildPage(root, node) ? 0 : 1;

/** The compiler renames `./x.ts` to `./x.js` in imports alone; `new URL('./x.ts', import.meta.url)` is left to us. */
function renameWorkerAddresses(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = join(folder, name);
    const before = readFileSync(file, 'utf8');
    const after = before.replace(/(new URL\(\s*(['"])\.{1,2}\/[^'"]+)\.ts\2/g, '$1.js$2');
    if (after !== before) writeFileSync(file, after);
  }
}
