// The SDL in the repository is the one that the shipped workflows give.
import { describe, expect, it } from 'vitest';
import { buildSchema, printSchemaSdl } from '../../../src/server/graphql/schema.ts';
import { compileDirectory } from '../../../src/revisions/compile.ts';
import { readRepositoryFile } from '../../support/repository.ts';

describe('schema/schema.graphql', () => {
  it('is the sorted SDL of the shipped workflows; `npm run codegen` writes it', async () => {
    const { plan } = await compileDirectory('workflows', { env: {} });
    if (plan === null) throw new Error('the shipped workflows do not compile');
    expect(readRepositoryFile('schema/schema.graphql').trimEnd()).toBe(
      printSchemaSdl(buildSchema({ plan })).trimEnd(),
    );
  });
});
