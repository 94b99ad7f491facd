// API keys: who is let in, as whom, how often; and when the server runs open.
import { createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Clock } from '../../src/common/clock.ts';
import { HeadgateError } from '../../src/errors/headgate-error.ts';
import type { NewApiKey } from '../../src/server/graphql/api-keys.ts';
import { buildSchema } from '../../src/server/graphql/schema.ts';
import { KeyRing } from '../../src/server/keys/key-ring.ts';
import { hashOf } from '../../src/server/keys/secret.ts';
import { createServer } from '../../src/server/server.ts';
import { servicesOf } from '../../src/serve.ts';
import { openRealApp, serveReal as serve, sharedApp, codeOf, post } from './real.ts';

const KEY: NewApiKey = {
  caller: 'ana',
  team: 'growth',
  tier: 'pro',
  tags: { app: 'crm' },
  scopes: ['run:summarize'],
  expiresAtMs: null,
  requestsPerMinute: null,
};
const WHO = { query: '{ viewer { name team tier keyId scopes tags { key value } } }' };

function manualClock(): Clock & { advance: (ms: number) => void } {
  let nowMs = 1_700_000_000_000;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => () => {},
    advance: (ms) => (nowMs += ms),
  };
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('a server without keys', () => {
  it('runs open on loopback, as an administrator, and says so', async () => {
    const { url, server } = await serve();
    expect(server.open).toBe(true);
    expect((await post(url, WHO)).data.viewer).toEqual({
      name: 'local',
      team: null,
      tier: null,
      keyId: null,
      scopes: ['admin'],
      tags: [],
    });
  });

  it.each(['0.0.0.0', '::', '192.0.2.1'])(
    'refuses to listen on %s, with one line that says what to do',
    async (host) => {
      const services = await servicesOf((await sharedApp()).app);
      const error = await createServer({
        services,
        schemaFor: (plan) => buildSchema({ plan }),
        host,
        port: 0,
      }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(HeadgateError);
      expect(error).toMatchObject({
        code: 'OPEN_SERVER_REFUSED',
        remedy: expect.stringContaining('headgate keys create') as string,
      });
    },
  );

  it('says which port is in use', async () => {
    const { server, services } = await serve();
    const error = await createServer({
      services,
      schemaFor: (plan) => buildSchema({ plan }),
      port: server.port,
    }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'PORT_IN_USE',
      remedy: `Stop what uses it, or choose another: --port ${server.port + 1}.`,
    });
  });

  it.each(['evil.example', 'evil.example:4000', '10.0.0.1'])(
    'does not answer as "%s" (DNS rebinding)',
    async (host) => {
      const { url } = await serve();
      const { status, body } = await rawPost(url, { host });
      expect(status).toBe(host === '' ? 400 : 403);
      if (host !== '') expect(body).toContain('UNKNOWN_HOST');
    },
  );

  it.each(['localhost', 'localhost:4000', '127.0.0.1:1', '[::1]:4000', 'box.local'])(
    'answers as "%s"',
    async (host) => {
      const { url } = await serve({ allowedHosts: ['box.local'] });
      expect((await rawPost(url, { host })).status).toBe(200);
    },
  );
});

/** fetch does not let a test choose its Host. */
async function rawPost(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  const { request } = await import('node:http');
  return await new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(WHO));
  });
}

