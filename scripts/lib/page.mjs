// The page: built from src/page into dist/page, where the server finds it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root as checkout, runCli } from './command.mjs';

const built = (root) => join(root, 'dist', 'page', 'index.html');

/** Is there a built page that is newer than everything it is made of? */
function isPageBuilt(root) {
  if (!existsSync(built(root))) return false;
  const builtMs = statSync(built(root)).mtimeMs;
  const sources = join(root, 'src', 'page');
  return [
    join(root, 'package-lock.json'),
    ...readdirSync(sources, { recursive: true }).map((name) => join(sources, name)),
  ].every((path) => statSync(path).mtimeMs <= builtMs);
}

/** Builds it with the Node at `node`, into `folder` where it is not for the checkout; false where that failed, what vite says is on stderr. */
export function buildPage(root, node, folder = join(root, 'dist', 'page')) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const config = join('src', 'page', 'vite.config.ts');
  const { status } = spawnSync(
    node,
    [vite, 'build', '--config', config, '--logLevel', 'warn', '--outDir', folder, '--emptyOutDir'],
    // Tests run it too, and what NODE_ENV they have would make another page.
    { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NODE_ENV: 'production' } },
  );
  return status === 0;
}

/** Runs a command of the CLI that serves the page, and builds that first where it is missing or old. */
export async function runWithPage(args) {
  if (!isPageBuilt(checkout)) {
    const node = await prepare('full');
    console.error('headgate: building the page, once (some ten seconds) …');
    if (!buildPage(checkout, node))
      console.error(
        'headgate: the page could not be built; the API is served without it. See "npm run page".',
      );
  }
  await runCli(args);
}
