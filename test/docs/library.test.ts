// docs/library.md: its program is type-checked like any other, and run.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { builtFolder } from '../support/built.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { closedEnvironment } from '../support/served.ts';

const run = promisify(execFile);
// Inside the checkout, so that imports resolve; ignored by git.
const folder = join(repositoryRoot, '.cache', 'library-docs');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the program of docs/library.md compiles and answers', async () => {
  const program = fencesOf(readRepositoryFile('docs/library.md')).find(({ language }) => language === 'ts');
  const importing = (index: string): string =>
    (program?.text ?? '')
      .replace("from 'headgate'", `from ${JSON.stringify(index)}`)
      .replace("'.headgate'", JSON.stringify(join(folder, 'data')));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'program.ts'), importing('../../src/index.ts'));
  const config = { extends: '../../tsconfig.json', include: ['program.ts'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await run(process.execPath, [
    join(repositoryRoot, 'node_modules/typescript/bin/tsc'),
    '--noEmit',
    '-p',
    folder,
  ]);
  const file = join(folder, 'built.ts');
  writeFileSync(file, importing(join(builtFolder(), 'index.js')));
  const { stdout } = await run(process.execPath, [file], { cwd: repositoryRoot, env: closedEnvironment() });
  expect(stdout).toMatch(/\n\$0 by builtin\n1 runs today\n$/);
}, 60_000);
