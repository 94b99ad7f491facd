// `npm run build`, and what `npm pack` runs first: bundles src/ into dist/, because Node strips no types under node_modules, declares the types beside it, and
// builds the page.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './lib/command.mjs';
import { buildPage } from './lib/page.mjs';

const node = await prepare('full');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const steps = [
  ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'],
  ['scripts/bundle.mjs'],
];
// What the steps say goes to stderr: what `npm pack` prints to stdout is the name of the tarball.
const isBuilt = steps.every(
  (args) => spawnSync(node, args, { cwd: root, stdio: ['ignore', 2, 2] }).status === 0,
);
process.exitCode = isBuilt && buildPage(root, node) ? 0 : 1;
