// A document that comes again is executed past yoga: nobody can tell, but by the clock.
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/server/graphql/schema.ts';
import { KnownOperations, plainMediaType } from '../../src/server/known-operations.ts';
import { createComplexityCheck } from '../../src/server/guards/complexity.ts';
import { Operations } from '../../src/server/operations.ts';
import { defaultLimits } from '../../src/server/options.ts';
import { plan } from './graphql/plan.ts';
import { parse } from 'graphql';
import { Subscriptions } from '../../src/server/subscriptions/subscriptions.ts';
import { metric, serveReal as serve } from './real.ts';

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

describe('a subscription that was taken before', () => {
  const STREAM =
    'subscription ($t: String!) { streamTask(task: { summarize: { text: $t } }) { __typename ... on RunText { delta } ... on RunFinished { result { __typename } } } }';
  const DRY =
    'subscription { streamTask(task: { summarize: { text: "a" } }, options: { dryRun: true }) { __typename } }';
  const STATS = 'subscription ($ms: Int!) { costStats(everyMs: $ms) { at } }';

  /** What differs from run to run is its id. */
  const plain = ({ body, ...rest }: Exchange): Exchange => ({
    ...rest,
    body: body.replaceAll(/run_\w+/g, 'run_1'),
  });

  it.each([
    ['a run', { query: STREAM, variables: { t: 'a text' } }],
    ['a run that cannot be streamed', { query: DRY }],
    ['a variable that does not fit', { query: STREAM, variables: { t: 1 } }],
    ['an argument that does not fit', { query: STATS, variables: { ms: 1 } }],
    ['extensions that nobody knows', { query: DRY, extensions: { client: 'web' } }],
    ['a query', { query: '{ __typename }' }],
  ])('is answered the same: %s', async (_what, body) => {
    const { url, answer } = await serve({ mode: 'production' });
    answer(() => ({ deltas: ['one ', 'two '] }));
    for (const accept of ['text/event-stream', 'application/json, text/event-stream', '*/*']) {
      const [first, second] = await twice(url, body, { accept });
      expect(plain(second)).toEqual(plain(first));
    }
  });

  it('is held to the limit of its caller, and gives its place back when it ends', async () => {
    const { url, base } = await serve({ limits: { maxSubscriptionsPerCaller: 1 } });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const body = JSON.stringify({ query: STATS, variables: { ms: 50 } });
    const ask = (signal?: AbortSignal): Promise<Response> =>
      fetch(url, { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) });
    for (let round = 0; round < 3; round += 1) {
      const gone = new AbortController();
      const watched = (await ask(gone.signal)).body?.getReader();
      await watched?.read();
      const refused = await ask();
      expect(refused.status).toBe(429);
      expect(await refused.text()).toContain('TOO_MANY_OPERATIONS');
      gone.abort();
      await expect
        .poll(async () => {
          const next = new AbortController();
          const { status } = await ask(next.signal);
          next.abort();
          return status;
        })
        .toBe(200);
      await expect.poll(() => metric(base, 'headgate_subscriptions')).toBe(0);
    }
  });

  it('ends the run when its reader goes away', async () => {
    const { url, calls, answer } = await serve();
    answer(() => ({ silent: true }));
    const body = JSON.stringify({ query: STREAM, variables: { t: 'a text' } });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    for (let round = 1; round <= 2; round += 1) {
      const gone = new AbortController();
      const response = await fetch(url, { method: 'POST', headers, body, signal: gone.signal });
      await response.body?.getReader().read();
      await expect.poll(() => calls.length).toBe(round);
      expect(calls.at(-1)?.signal.aborted).toBe(false);
      gone.abort();
      await expect.poll(() => calls.at(-1)?.signal.aborted).toBe(true);
    }
  });
});

describe('KnownOperations', () => {
  function setUp() {
    const schemas = [1, 2].map(() => buildSchema({ plan: plan() }));
    let at = 0;
    const current = () => schemas[at] as (typeof schemas)[number];
    const complexity = createComplexityCheck(defaultLimits.maxComplexity);
    const operations = new Operations(defaultLimits);
    const known = new KnownOperations({
      schema: current,
      complexity,
      operations,
      subscriptions: new Subscriptions(complexity, operations),
      maskError: (error) => error as never,
    });
    const learn = (text: string): void => known.learn(current(), text, parse(text));
    return { known, learn, swap: () => void (at = 1), current };
  }

  it('INV-7: knows nothing of a document under another schema than the one that it was validated with', async () => {
    const { known, learn, swap, current } = setUp();
    const before = current();
    learn('{ __typename }');
    expect(known.find({ query: '{ __typename }' }, false)?.schema).toBe(before);
    swap();
    expect(known.find({ query: '{ __typename }' }, false)).toBeUndefined();
    // A request that began before the swap teaches nothing.
    known.learn(before, '{ __typename }', parse('{ __typename }'));
    expect(known.find({ query: '{ __typename }' }, false)).toBeUndefined();
  });

  it.each([
    ['a subscription whose results are not asked for as a stream', 'subscription { alerts { kind } }'],
    ['a document of several operations', 'query A { __typename } query B { __typename }'],
  ])('leaves to yoga: %s', async (_what, text) => {
    const { known, learn } = setUp();
    learn(text);
    expect(known.find({ query: text }, false)).toBeUndefined();
  });

  it('knows a subscription where its results are asked for as a stream, and nothing else there', async () => {
    const { known, learn } = setUp();
    const [watch, query] = ['subscription { alerts { kind } }', '{ __typename }'];
    for (const text of [watch, query]) learn(text);
    expect(known.find({ query: watch }, true)?.document).toBeDefined();
    expect(known.find({ query }, true)).toBeUndefined();
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
    const { known, learn } = setUp();
    learn('{ __typename }');
    expect(known.find(body, false)).toBeUndefined();
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
    const { known, learn } = setUp();
    learn('query One { __typename }');
    expect(known.find(body, false)?.document).toBeDefined();
  });

  it('weighs only what is said plainly', () => {
    expect(plainMediaType(undefined)).toBe('application/json');
    expect(plainMediaType('application/json;charset=utf-8')).toBeUndefined();
    expect(plainMediaType('text/event-stream')).toBeUndefined();
  });
});
