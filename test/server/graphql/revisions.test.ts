// Pinning a revision over GraphQL: what is asked for, by whom, and what is active then.
import { execute, parse, subscribe } from 'graphql';
import { expect, it } from 'vitest';
import { createContext } from '../../../src/server/graphql/context.ts';
import { buildSchema } from '../../../src/server/graphql/schema.ts';
import { plan } from './support/plan.ts';
import { ADMIN, createTestServices } from './support/services.ts';

it('pins and releases in the name of the caller, and gives the active revision', async () => {
  const test = await createTestServices();
  const run = async (source: string): Promise<unknown> => {
    const contextValue = createContext({ services: test.services, caller: ADMIN });
    const { data, errors } = await execute({
      schema: buildSchema({ plan: plan() }),
      document: parse(source),
      contextValue,
    });
    expect(errors).toBeUndefined();
    return data;
  };
  const { hash } = test.revisions.active().record;
  expect(await run('mutation { activateRevision(hash: "abcd") { hash active pinned } }')).toEqual({
    activateRevision: { hash, active: true, pinned: true },
  });
  expect(await run('mutation { releaseRevision { hash active pinned } }')).toEqual({
    releaseRevision: { hash, active: true, pinned: false },
  });
  expect(test.revisions.asked).toEqual(['activate abcd by root', 'release by root']);
});

it('tells of the active revision, and then of each that is taken or refused', async () => {
  const test = await createTestServices();
  const contextValue = createContext({ services: test.services, caller: ADMIN });
  const document = parse('subscription { revisions { hash active problems { code } } }');
  const events = await subscribe({ schema: buildSchema({ plan: plan() }), document, contextValue });
  if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
  const next = async (): Promise<unknown> =>
    ((await events.next()).value as { data?: unknown } | undefined)?.data;
  const first = test.revisions.active().record.hash;
  expect(await next()).toEqual({ revisions: { hash: first, active: true, problems: [] } });
  const other = plan(undefined, 'other');
  test.revisions.swap(other);
  expect(await next()).toEqual({ revisions: { hash: 'other', active: true, problems: [] } });
  await events.return?.(undefined);
});
