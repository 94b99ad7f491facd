// A document that comes again is executed past yoga: nobody can tell, but by the clock.
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';
import { KnownOperations, plainMediaType } from '../../src/server/known-operations.ts';
import { createComplexityCheck } from '../../src/server/guards/complexity.ts';
import { Operations } from '../../src/server/operations.ts';
import { defaultLimits } from '../../src/server/options.ts';
import { createTestServices } from '../graphql/support/services.ts';
import { parse } from 'graphql';
import { serve } from './support.ts';

const RUN =
  'mutation ($t: String!) { runTask(task: { summarize: { text: $t } }) { __typename ... on Run { status } } }';
const PAGE = 'query ($n: Int!) { runs(first: $n) { edges { node { id } } } }';

interface Exchange {
  readonly status: number;
  readonly headers: object;
  readonly body: string;
}

/** The same request twice: yoga takes the first, and what it has let through is known at the second. */
async function twice(
  url: string,
  body: object,
  asked: Readonly<Record<string, string>>,
): Promise<readonly [Exchange, Exchange]> {
  const send = async (): Promise<Exchange> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...asked },
      body: JSON.stringify(body),
    });
    const { date: _date, 'content-length': _length, ...headers } = Object.fromEntries(response.headers);
    return { status: response.status, headers, body: await response.text() };
  };
  const first = await send();
  return [first, await send()];
}

describe('a document that was answered before', () => {
  it.each([
    ['a run', { query: RUN, variables: { t: 'a text' } }],
    ['a query without variables', { query: '{ __typename }' }],
    ['variables that are null', { query: '{ __typename }', variables: null }],
    ['a variable that does not fit', { query: RUN, variables: { t: 1 } }],
    ['a variable that is missing', { query: RUN, variables: {} }],
    ['more than may be asked for', { query: PAGE, variables: { n: 100_000 } }],
    ['extensions that nobody knows', { query: '{ __typename }', extensions: { client: 'web' } }],
    ['extensions that are a text', { query: '{ __typename }', extensions: 'web' }],
    ['a parameter that there is not', { query: '{ __typename }', more: 1 }],
    ['an operation by its name', { query: 'query One { __typename }', operationName: 'One' }],
    ['an operation by a wrong name', { query: 'query One { __typename }', operationName: 'Two' }],
    ['a document that is none', { query: '{' }],
    ['a batch', [{ query: '{ __typename }' }]],
    ['variables that are a list', { query: '{ __typename }', variables: [] }],
  ])('is answered the same: %s', async (_what, body) => {
    const { url } = await serve({ mode: 'production' });
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*', 'text/html']) {
      const [first, second] = await twice(url, body, { accept });
      expect(second).toEqual(first);
    }
  });

  it.each([
    ['its own', undefined, null, 'same-origin'],
    ['an allowed one', 'https://dash.example.com', 'https://dash.example.com', 'cross-origin'],
  ])('carries the security headers for a page of any origin: %s', async (_what, origin, allowed, policy) => {
    const { url } = await serve({ corsOrigins: ['https://dash.example.com'] });
    const [first, second] = await twice(
      url,
      { query: '{ __typename }' },
      origin === undefined ? {} : { origin },
    );
    expect(second).toEqual(first);
    const headers = new Headers(second.headers as Record<string, string>);
    expect(headers.get('access-control-allow-origin')).toBe(allowed);
    expect(headers.get('cross-origin-resource-policy')).toBe(policy);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('KnownOperations', () => {
  async function setUp() {
    const test = await createTestServices();
    const schemas = [1, 2].map(() => buildSchema({ plan: test.services.revisions.active().plan }));
    let at = 0;
    const current = () => schemas[at] as (typeof schemas)[number];
    const known = new KnownOperations({
      schema: current,
      complexity: createComplexityCheck(defaultLimits.maxComplexity),
      operations: new Operations(defaultLimits),
      maskError: (error) => error as never,
    });
    const learn = (text: string): void => known.learn(current(), text, parse(text));
    return { known, learn, swap: () => void (at = 1), current };
  }

  it('INV-7: knows nothing of a document under another schema than the one that it was validated with', async () => {
    const { known, learn, swap, current } = await setUp();
    const before = current();
    learn('{ __typename }');
    expect(known.find({ query: '{ __typename }' })?.schema).toBe(before);
    swap();
    expect(known.find({ query: '{ __typename }' })).toBeUndefined();
    // A request that began before the swap teaches nothing.
    known.learn(before, '{ __typename }', parse('{ __typename }'));
    expect(known.find({ query: '{ __typename }' })).toBeUndefined();
  });

  it.each([
    ['a subscription', 'subscription { alerts { kind } }'],
    ['a document of several operations', 'query A { __typename } query B { __typename }'],
  ])('leaves to yoga: %s', async (_what, text) => {
    const { known, learn } = await setUp();
    learn(text);
    expect(known.find({ query: text })).toBeUndefined();
  });

  it.each([
    [{ query: '{ __typename }', operationName: 'A' }],
    [{ query: '{ __typename }', operationName: 1 }],
    [{ query: '{ __typename }', extensions: [] }],
    [{ query: '{ __typename }', documentId: 'sha256:1' }],
    [{ query: '{ __typename }', variables: 'none' }],
    [{ query: '{ __typename } ' }],
    ['{ __typename }'],
    [null],
  ])('leaves to yoga what asks for more than a known document and its variables: %j', async (body) => {
    const { known, learn } = await setUp();
    learn('{ __typename }');
    expect(known.find(body)).toBeUndefined();
  });

  it.each([
    [{ query: 'query One { __typename }' }],
    [
      {
        query: 'query One { __typename }',
        operationName: 'One',
        variables: {},
        extensions: { client: 'web' },
      },
    ],
    [{ query: 'query One { __typename }', operationName: null, variables: null, extensions: null }],
  ])('takes what clients send along with a known document: %j', async (body) => {
    const { known, learn } = await setUp();
    learn('query One { __typename }');
    expect(known.find(body)?.document).toBeDefined();
  });

  it('weighs only what is said plainly', () => {
    expect(plainMediaType(undefined)).toBe('application/json');
    expect(plainMediaType('application/json;charset=utf-8')).toBeUndefined();
    expect(plainMediaType('text/event-stream')).toBeUndefined();
  });
});
