// Node runs the sources as they are: what its own reader of TypeScript cannot strip would end a command that every test passes.
import { stripTypeScriptTypes } from 'node:module';
import { expect, it } from 'vitest';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

it('every source is one that Node runs as it is', () => {
  const refused = repositoryFiles()
    .filter((path) => /^(?:src|scripts|bench)\/.*\.ts$/.test(path))
    .filter((path) => {
      try {
        stripTypeScriptTypes(readRepositoryFile(path));
        return false;
      } catch {
        return true;
      }
    });
  expect(refused).toEqual([]);
});
