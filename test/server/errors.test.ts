// Errors that GraphQL itself makes: each has a code and a remedy, over every transport.
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { serveReal as serve, post } from './real.ts';

const RUN = 'mutation ($t: TaskInput!) { runTask(task: $t) { __typename } }';
const COST =
  'mutation ($m: USD) { runTask(task: { summarize: { text: "a" } }, options: { maxCost: $m, dryRun: true }) { __typename } }';
const WRONG: readonly [string, string, object, string][] = [
  ['an input with a wrong field', RUN, { t: { summarize: { tex: 'a' } } }, 'BAD_USER_INPUT'],
  ['a variable that is missing', RUN, {}, 'BAD_USER_INPUT'],
  ['a number that is not exact', COST, { m: 0.1 + 0.2 }, 'BAD_USER_INPUT'],
  ['a field that there is not', '{ nothing }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['what is no document', '{', {}, 'GRAPHQL_PARSE_FAILED'],
];

describe('an error that GraphQL makes', () => {
  it.each(WRONG)('carries a code and a remedy: %s', async (_what, query, variables, code) => {
    const { url } = await serve();
    const overHttp = await post(url, { query, variables });
    expect(overHttp.status).toBe(400);
    expect(overHttp.errors[0]?.extensions).toEqual({ code, remedy: expect.any(String) as string });
    const sockets = createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const first = await sockets
      .iterate({ query, variables: variables as Record<string, unknown> })
      .next()
      .then(
        ({ value }) => value?.errors,
        (errors: unknown) => errors,
      );
    const overSocket = (first as { extensions: object }[]).map(({ extensions }) => extensions);
    expect(overSocket).toEqual(overHttp.errors.map(({ extensions }) => extensions));
    await sockets.dispose();
  });
});

describe('USD as a number', () => {
  it.each([
    [0.1, '0.1', true],
    [3, '3', true],
    [0.000000001, '1e-9', true],
    [0.0000000001, '0.0000000001', false],
    [0.30000000000000004, '0.30000000000000004', false],
    [12345678901.123457, '12345678901.123457', false],
    [-1, '-1', false],
  ])('is taken or refused alike as a variable and in the document: %s', async (number, text, taken) => {
    const { url } = await serve();
    const asVariable = await post(url, { query: COST, variables: { m: number } });
    const inline = await post(url, { query: COST.replace('($m: USD)', '').replace('$m', text) });
    for (const { data, errors } of [asVariable, inline]) {
      if (taken) expect(data).toEqual({ runTask: { __typename: 'DryRun' } });
      else
        expect(errors[0]?.extensions).toEqual({
          code: 'BAD_USER_INPUT',
          remedy: 'Write it as text: "0.05".',
        });
    }
  });
});