describe('a server with keys', () => {
  it('knows the caller, its team, tier, tags and scopes by its key', async () => {
    const { url, keys } = await serve();
    const { secret, record } = await keys.create(KEY);
    const { data } = await post(url, WHO, bearer(secret));
    expect(data.viewer).toEqual({
      name: 'ana',
      team: 'growth',
      tier: 'pro',
      keyId: record.id,
      scopes: ['run:summarize'],
      tags: [{ key: 'app', value: 'crm' }],
    });
  });

  it('refuses who has none, a wrong one, or another form of one, with 401 and how to send it', async () => {
    const { url, keys } = await serve();
    const { secret } = await keys.create(KEY);
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    const tries: readonly [headers: Readonly<Record<string, string>>, message: string][] = [
      [{}, 'asks for an API key'],
      [bearer(wrong), 'not known here'],
      [bearer('sk-123'), 'those look like "Bearer hg_…"'],
      [{ authorization: 'Basic YTpi' }, 'those look like "Bearer hg_…"'],
    ];
    for (const [headers, message] of tries) {
      const answer = await post(url, WHO, headers);
      expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
      expect(answer.errors[0]?.message).toContain(message);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it('never shows a secret again, and stores only its hash (INV-9)', async () => {
    const { url, keys, app } = await serve({}, await openRealApp());
    const admin = await keys.create({ ...KEY, scopes: ['admin'] });
    const made = await post(
      url,
      {
        query:
          'mutation { createApiKey(input: { caller: "bob", scopes: ["run:*"], tags: [{ key: "a", value: "b" }] }) { secret apiKey { id hint caller scopes } } }',
      },
      bearer(admin.secret),
    );
    const { secret, apiKey } = made.data.createApiKey;
    expect(secret).toMatch(/^hg_[\w-]{43}$/);
    expect(apiKey.hint).toBe(`${secret.slice(0, 9)}…`);
    const listed = await post(
      url,
      {
        query:
          '{ apiKeys { id hint caller team tier tags { key } scopes createdAt expiresAt revokedAt lastUsedAt requestsPerMinute } }',
      },
      bearer(admin.secret),
    );
    expect(listed.data.apiKeys).toHaveLength(2);
    const stored = await app.ledger.apiKeys();
    expect(JSON.stringify([listed.data, stored])).not.toContain(secret);
    expect(stored.find(({ id }) => id === apiKey.id)?.hash).toBe(hashOf(secret).toString('hex'));
    expect((await post(url, WHO, bearer(secret))).data.viewer.name).toBe('bob');
  });

  it.each([
    ['["everything"]', '"everything" is not a scope.'],
    ['[]', 'A key without scopes could do nothing.'],
  ])('does not make a key with the scopes %s', async (scopes, message) => {
    const { url, keys } = await serve({}, await openRealApp());
    const answer = await post(url, {
      query: `mutation { createApiKey(input: { caller: "x", scopes: ${scopes} }) { secret } }`,
    });
    expect(answer.errors[0]?.message).toBe(message);
    expect(keys.list()).toEqual([]);
  });

  it('a revoked key is refused at once, and the server does not run open again', async () => {
    const { url, keys } = await serve();
    const { secret, record } = await keys.create({ ...KEY, scopes: ['admin'] });
    const revoked = await post(
      url,
      {
        query: 'mutation ($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }',
        variables: { id: record.id },
      },
      bearer(secret),
    );
    expect(revoked.data.revokeApiKey.revokedAt).not.toBeNull();
    const after = await post(url, WHO, bearer(secret));
    expect([after.status, after.errors[0]?.message]).toEqual([401, 'This API key was revoked.']);
    expect((await post(url, WHO)).status).toBe(401);
  });

  it('an expired key is refused', async () => {
    const clock = manualClock();
    const ring = await KeyRing.open({ ledger: (await sharedApp()).app.ledger, clock });
    const { secret } = await ring.create({ ...KEY, expiresAtMs: clock.nowMs() + 1000 });
    expect(ring.identify(`Bearer ${secret}`).kind).toBe('caller');
    clock.advance(1000);
    expect(ring.identify(`Bearer ${secret}`)).toEqual({ kind: 'refused', reason: 'expired' });
  });

  it('a key made or revoked by another process is known after a few seconds', async () => {
    const clock = manualClock();
    const { ledger } = (await sharedApp()).app;
    const here = await KeyRing.open({ ledger, clock });
    const elsewhere = await KeyRing.open({ ledger, clock });
    const { secret, record } = await elsewhere.create(KEY);
    expect(here.identify(`Bearer ${secret}`)).toEqual({ kind: 'refused', reason: 'unknown' });
    clock.advance(5000);
    here.identify(undefined);
    await here.refresh();
    expect(here.identify(`Bearer ${secret}`).kind).toBe('caller');
    await elsewhere.revoke(record.id);
    clock.advance(5000);
    here.identify(undefined);
    await here.refresh();
    expect(here.identify(`Bearer ${secret}`)).toEqual({ kind: 'refused', reason: 'revoked' });
  });

  it('notes when a key was last used, at most once a minute', async () => {
    const clock = manualClock();
    const { ledger } = (await sharedApp()).app;
    const ring = await KeyRing.open({ ledger, clock });
    const { secret, record } = await ring.create(KEY);
    const used = async () =>
      (await ledger.apiKeys()).find(({ id }) => id === record.id)?.lastUsedAtMs ?? null;
    expect(await used()).toBeNull();
    ring.identify(secret);
    const first = clock.nowMs();
    await expect.poll(used).toBe(first);
    clock.advance(59_000);
    ring.identify(secret);
    // What is asked for is written in order: a use that was noted would be there once this key is.
    await ring.create(KEY);
    expect(await used()).toBe(first);
    clock.advance(1000);
    ring.identify(secret);
    await expect.poll(used).toBe(clock.nowMs());
  });

  it('holds a key to its requests a minute, with 429 and when to come back', async () => {
    const { url, keys } = await serve();
    const { secret } = await keys.create({ ...KEY, requestsPerMinute: 2 });
    const other = await keys.create({ ...KEY, caller: 'bob' });
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push(await post(url, WHO, bearer(secret)));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(codeOf(statuses[2] ?? (await post(url, WHO)))).toBe('TOO_MANY_REQUESTS');
    expect(Number(statuses[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post(url, WHO, bearer(other.secret))).status).toBe(200);
  });

  it('a connection that stays is cut when its key is revoked, and its operations count as requests', async () => {
    const { url, keys } = await serve({ limits: { keepAliveMs: 400 } });
    const watcher = await keys.create({ ...KEY, caller: 'watcher' });
    const busy = await keys.create({ ...KEY, requestsPerMinute: 2 });
    const connect = (secret: string) =>
      createClient({
        url: url.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: bearer(secret),
        lazyCloseTimeout: 5000,
      });
    const busySockets = connect(busy.secret);
    // The connection itself was the first request.
    expect((await busySockets.iterate(WHO).next()).value?.data).toMatchObject({ viewer: { name: 'ana' } });
    await expect(busySockets.iterate(WHO).next()).rejects.toMatchObject([
      { extensions: { code: 'TOO_MANY_REQUESTS' } },
    ]);

    const query = 'subscription { costStats { at } }';
    const watching = connect(watcher.secret).iterate({ query });
    await watching.next();
    const stream = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(watcher.secret) },
      body: JSON.stringify({ query }),
    });
    expect(stream.status).toBe(200);
    await keys.revoke(watcher.record.id);
    await expect(watching.next()).rejects.toMatchObject({ code: 4403, reason: 'The key is no longer valid' });
    await expect(stream.text()).rejects.toThrow('terminated');
    await busySockets.dispose();
  });
});
