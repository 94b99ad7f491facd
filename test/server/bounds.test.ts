// What one caller may have of the server: bytes, depth, values, pings; and how it is told, also when it does not read to the end.
import { connect } from 'node:net';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BytesInFlight } from '../../src/server/guards/bytes-in-flight.ts';
import { HARMLESS } from '../../src/server/guards/get.ts';
import { passedJsonLimit } from '../../src/server/guards/json-size.ts';
import { defaultLimits } from '../../src/server/options.ts';
import { serveReal as serve, codeOf, post } from './real.ts';

const RUN = 'mutation ($raw: String!) { runTask(task: { emailParse: { raw: $raw } }) { __typename } }';
const JSON_RUN =
  'mutation ($input: JSON!) { runTaskJson(name: "email-parse", input: $input) { __typename } }';

describe('the JSON of a body', () => {
  it('INV-14: is refused beyond its depth and its values before it is parsed, and a long text is not', async () => {
    const { url, calls } = await serve();
    const wide = Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`k${index}`, 0]));
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    for (const [input, limit] of [
      [JSON.stringify(wide), 'maxJsonValues'],
      [deep, 'maxJsonDepth'],
    ] as const) {
      const answer = await post(url, `{"query":${JSON.stringify(JSON_RUN)},"variables":{"input":${input}}}`);
      expect([answer.status, codeOf(answer), answer.errors[0]?.extensions?.['limit']]).toEqual([
        413,
        'BODY_TOO_LARGE',
        limit,
      ]);
    }
    expect(calls).toHaveLength(0);
    expect((await post(url, { query: RUN, variables: { raw: '[{"\\'.repeat(100_000) } })).status).toBe(200);
    expect((await post(url, { query: RUN, variables: { raw: '[{,'.repeat(1_200_000) } })).status).toBe(200);
  });

  it('INV-13: with a number that a double would change is refused, in the variables and in the document, and runs nothing', async () => {
    const { url, app, calls } = await serve();
    const literal = (value: string): string =>
      `mutation { runTaskJson(name: "email-parse", input: { id: ${value} }) { __typename } }`;
    for (const body of [
      `{"query":${JSON.stringify(JSON_RUN)},"variables":{"input":{"raw":"a","id":12345678901234567890}}}`,
      { query: literal('12345678901234567890') },
      { query: literal('1e400') },
    ]) {
      const answer = await post(url, body);
      expect([answer.status, codeOf(answer)]).toEqual([400, 'BAD_USER_INPUT']);
      expect(answer.errors[0]?.message).toMatch(
        /line 1, column \d+: the number 1\S+ cannot be kept exactly/i,
      );
    }
    expect(calls).toHaveLength(0);
    const kept = {
      query: JSON_RUN,
      variables: { input: { raw: '12345678901234567890', id: 9007199254740991 } },
    };
    expect((await post(url, kept)).status).toBe(200);
    const { rows } = await app.ledger.runs({}, { limit: 1 });
    expect(rows).toMatchObject([{ input: kept.variables.input }]);
  });

  it('is counted as it is: as deep, and no text in it for more', () => {
    const depthOf = (one: unknown): number =>
      typeof one === 'object' && one !== null ? 1 + Math.max(0, ...Object.values(one).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const depth = depthOf(value);
        const text = Buffer.from(JSON.stringify(value));
        const within = { maxJsonDepth: depth, maxJsonValues: text.length };
        expect(passedJsonLimit(text, within)).toBeUndefined();
        if (depth > 0)
          expect(passedJsonLimit(text, { ...within, maxJsonDepth: depth - 1 })).toBe('maxJsonDepth');
      }),
    );
  });
});

