// `node scripts/slim.mjs NODE_MODULES`: takes out of an installed package what a server never reads, for an image. The Dockerfile runs it.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { isMain } from './lib/is-main.mjs';

/** Types, source maps, and texts that are no licence. */
const UNREAD = /\.d\.[cm]?ts$|\.map$|\.flow$|^(?:CHANGELOG|HISTORY|README|CONTRIBUTING)(?:\.\w+)*\.md$/i;
/** Sources that their built form stands beside, and data that only a build of the package reads. */
const UNREAD_FOLDERS = [
  'openai/src',
  '@anthropic-ai/sdk/src',
  'gpt-tokenizer/src',
  'gpt-tokenizer/data',
  '@pothos/core/src',
];
/** Headgate imports; these forms are for `require`, and nothing else here requires these packages. */
const FOR_REQUIRE = [
  { packages: ['openai', '@anthropic-ai/sdk', 'graphql'], form: '.js', beside: '.mjs' },
  { packages: ['drizzle-orm', 'lru-cache'], form: '.cjs', beside: '.js' },
];
const CJS_FOLDERS = ['gpt-tokenizer/cjs', '@graphql-yoga/render-graphiql/cjs'];

if (isMain(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined || !existsSync(folder)) {
    console.error('usage: node scripts/slim.mjs NODE_MODULES');
    process.exitCode = 2;
  } else {
    const files = filesOf(folder);
    const unread = files.filter((file) => isUnread(folder, file));
    for (const file of unread) rmSync(file);
    const left = filesOf(folder).reduce((sum, file) => sum + statSync(file).size, 0);
    console.log(`${unread.length} files are taken out; ${Math.round(left / 1e6)} MB are left`);
  }
}

/** Is it a file that no server reads? `root`: the folder node_modules. */
export function isUnread(root, file) {
  const path = relative(root, file).split(sep).join('/');
  return (
    UNREAD.test(basename(file)) ||
    [...UNREAD_FOLDERS, ...CJS_FOLDERS].some((folder) => path.startsWith(`${folder}/`)) ||
    isForRequire(root, file)
  );
}

function isForRequire(root, file) {
  const path = relative(root, file).split(sep).join('/');
  return FOR_REQUIRE.some(
    ({ packages, form, beside }) =>
      path.endsWith(form) &&
      packages.some((name) => path.startsWith(`${name}/`)) &&
      existsSync(`${file.slice(0, -form.length)}${beside}`),
  );
}

function filesOf(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
