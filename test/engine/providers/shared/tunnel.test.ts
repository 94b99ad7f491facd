// HTTPS through a proxy: a real one on loopback, a server with a certificate of its own behind it, and the pool that the providers share.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { createPool } from '../../../../src/engine/providers/shared/http-pool.ts';

/** Of models.test, for these tests alone. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7txqnGUNONDOWRIh
S0alHktwE8AT1uiTTxNPWuNILEKhRANCAATw9wuNqlJJm4SYgNBpI+sgwiHncqwO
fpurP7QC8BYS2hCIbjSTj9MvBG6FmoR51MOWQrAMn6KBrrhZpXo2vFrK
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUdeTnDLyNrXLtkbUCR13IAop0DBwwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLbW9kZWxzLnRlc3QwIBcNMjYxMTI4MjI0MjM2WhgPMjEyNjEx
MDQyMjQyMzZaMBYxFDASBgNVBAMMC21vZGVscy50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE8PcLjapSSZuEmIDQaSPrIMIh53KsDn6bqz+0AvAWEtoQiG40
k4/TLwRuhZqEedTDlkKwDJ+iga64WaV6NrxayqNrMGkwHQYDVR0OBBYEFIpd6wEu
Wh4wiK0sOGIPNztgQuZLMB8GA1UdIwQYMBaAFIpd6wEuWh4wiK0sOGIPNztgQuZL
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILbW9kZWxzLnRlc3QwCgYIKoZI
zj0EAwIDSQAwRgIhAJe89kYHqXVnWBnKdTy1ksUk6BZJwUZO5Q4qh6iDw8LjAiEA
nyhArCC9B7J3/CCfUsI734YIjkAGR5F+5c0vPYO6EJU=
-----END CERTIFICATE-----`;

const trusted = getCACertificates('default');
const servers: Server[] = [];
const asked: string[] = [];
let proxy: string;

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  setDefaultCACertificates([...trusted, CERTIFICATE]);
  const upstream = createHttpsServer({ key: KEY, cert: CERTIFICATE }, (request, response) => {
    // Cookies and a content policy of what stands in between.
    const policy = request.url?.endsWith('/embeddings') === true ? 'a'.repeat(40_000) : 'none';
    response.setHeader('content-security-policy', policy);
    request.resume().once('end', () => response.end(`${request.method} ${request.url}`));
  });
  const port = await listening(upstream);
  const tunnel = createHttpServer().on('connect', (request, socket, head) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith('models.test:') !== true) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const through = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.write(head);
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  proxy = `http://127.0.0.1:${await listening(tunnel)}`;
});

afterAll(() => {
  setDefaultCACertificates(trusted);
  for (const server of servers) server.close();
});

const post = async (
  origin: string,
  beforeSend: () => Promise<void>,
  path = '/v1/chat/completions',
): Promise<string> => {
  const pool = createPool({ clock: systemClock, proxy });
  try {
    const target = { origin, path, headers: ['content-type', 'application/json'] };
    const signal = new AbortController().signal;
    const answer = await pool.post(target, '{"model":"a"}', { signal, beforeSend });
    return `${answer.status} ${await answer.text()}`;
  } finally {
    await pool.close();
  }
};

it('HTTPS goes through a proxy by CONNECT: the proxy sees the name and the port, and nothing else', async () => {
  asked.length = 0;
  await expect(post('https://models.test', async () => {})).resolves.toBe('200 POST /v1/chat/completions');
  expect(asked).toEqual(['CONNECT models.test:443']);
});

it('an answer with 40 kB of headers is read: it is paid for', async () => {
  await expect(post('https://models.test', async () => {}, '/v1/embeddings')).resolves.toBe(
    '200 POST /v1/embeddings',
  );
});

it('INV-3: a proxy that refuses the tunnel fails the call before anything was sent', async () => {
  let isAnnounced = false;
  const refused = post('https://elsewhere.test', async () => {
    isAnnounced = true;
  });
  await expect(refused).rejects.toThrow(/403|proxy/i);
  expect(isAnnounced).toBe(false);
});
