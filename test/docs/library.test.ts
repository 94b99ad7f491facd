// docs/library.md: its program is type-checked with everything else, and run as the package is built.
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
const program = readRepositoryFile('test/docs/client/library.ts');
// Inside the checkout, so that imports resolve; ignored by git.
const folder = join(repositoryRoot, '.cache', 'library-docs');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the program of docs/library.md is the one that is compiled and run here', () => {
  const shown = fencesOf(readRepositoryFile('docs/library.md')).find(({ language }) => language === 'ts');
  expect(shown?.text).toBe(program.replace("'../../../src/index.ts'", "'headgate'").trimEnd());
});

it('the program of docs/library.md answers', async () => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'program.ts');
  writeFileSync(
    file,
    program
      .replace("'../../../src/index.ts'", JSON.stringify(join(builtFolder(), 'index.js')))
      .replace("'.headgate'", JSON.stringify(join(folder, 'data'))),
  );
  const { stdout } = await run(process.execPath, [file], { cwd: repositoryRoot, env: closedEnvironment() });
  expect(stdout).toMatch(/\n\$0 by builtin\n1 runs today\n$/);
}, 60_000);
