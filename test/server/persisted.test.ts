// Persisted operations, and the files of a web page beside the API.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createClient } from 'graphql-ws';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readPersistedOperations } from '../../src/server/persisted.ts';
import { serveReal as serve, codeOf, post } from './real.ts';

const WHO = '{ viewer { name } }';
const HASH = createHash('sha256').update(WHO).digest('hex');
const documents = new Map([[HASH, WHO]]);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'headgate-files-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('persisted operations', () => {
  it.each([
    { documentId: `sha256:${HASH}` },
    { documentId: HASH },
    { extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } },
  ])('are known by their hash: %j', async (body) => {
    const { url } = await serve({ persistedOperations: { documents, required: false } });
    expect((await post(url, JSON.stringify(body))).data.viewer.name).toBe('local');
    expect((await post(url, { query: '{ viewer { tier } }' })).status).toBe(200);
  });

  it('may be all that is taken', async () => {
    const { url, reads } = await serve({ persistedOperations: { documents, required: true } });
    expect((await post(url, JSON.stringify({ documentId: HASH }))).status).toBe(200);
    expect((await post(url, { query: WHO })).status).toBe(200);
    const other = await post(url, { query: '{ runs { edges { cursor } } }' });
    expect([other.status, codeOf(other)]).toEqual([400, 'PERSISTED_OPERATION_REQUIRED']);
    const unknown = await post(url, JSON.stringify({ documentId: 'f'.repeat(64) }));
    expect([unknown.status, codeOf(unknown)]).toEqual([400, 'PERSISTED_QUERY_NOT_FOUND']);
    expect(reads).not.toContain('runs');
  });

  it('hold on a WebSocket too', async () => {
    const { url } = await serve({ persistedOperations: { documents, required: true } });
    const client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const known = await client
      .iterate({ query: '', extensions: { persistedQuery: { sha256Hash: HASH } } })
      .next();
    expect(known.value?.data).toEqual({ viewer: { name: 'local' } });
    await expect(client.iterate({ query: '{ viewer { tier } }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'PERSISTED_OPERATION_REQUIRED' } },
    ]);
    await client.dispose();
  });

  it('are read from the file that codegen writes, and not where a hash is not its document', async () => {
    const file = join(directory, 'persisted-documents.json');
    await writeFile(file, JSON.stringify({ [HASH]: WHO }));
    expect(await readPersistedOperations(file, true)).toEqual({ documents, required: true });
    await writeFile(file, JSON.stringify({ [HASH]: '{ other }' }));
    await expect(readPersistedOperations(file, true)).rejects.toMatchObject({
      code: 'PERSISTED_OPERATION_WRONG',
    });
    await expect(readPersistedOperations(join(directory, 'none.json'), true)).rejects.toMatchObject({
      code: 'PERSISTED_OPERATIONS_UNREADABLE',
    });
  });
});

describe('static files', () => {
  it('are served by their path, with what lets a browser keep them, and nothing outside their folder', async () => {
    await mkdir(join(directory, 'page', 'assets'), { recursive: true });
    await writeFile(join(directory, 'secret.txt'), 'secret');
    await writeFile(join(directory, 'page', 'index.html'), '<!doctype html>');
    await writeFile(join(directory, 'page', 'assets', 'app-B1c2D3e4.js'), 'export {}');
    const { base } = await serve({ staticDir: join(directory, 'page') });
    const index = await fetch(base);
    expect([index.status, index.headers.get('content-type'), await index.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<!doctype html>',
    ]);
    expect(index.headers.get('content-security-policy')).toContain("script-src 'self'");
    const again = await fetch(base, { headers: { 'if-none-match': index.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    const script = await fetch(`${base}/assets/app-B1c2D3e4.js`);
    expect(script.headers.get('cache-control')).toContain('immutable');
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/assets/../../secret.txt', '/assets']) {
      const response = await fetch(`${base}${path}`);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).not.toBe('secret');
    }
    expect((await fetch(base, { method: 'POST' })).status).toBe(405);
    expect((await post(`${base}/graphql`, { query: WHO })).status).toBe(200);
  });
});
