// Hostile and mistaken requests: refused before they cost anything, with what is wrong and what to do.
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { createParse } from '../../src/server/guards/document.ts';
import { defaultLimits } from '../../src/server/options.ts';
import { serveReal as serve, codeOf, post, type Answer } from './real.ts';

const repeat = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');
const nest = (levels: number): string =>
  `{ runs { edges { node ${'{ parent '.repeat(levels)} { id } ${'}'.repeat(levels)} } } }`;

/** Fragments that double at each level: 2^n fields of a few lines. */
const doubling = (levels: number): string =>
  `{ viewer { ...f0 } } ${repeat(levels, (n) => `fragment f${n} on Caller { ...f${n + 1} ...f${n + 1} }`)} fragment f${levels} on Caller { name team }`;

const HOSTILE: readonly (readonly [what: string, query: string, code: string])[] = [
  ['too deep', nest(20), 'DOCUMENT_TOO_LARGE'],
  ['too many aliases', `{ ${repeat(100, (n) => `a${n}: viewer { name }`)} }`, 'DOCUMENT_TOO_LARGE'],
  ['too many fields', `{ ${repeat(1100, () => 'viewer { name }')} }`, 'DOCUMENT_TOO_LARGE'],
  ['too many tokens', `{ ${'viewer '.repeat(5000)} }`, 'DOCUMENT_TOO_LARGE'],
  ['too many directives', `{ viewer { name ${'@include(if: true) '.repeat(60)} } }`, 'DOCUMENT_TOO_LARGE'],
  ['fragments that double', doubling(20), 'DOCUMENT_TOO_LARGE'],
  [
    'fragments that are compared with each other',
    `{ ${repeat(300, (n) => `...f${n}`)} } ${repeat(300, (n) => `fragment f${n} on Query { viewer { name } }`)}`,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'a circle of fragments',
    '{ viewer { ...a } } fragment a on Caller { ...b } fragment b on Caller { ...a }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a fragment in itself',
    '{ viewer { ...a } } fragment a on Caller { name ...a }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'pages of pages',
    '{ a: runs(first: 200) { edges { node { attempts { decision { candidates { model skipped { code detail retryAfterMs } } } } steps { key } } } } }',
    'OPERATION_TOO_COMPLEX',
  ],
  [
    'introspection in circles',
    '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
];

describe('hostile documents', () => {
  it.each(HOSTILE)('are refused: %s', async (_what, query, code) => {
    const { url, reads } = await serve({ mode: 'development' });
    const answer = await post(url, { query });
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
    expect(reads).toEqual([]);
  });

  it('cost less to refuse than their reading: 2^20 fields are counted without being walked', () => {
    const parse = createParse(defaultLimits);
    const before = process.cpuUsage();
    for (let index = 0; index < 100; index += 1) expect(() => parse(doubling(20))).toThrow('fields');
    const { user } = process.cpuUsage(before);
    expect(user / 100).toBeLessThan(50_000);
  });

  it('depend on page sizes in variables too', async () => {
    const { url } = await serve();
    const query =
      'query ($n: Int) { runs(first: $n) { edges { node { attempts { decision { candidates { model score expectedCost chosen skipped { code detail } } } } } } } }';
    expect((await post(url, { query, variables: { n: 5 } })).status).toBe(200);
    const answer = await post(url, { query, variables: { n: 200 } });
    expect(codeOf(answer)).toBe('OPERATION_TOO_COMPLEX');
    expect((await post(url, { query, variables: { n: 5 } })).status).toBe(200);
  });

  it('do not include what a person would ask for', async () => {
    const { url } = await serve();
    const query = `{ runs(first: 50) { edges { node {
      id status cost saved latencyMs startedAt task { name } caller { name } tags { key value } error { code message }
      attempts { id model status cost latencyMs provider { name } decision { rule pick candidates { model score expectedCost chosen skipped { code detail } } } }
    } } pageInfo { hasNextPage endCursor } } }`;
    const answer = await post(url, { query });
    expect(answer.errors).toEqual([]);
  });
});

describe('introspection', () => {
  it('is open in development and closed in production, unless asked for', async () => {
    const ask = async (options: Parameters<typeof serve>[0]): Promise<Answer> =>
      post((await serve(options)).url, { query: '{ __schema { queryType { name } } }' });
    expect((await ask({ mode: 'development' })).status).toBe(200);
    expect((await ask({ mode: 'production' })).status).toBe(400);
    expect((await ask({ mode: 'production', introspection: true })).status).toBe(200);
    expect((await ask({ mode: 'development', introspection: false })).status).toBe(400);
  });
});

describe('bodies', () => {
  it.each([
    ['not JSON', '{"query": ', 'BAD_REQUEST'],
    ['empty', '', 'BAD_REQUEST'],
    ['a text', '"hello"', 'BAD_REQUEST'],
    ['null', 'null', 'BAD_REQUEST'],
    ['without a query', '{}', 'BAD_REQUEST'],
    ['with an unknown parameter', '{"query":"{ viewer { name } }","foo":1}', 'BAD_REQUEST'],
    ['with a syntax error', '{"query":"{ viewer { name }"}', 'GRAPHQL_PARSE_FAILED'],
    ['with an unknown field', '{"query":"{ nothing }"}', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'with an unknown operation',
      '{"query":"query A { viewer { name } }","operationName":"B"}',
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['a batch', '[{"query":"{ viewer { name } }"},{"query":"{ viewer { name } }"}]', 'BAD_REQUEST'],
  ])('that are %s get 400 and a code', async (_what, body, code) => {
    const { url } = await serve();
    const answer = await post(url, body);
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
  });

  it('that come packed get 415, and are told to come plain', async () => {
    const { url } = await serve();
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"query":"{ viewer { name } }"}'),
    });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNSUPPORTED_ENCODING' } }] });
  });

  it('take an e-mail of 2 MB', async () => {
    const { url, app } = await serve();
    const raw = 'x'.repeat(2_000_000);
    const answer = await post(url, {
      query:
        'mutation ($raw: String!) { runTask(task: { emailParse: { raw: $raw } }) { __typename ... on Run { id } ... on Refusal { message } } }',
      variables: { raw },
    });
    expect(answer.data.runTask).toEqual({ __typename: 'Run', id: expect.any(String) as string });
    // Who reads does not wait for a disk that is slow.
    await expect
      .poll(async () => (await app.ledger.run(answer.data.runTask.id))?.input)
      .toHaveProperty('raw.length', 2_000_000);
  });

  it('of 10 MB are refused by their length, and when they do not say it, once they are beyond the limit', async () => {
    const { url } = await serve();
    const body = JSON.stringify({ query: '{ viewer { name } }', variables: { x: 'x'.repeat(10_000_000) } });
    const declared = await post(url, body);
    expect([declared.status, codeOf(declared)]).toEqual([413, 'BODY_TOO_LARGE']);
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        const piece = new TextEncoder().encode(body);
        for (let at = 0; at < piece.length; at += 1_000_000)
          controller.enqueue(piece.slice(at, at + 1_000_000));
        controller.close();
      },
    });
    // The DOM's types, which fetch has here, do not know of a body that is sent while the answer comes.
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: chunks,
      duplex: 'half',
    };
    const streamed = await fetch(url, init as RequestInit).then(
      (response) => response.status,
      // The server may cut the connection before the client has sent it all.
      () => 413,
    );
    expect(streamed).toBe(413);
    expect((await post(url, { query: '{ viewer { name } }' })).status).toBe(200);
  });

  it('may be batches where the server allows them, up to its bound', async () => {
    const { url } = await serve({ limits: { maxBatch: 2 } });
    const one = '{"query":"{ viewer { name } }"}';
    const two = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `[${one},${one}]`,
    });
    expect(await two.json()).toEqual([
      { data: { viewer: { name: 'local' } } },
      { data: { viewer: { name: 'local' } } },
    ]);
    expect((await post(url, `[${one},${one},${one}]`)).status).toBe(413);
  });
});