describe('bytes in flight', () => {
  it('INV-14: a caller that fills its share is told 429 until an answer has been sent', async () => {
    const { url, calls, answer } = await serve({ limits: { maxBytesInFlightPerCaller: 10_000 } });
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const first = post(url, { query: RUN, variables: { raw: 'x'.repeat(8_000) } });
    await expect.poll(() => calls.length).toBe(1);
    const second = await post(url, { query: RUN, variables: { raw: 'x'.repeat(8_000) } });
    expect([second.status, codeOf(second), second.headers.get('retry-after')]).toEqual([
      429,
      'TOO_MANY_BYTES',
      '1',
    ]);
    resolve();
    expect((await first).status).toBe(200);
    await expect
      .poll(async () => (await post(url, { query: RUN, variables: { raw: 'x'.repeat(8_000) } })).status)
      .toBe(200);
  });

  it('INV-14: all callers together have one bound, and one who holds nothing is forgotten', () => {
    const bytes = new BytesInFlight({ maxBytesInFlight: 150, maxBytesInFlightPerCaller: 100 });
    const ana = bytes.hold('ana');
    const bob = bytes.hold('bob');
    expect([ana.grow(100), ana.grow(1), bob.grow(51), bob.grow(50)]).toEqual([
      undefined,
      'maxBytesInFlightPerCaller',
      'maxBytesInFlight',
      undefined,
    ]);
    ana.release();
    ana.release();
    expect([bytes.total(), bytes.hold('bob').grow(51), bytes.hold('cy').grow(100)]).toEqual([
      50,
      'maxBytesInFlightPerCaller',
      undefined,
    ]);
  });
});

describe('a body that is too large', () => {
  it('gets its 413 whole, each time, though it is still being sent', async () => {
    const { url } = await serve({ limits: { maxBodyBytes: 100_000 } });
    for (let round = 0; round < 10; round += 1) {
      const answer = await post(url, { query: RUN, variables: { raw: 'x'.repeat(6_000_000) } });
      expect([answer.status, codeOf(answer)]).toEqual([413, 'BODY_TOO_LARGE']);
    }
    // In pieces, without a length.
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let piece = 0; piece < 50; piece += 1) controller.enqueue(new Uint8Array(50_000));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
    expect(answer.status).toBe(413);
  });

  it('leaves no error in the log when its sender goes away', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const { url } = await serve({ log });
    const { port } = new URL(url);
    const sockets = Array.from({ length: 20 }, () => connect(Number(port), '127.0.0.1'));
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((sent) => {
            socket.on('error', () => undefined);
            const head = `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"query":`;
            socket.write(head, () => sent());
          }),
      ),
    );
    for (const socket of sockets) socket.resetAndDestroy();
    expect((await post(url, { query: '{ viewer { name } }' })).status).toBe(200);
    expect(lines.filter((line) => /"level":(40|50|60)/.test(line))).toEqual([]);
  });
});

describe('introspection', () => {
  it('is counted, so that asking for it forty-nine times is refused and once is not', async () => {
    const { url } = await serve({ mode: 'development' });
    const part =
      '{ types { name description fields { name description args { name type { name } } type { name kind } } } }';
    const many = Array.from({ length: 49 }, (_, index) => `a${index}: __schema { ...s }`).join(' ');
    const fragment = `fragment s on __Schema { ${Array.from({ length: 4 }, () => `types { name fields { name description type { name kind ofType { name kind ofType { name } } } } }`).join(' ')} }`;
    expect(codeOf(await post(url, { query: `{ ${many} } ${fragment}` }))).toBe('DOCUMENT_TOO_LARGE');
    // Few names may ask for much.
    const short = many.replaceAll('...s', 'types { name fields { name } }');
    expect(codeOf(await post(url, { query: `{ ${short} }` }))).toBe('DOCUMENT_TOO_LARGE');
    expect((await post(url, { query: `{ __schema ${part} }` })).errors).toEqual([]);
  });
});

describe('pings on a WebSocket', () => {
  it.each(['of the protocol', 'of WebSocket itself'])(
    'count: who sends too many %s is closed',
    async (kind) => {
      const { url } = await serve({ limits: { maxPingsPerMinute: 30 } });
      const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
      const closed = new Promise<number>((resolve) => socket.on('close', resolve));
      await new Promise((resolve) => socket.on('open', resolve));
      socket.send('{"type":"connection_init"}');
      await new Promise((resolve) => socket.on('message', resolve));
      for (let ping = 0; ping < 100; ping += 1)
        if (kind === 'of the protocol') socket.send('{"type":"ping"}');
        else socket.ping();
      expect(await closed).toBe(4429);
    },
  );

  it('INV-14: a message is held to the bounds of a body', async () => {
    const { url } = await serve();
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send(`{"type":"subscribe","payload":${'['.repeat(5_000)}${']'.repeat(5_000)}}`);
    expect(await closed).toBe(4400);
  });
});

