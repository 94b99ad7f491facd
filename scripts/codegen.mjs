// `npm run codegen`: writes what is generated from the sources: the SDL of the shipped workflows, the JSON Schemas that editors
// use for workflow files, the one of traffic files, and the types of the GraphQL documents in this repository.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './lib/command.mjs';

// Each file is what the command line prints. The SDL is first: codegen.ts reads the file, because importing the schema there
// would load a second graphql.
const printed = [
  { file: 'schema.graphql', args: ['schema', '--workflows', 'workflows'] },
  { file: 'project.json', args: ['schema', '--json', 'project'] },
  { file: 'task.json', args: ['schema', '--json', 'task'] },
  { file: 'traffic.json', args: ['schema', '--json', 'traffic'] },
];

const node = await prepare('full');
const folder = join(root, 'schema');
mkdirSync(folder, { recursive: true });
for (const { file, args } of printed) {
  const text = run([join('src', 'cli', 'main.ts'), ...args]);
  writeFileSync(join(folder, file), `${text.trimEnd()}\n`);
}
run(['node_modules/@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.ts', '--silent']);

/** What `node args…` prints; ends this process as that one ended where it failed. */
function run(args) {
  // Keys in the caller's environment must not change what is generated.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.endsWith('_API_KEY')));
  const { status, stdout } = spawnSync(node, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  });
  if (status !== 0) {
    process.stderr.write(stdout);
    process.exit(status ?? 1);
  }
  return stdout;
}