describe('methods and media types', () => {
  it.each([
    ['PUT', {}, 405],
    ['DELETE', {}, 405],
    ['GET', { accept: 'application/graphql-response+json' }, 400],
    ['POST', { 'content-type': 'application/xml' }, 415],
  ])('%s %j gets %i', async (method, headers, status) => {
    const { url } = await serve();
    const response = await fetch(url, { method, headers, ...(method === 'GET' ? {} : { body: '<a/>' }) });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get('allow')).toContain('POST');
  });

  it('a mutation over GET is refused', async () => {
    const { url, calls } = await serve();
    const response = await fetch(
      `${url}?query=${encodeURIComponent('mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }')}`,
    );
    expect(response.status).toBe(405);
    expect(calls).toEqual([]);
  });
});

describe('callers', () => {
  it('have a bound on what they have under way, with 429', async () => {
    const { url, calls, answer } = await serve({ limits: { maxOperationsPerCaller: 2 } });
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const RUN = { query: 'mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }' };
    const first = [post(url, RUN), post(url, RUN)];
    await expect.poll(() => calls.length).toBe(2);
    const third = await post(url, RUN);
    expect([third.status, codeOf(third)]).toEqual([429, 'TOO_MANY_OPERATIONS']);
    resolve();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post(url, RUN)).status).toBe(200);
  });

  it('get their place back when an operation fails, whatever way it fails', async () => {
    const { url, app } = await serve({ limits: { maxOperationsPerCaller: 1 } });
    vi.spyOn(app.engine, 'run').mockRejectedValue(new Error('boom'));
    for (const read of ['run', 'runs'] as const)
      vi.spyOn(app.ledger, read).mockRejectedValue(new Error('gone'));
    const fails = [
      'mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }',
      '{ runs { edges { cursor } } }',
      '{ nothing }',
      'query ($id: ID!) { run(id: $id) { id } }',
    ];
    for (const query of fails) expect((await post(url, { query })).errors).toHaveLength(1);
    expect((await post(url, { query: '{ viewer { name } }' })).data).toEqual({ viewer: { name: 'local' } });
  });
});