describe('what a client is told', () => {
  it('of a hash alone: that hashes are not supported here, so that it sends the text', async () => {
    const { url } = await serve();
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    const answer = await post(url, JSON.stringify({ operationName: 'A', variables: {}, extensions }));
    expect([answer.status, answer.errors[0]?.message, codeOf(answer)]).toEqual([
      400,
      'PersistedQueryNotSupported',
      'PERSISTED_QUERY_NOT_SUPPORTED',
    ]);
    const asked = `${url}?operationName=A&extensions=${encodeURIComponent(JSON.stringify(extensions))}`;
    expect(await (await fetch(asked)).text()).toContain('PersistedQueryNotSupported');
  });

  it('of a mutation over GET: 405, the code, and POST', async () => {
    const { url } = await serve();
    const query = encodeURIComponent(
      'mutation { runTask(task: { emailParse: { raw: "a" } }) { __typename } }',
    );
    const answer = await fetch(`${url}?query=${query}`, { headers: { accept: 'application/json' } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const { errors } = (await answer.json()) as {
      errors: { extensions: { code: string; remedy: string } }[];
    };
    expect(errors[0]?.extensions.code).toBe('METHOD_NOT_ALLOWED');
    expect(errors[0]?.extensions.remedy).toContain('POST');
  });

  it.each(['text/csv', 'image/png, text/html;q=0.9', 'application/json;q=0', 'multipart/mixed'])(
    'of a request that accepts %s: 406, and what is given',
    async (accept) => {
      const { url } = await serve({ mode: 'production' });
      const answer = await post(url, { query: '{ viewer { name } }' }, { accept });
      expect([answer.status, codeOf(answer)]).toEqual([406, 'NOT_ACCEPTABLE']);
      const remedy = String(answer.errors[0]?.extensions?.['remedy']);
      expect(remedy).toContain('application/json');
      expect(remedy).toContain('text/event-stream');
    },
  );

  it.each(['', '*/*', 'application/*', 'application/json;charset=utf-8', 'text/csv, application/json;q=0.1'])(
    'nothing of a request that accepts "%s", which is answered',
    async (accept) => {
      const { url } = await serve();
      expect((await post(url, { query: '{ viewer { name } }' }, { accept })).status).toBe(200);
    },
  );

  it.each([
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json',
    'application/json',
    '*/*',
  ])('of a subscription that accepts %s: event streams and WebSocket', async (accept) => {
    const { url } = await serve();
    for (let time = 0; time < 2; time += 1) {
      const answer = await post(url, { query: 'subscription { costStats { at } }' }, { accept });
      expect([answer.status, codeOf(answer)]).toEqual([406, 'NOT_ACCEPTABLE']);
      expect(String(answer.errors[0]?.extensions?.['remedy'])).toMatch(
        /text\/event-stream.*graphql-transport-ws/,
      );
    }
  });

  it('of dollars that no ledger holds: BAD_USER_INPUT', async () => {
    const { url, reads } = await serve();
    const query =
      'query ($least: USD) { runs(first: 1, filter: { minCost: $least }) { edges { node { id } } } }';
    const answer = await post(url, { query, variables: { least: '9223372036.854775808' } });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'BAD_USER_INPUT']);
    expect(reads).toEqual([]);
    expect((await post(url, { query, variables: { least: '9223372036.854775807' } })).errors).toEqual([]);
  });
});

it('every subscription either only looks, or runs a task', async () => {
  const { server } = await serve();
  const fields = Object.keys(server.schema().getSubscriptionType()?.getFields() ?? {});
  expect(fields.filter((name) => !HARMLESS.has(name)).sort()).toEqual(['streamTask', 'streamTaskJson']);
  expect(defaultLimits.maxBytesInFlightPerCaller).toBeGreaterThan(defaultLimits.maxBodyBytes);
});
