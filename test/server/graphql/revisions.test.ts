// Pinning a revision over GraphQL: what is asked for, by whom, and what is active then.
import { execute, parse, subscribe } from 'graphql';
import { expect, it } from 'vitest';
import { servicesOf } from '../../../src/serve.ts';
import { createContext } from '../../../src/server/graphql/context.ts';
import { buildSchema } from '../../../src/server/graphql/schema.ts';
import { ADMIN, sharedApp, summarizeAs } from '../real.ts';

async function asAdmin(source: string) {
  const { app, files } = await sharedApp();
  const contextValue = createContext({ services: await servicesOf(app), caller: ADMIN });
  const { plan } = app.revisions.active();
  return { app, files, args: { schema: buildSchema({ plan }), document: parse(source), contextValue } };
}

it('pins and releases in the name of the caller, and gives the active revision', async () => {
  const run = async (source: string): Promise<unknown> => {
    const { data, errors } = await execute((await asAdmin(source)).args);
    expect(errors).toBeUndefined();
    return data;
  };
  const { app } = await sharedApp();
  const { hash } = app.revisions.active().record;
  expect(
    await run(`mutation { activateRevision(hash: "${hash.slice(0, 12)}") { hash active pinned } }`),
  ).toEqual({ activateRevision: { hash, active: true, pinned: true } });
  expect(await run('mutation { releaseRevision { hash active pinned } }')).toEqual({
    releaseRevision: { hash, active: true, pinned: false },
  });
  const { rows } = await app.ledger.alerts({ limit: 2 });
  expect(rows.map(({ kind, message }) => [kind, message.includes('root')])).toEqual([
    ['revision_released', true],
    ['revision_pinned', true],
  ]);
});

it('tells of the active revision, and then of each that is taken or refused', async () => {
  const { app, files, args } = await asAdmin('subscription { revisions { hash active problems { code } } }');
  const events = await subscribe(args);
  if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
  const next = async (): Promise<unknown> =>
    ((await events.next()).value as { data?: unknown } | undefined)?.data;
  const first = app.revisions.active().record.hash;
  expect(await next()).toEqual({ revisions: { hash: first, active: true, problems: [] } });
  files.set('condense.yaml', summarizeAs('condense'));
  await app.revisions.reload();
  const second = app.revisions.active().record.hash;
  expect(second).not.toBe(first);
  expect(await next()).toEqual({ revisions: { hash: second, active: true, problems: [] } });
  files.set('condense.yaml', summarizeAs('condense').replace('maxOutputTokens', 'maxOutputToken'));
  await app.revisions.reload();
  expect(await next()).toMatchObject({
    revisions: { active: false, problems: [{ code: 'unknown-key' }] },
  });
  await events.return?.(undefined);
});
