// What every script here does: install what is missing, find Node, run something with it in this process's place.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode, nodeFlags, noNodeMessage, runInPlace } from '../../bin/launch.mjs';
import { ensureInstalled } from './installation.mjs';

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Prepares `need` (`runtime` or `full`) and returns the Node to run with; ends the process with 1 and a line where it cannot. */
export async function prepare(need) {
  try {
    await ensureInstalled(root, need);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  const node = findNode(import.meta.url);
  if (node === undefined) {
    console.error(noNodeMessage());
    process.exit(1);
  }
  return node;
}

/** Prepares, then runs `node args…` in this process's place. */
export async function run(need, args, options = {}) {
  const node = await prepare(need);
  runInPlace(node, args, { cwd: root, ...options });
}

/** For whoever starts programs from their sources: it halves the start, since 0.4 s of stripping types are paid once. */
export const compileCache = {
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node'),
};

/** Runs the CLI from its sources. */
export async function runCli(args, options = {}) {
  const env = { ...process.env, ...compileCache };
  await run('runtime', [...nodeFlags(args), join(root, 'src', 'cli', 'main.ts'), ...args], {
    env,
    ...options,
  });
}
