// `npm run check`: format, lint, types and dead code; all are run, and it fails when one of them does.
import { spawnSync } from 'node:child_process';
import { prepare, root } from './lib/command.mjs';

const node = await prepare('full');
const tools = [
  ['node_modules/oxfmt/bin/oxfmt', '--check'],
  ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  ['node_modules/typescript/bin/tsc', '--noEmit'],
  ['node_modules/typescript/bin/tsc', '--noEmit', '--project', 'src/page'],
  ['node_modules/knip/bin/knip.js', '--no-progress'],
];
const failed = tools.filter((args) => spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status !== 0);
process.exitCode = failed.length === 0 ? 0 : 1;
