// The JavaScript of the built package: server, commands, library and threads in one bundle, so that a start reads a dozen files and not a thousand.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './lib/command.mjs';

const source = join(root, 'src');
/** Or into another folder, beside which the package's other files lie. */
const dist = process.argv[2] ?? join(root, 'dist');

/** What a process or a thread starts with, as modules of src/: each has the address in dist/ that it would have without a bundle. */
const STARTS = [
  'index',
  'cli/main',
  'ledger/postgres/beat-worker',
  'ledger/sqlite/reader-worker',
  'ledger/sqlite/writer-worker',
  'engine/execution/thread/worker',
];

/**
 * Left as packages: what is required by name when it is first needed, what starts threads of its own (pino), a page of nine megabytes (GraphiQL), and
 * what has to be the same object in the program that Headgate is embedded in.
 */
const PACKAGES = [
  '@anthropic-ai/sdk',
  '@graphql-yoga/render-graphiql',
  '@opentelemetry/api',
  'gpt-tokenizer',
  'openai',
  'pg',
  'pino',
  'undici',
];

/** A module keeps its own address: threads, and files of the package, are found from it. */
const addresses = {
  name: 'addresses',
  transform(code, id) {
    if (!id.startsWith(source) || !code.includes('import.meta.url')) return null;
    const address = relative(source, id).split(sep).join('/').replace(/\.ts$/, '.js');
    return code
      .replaceAll(/(new URL\(\s*(['"])\.{1,2}\/[^'"]+)\.ts\2/g, '$1.js$2')
      .replaceAll('import.meta.url', `new URL('./${address}', import.meta.url).href`);
  },
};

const chunkName = (start) => start.replaceAll('/', '-');
const bundle = await rolldown({
  input: Object.fromEntries(STARTS.map((start) => [chunkName(start), join(source, `${start}.ts`)])),
  platform: 'node',
  external: (id) => PACKAGES.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [addresses],
  logLevel: 'warn',
  tsconfig: false,
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: 'bundle-[name].js',
  chunkFileNames: 'bundle-[name]-[hash].js',
  comments: { legal: false, annotation: false, jsdoc: false },
  // What everything leans on is one file, and not one for each set of commands that need the same of it.
  codeSplitting: {
    groups: [{ name: 'common', test: /[\\/]src[\\/](?:common|errors)[\\/]/ }],
  },
});
await bundle.close();
// V8 keeps a source for as long as it runs, with two bytes a character where one of them is beyond Latin-1: a handful of them would take three megabytes.
for (const { type, fileName, code } of output) {
  const escaped = code?.replaceAll(
    /[^\0-\xff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (type === 'chunk' && escaped !== code) writeFileSync(join(dist, fileName), escaped);
}

for (const start of STARTS) {
  const path = join(dist, `${start}.js`);
  const up = '../'.repeat(start.split('/').length - 1) || './';
  const chunk = `${up}bundle-${chunkName(start)}.js`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, start === 'index' ? `export * from '${chunk}';\n` : `import '${chunk}';\n`);
}
writeFileSync(
  join(dist, 'third-party-licenses.txt'),
  licences(output.flatMap(({ moduleIds = [] }) => moduleIds)),
);

/** Of every package that a module of the bundle is from: its name, version, and licence text. */
function licences(modules) {
  const folders = new Set(
    modules.flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []),
  );
  return [...folders]
    .sort((a, b) => a.localeCompare(b))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text =
        file !== undefined && existsSync(join(folder, file))
          ? readFileSync(join(folder, file), 'utf8').trim()
          : '';
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
