// `npm run check`: format, lint and types; all three are run, and it fails when one of them does.
import { spawnSync } from 'node:child_process';
import { prepare, root } from './lib/command.mjs';

const node = await prepare('full');
const tools = [
  ['node_modules/oxfmt/bin/oxfmt', '--check'],
  ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  ['node_modules/typescript/bin/tsc', '--noEmit'],
  ['node_modules/typescript/bin/tsc', '--noEmit', '--project', 'src/page'],
];
const failed = tools.filter((args) => spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status !== 0);
process.exitCode = failed.length === 0 ? 0 : 1;
