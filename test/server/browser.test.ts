// What a browser may be made to send: pages of others, images, sockets; and what GraphiQL loads.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openRealApp, serveReal as serve, post } from './real.ts';

const WHO = { query: '{ viewer { name } }' };
const RUN = 'mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }';

describe('requests from pages of others', () => {
  it.each([
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{}, 200],
  ])('with %j get %i', async (headers, status) => {
    const { url } = await serve();
    expect((await post(url, WHO, headers)).status).toBe(status);
  });

  it('may come from its own origin and from those that are allowed, with CORS only for those', async () => {
    const { url, base } = await serve({ corsOrigins: ['https://dash.example'] });
    const own = await post(url, WHO, { origin: base });
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    const allowed = await post(url, WHO, { origin: 'https://dash.example' });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://dash.example',
    ]);
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://dash.example', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, content-type, accept, last-event-id',
    ]);
    const foreign = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain;application/json',
  ])('cannot run a task with a form (%s)', async (type) => {
    const { url, calls } = await serve();
    const answer = await post(url, { query: RUN }, { 'content-type': type });
    expect(answer.status).toBe(415);
    expect(calls).toEqual([]);
  });

  it('cannot run a task with a link, an image or an EventSource', async () => {
    const { url, calls } = await serve();
    const query = 'subscription { streamTask(task: { summarize: { text: "a" } }) { __typename } }';
    for (const asked of [
      query,
      `${query.replace('{ streamTask', '{ ...f }#')}\nfragment f on Subscription { streamTask(task: { summarize: { text: "a" } }) { __typename } }`,
    ]) {
      const response = await fetch(`${url}?query=${encodeURIComponent(asked)}`, {
        headers: { accept: 'text/event-stream' },
      });
      await response.text();
      expect(response.status).toBeGreaterThanOrEqual(400);
    }
    expect(calls).toEqual([]);
  });

  it.each([{ origin: 'https://evil.example' }, { host: 'evil.example' }])(
    'cannot open a WebSocket with %j',
    async (headers) => {
      const { url } = await serve();
      const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toContain('403');
    },
  );

  it('see the host that the proxy was asked for, where the proxy is trusted', async () => {
    const headers = { origin: 'https://api.example', 'x-forwarded-host': 'api.example' };
    const trusting = await serve({ trustProxy: true });
    expect((await post(trusting.url, WHO, headers)).status).toBe(200);
    const plain = await serve();
    expect((await post(plain.url, WHO, headers)).status).toBe(403);
  });
});

describe('every answer', () => {
  it('carries headers that keep a browser from guessing, framing and telling', async () => {
    const { url, base } = await serve();
    for (const response of [
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(WHO),
      }),
      await fetch(`${base}/health/live`),
    ]) {
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      await response.text();
    }
  });
});

describe('GraphiQL', () => {
  const html = { accept: 'text/html' };

  it('is one page that loads nothing from anywhere else', async () => {
    const { url } = await serve({ mode: 'development' });
    const response = await fetch(url, { headers: html });
    const page = await response.text();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(page).toContain('YogaGraphiQL.renderYogaGraphiQL');
    expect(page).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=["'](https?:)?\/\//i);
    expect(page).not.toMatch(/@import\s+(url\()?["']?https?:/i);
    expect(page).not.toMatch(/url\(\s*["']?https?:/i);
    // What the page's scripts might still ask for, the browser does not let out.
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
  });

  it('shows where the key goes, on a server that asks for one', async () => {
    const { url, keys } = await serve({ mode: 'development' }, await openRealApp());
    const page = async () => (await fetch(url, { headers: html })).text();
    expect(await page()).not.toContain('Bearer hg_');
    await keys.create({
      caller: 'ana',
      team: null,
      tier: null,
      tags: {},
      scopes: ['run:*'],
      expiresAtMs: null,
      requestsPerMinute: null,
    });
    const header = JSON.stringify('{\n  "authorization": "Bearer hg_"\n}');
    expect(await page()).toContain(`"headers":${header}`);
  });

  it('is not there in production, unless asked for', async () => {
    const typeOf = async (options: Parameters<typeof serve>[0]): Promise<string> => {
      const response = await fetch((await serve(options)).url, { headers: html });
      await response.text();
      return response.headers.get('content-type') ?? '';
    };
    expect(await typeOf({ mode: 'production' })).not.toContain('text/html');
    expect(await typeOf({ mode: 'production', graphiql: true })).toContain('text/html');
    expect(await typeOf({ mode: 'development', graphiql: false })).not.toContain('text/html');
  });
});
