// Ids of nodes, as their resolvers give them.
import { isObjectType } from 'graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { expect, it } from 'vitest';
import { buildSchema } from '../../../src/server/graphql/schema.ts';
import { compileDirectory } from '../../../src/revisions/compile.ts';

it('the ids of nodes are there at once: a promise among its fields would make one of the whole object', async () => {
  const { plan } = await compileDirectory('workflows', { env: {} });
  if (plan === null) throw new Error('the shipped workflows do not compile');
  const schema = buildSchema({ plan });
  const idOf = (typename: string, node: object): unknown => {
    const type = schema.getType(typename);
    if (!isObjectType(type)) throw new Error(`there is no ${typename}`);
    return type.getFields()['id']?.resolve?.(node, {}, {}, {} as GraphQLResolveInfo);
  };
  expect(idOf('Run', { run: { id: 'run_01' } })).toBe('run_01');
  expect(idOf('Provider', { name: 'openai' })).toBe('provider:openai');
  expect(idOf('TaskType', { name: 'summarize' })).toBe('task:summarize');
});
