// Sessions of the page: a key traded for a cookie, which is worth what the key is worth, and to nobody else.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ApiKeyRecord } from '../../src/ledger/port.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { serveReal as serve, type RealServed, codeOf, post } from './real.ts';

const WHO = { query: '{ viewer { name } }' };

async function servePage(
  options: Partial<ServerOptions> = {},
): Promise<RealServed & { readonly secret: string; readonly key: ApiKeyRecord }> {
  const staticDir = await mkdtemp(join(tmpdir(), 'headgate-page-'));
  await writeFile(join(staticDir, 'index.html'), '<!doctype html><title>Headgate</title>');
  const served = await serve({ staticDir, ...options });
  const { secret, record } = await served.services.keys.create({
    caller: 'ana',
    team: null,
    tier: null,
    tags: {},
    scopes: ['read:all'],
    expiresAtMs: null,
    requestsPerMinute: null,
  });
  return { ...served, secret, key: record };
}

const signIn = (base: string, key: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${base}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ key }),
  });

const cookieOf = (response: Response): string => response.headers.get('set-cookie')?.split(';')[0] ?? '';

describe('a session', () => {
  it('INV-12: is given for a key, to a browser that no script can take it from, and is its caller', async () => {
    const { base, url, secret } = await servePage();
    const response = await signIn(base, secret);
    expect(response.status).toBe(204);
    expect(response.headers.get('set-cookie')).toMatch(
      /^headgate_session=[\w.-]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    expect(response.headers.get('set-cookie')).not.toContain(secret);
    expect((await post(url, WHO, { cookie: cookieOf(response) })).data.viewer.name).toBe('ana');
  });

  it('INV-12: is Secure where the browser came by https', async () => {
    const { base, secret } = await servePage({ trustProxy: true });
    const response = await signIn(base, secret, { 'x-forwarded-proto': 'https' });
    expect(response.headers.get('set-cookie')).toMatch(/; Secure$/);
  });

  it.each(['', 'hg_short', `hg_${'A'.repeat(43)}`])('is refused for "%s"', async (key) => {
    const { base } = await servePage();
    const response = await signIn(base, key);
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('INV-12: dies with its key; a WebSocket of the page is let in by it', async () => {
    const { base, url, services, secret, key } = await servePage();
    const cookie = cookieOf(await signIn(base, secret));
    const client = createClient({
      url: url.replace('http', 'ws'),
      retryAttempts: 0,
      lazy: false,
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocols: string) {
          super(address, protocols, { headers: { cookie } });
        }
      },
    });
    const name = await new Promise((resolve, reject) => {
      client.subscribe<{ viewer: { name: string } }>(WHO, {
        next: ({ data }) => resolve(data?.viewer.name),
        error: reject,
        complete: () => {},
      });
    });
    expect(name).toBe('ana');
    await services.keys.revoke(key.id);
    expect(codeOf(await post(url, WHO, { cookie }))).toBe('UNAUTHENTICATED');
    await client.dispose();
  });

  it('is not taken where its seal or its end was changed', async () => {
    const { base, url, secret } = await servePage();
    const cookie = cookieOf(await signIn(base, secret));
    const [keyId = '', expiry = '', seal = ''] = cookie.replace('headgate_session=', '').split('.');
    for (const forged of [
      `${keyId}.${Number(expiry) + 1}.${seal}`,
      `${keyId}.${expiry}.${'A'.repeat(43)}`,
      `key_other.${expiry}.${seal}`,
      keyId,
      '',
    ]) {
      const answer = await post(url, WHO, { cookie: `headgate_session=${forged}` });
      expect(codeOf(answer)).toBe('UNAUTHENTICATED');
    }
  });

  it('is not opened, and not used, by a page of another site', async () => {
    const { base, url, secret } = await servePage();
    const elsewhere = { origin: 'https://evil.example' };
    expect((await signIn(base, secret, elsewhere)).status).toBe(403);
    const cookie = cookieOf(await signIn(base, secret));
    expect((await post(url, WHO, { cookie, ...elsewhere })).status).toBe(403);
  });

  it('ends when the person says so', async () => {
    const { base } = await servePage();
    const response = await fetch(`${base}/session`, { method: 'DELETE' });
    expect(response.headers.get('set-cookie')).toContain('headgate_session=; Path=/; Max-Age=0');
  });
});

describe('the page', () => {
  it('is given at the address of each of its views, and nowhere else', async () => {
    const { base } = await servePage();
    const view = { headers: { accept: 'text/html' } };
    expect((await fetch(`${base}/runs/run_1`, view)).status).toBe(200);
    expect((await fetch(`${base}/assets/nothing.js`, view)).status).toBe(404);
    expect((await fetch(`${base}/runs/run_1`)).status).toBe(404);
  });
});
