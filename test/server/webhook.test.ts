// Webhooks: only who knows the secret makes the workflows be read again.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { createWebhookCheck } from '../../src/revisions/webhook.ts';
import { createReloadWebhook } from '../../src/server/webhook.ts';
import { sharedApp } from './real.ts';

const SECRET = "It's a Secret to Everybody";

function verifyWebhook(secret: string, body: Buffer, header: string | undefined): boolean {
  const check = createWebhookCheck(secret);
  check.update(body.subarray(0, 1));
  check.update(body.subarray(1));
  return check.verify(header);
}

describe('the signature of a webhook', () => {
  it("is GitHub's: their documented example is right", () => {
    const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    expect(verifyWebhook(SECRET, Buffer.from('Hello, World!'), header)).toBe(true);
    expect(
      verifyWebhook(SECRET, Buffer.from('Hello, World!'), header.toUpperCase().replace('SHA', 'sha')),
    ).toBe(true);
  });

  it.each([
    undefined,
    '',
    'sha256=',
    'sha1=757107ea0eb2509fc211221cce984b8a',
    `sha256=${'0'.repeat(64)}`,
    `sha256=${'7'.repeat(63)}g`,
  ])('is not %j', (header) => {
    expect(verifyWebhook(SECRET, Buffer.from('Hello, World!'), header)).toBe(false);
  });

  it('is of this body and this secret', () => {
    const signed = (secret: string, body: string): string =>
      `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    expect(verifyWebhook('a', Buffer.from('x'), signed('b', 'x'))).toBe(false);
    expect(verifyWebhook('a', Buffer.from('x'), signed('a', 'y'))).toBe(false);
    expect(verifyWebhook('a', Buffer.from(''), signed('a', ''))).toBe(true);
  });
});

describe('POST /webhooks/reload', () => {
  let reloads = 0;
  const handle = createReloadWebhook({
    secret: SECRET,
    log: pino({ level: 'silent' }),
    revisions: {
      reload: async () => {
        reloads += 1;
        return (await sharedApp()).app.revisions.reload();
      },
    },
  });
  const server = createServer((request, response) => void handle(request, response));
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  const post = (body: string, header: string, signature: string): Promise<Response> =>
    fetch(url, { method: 'POST', body, headers: { [header]: signature } });
  const sign = (body: string): string => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;

  it.each(['X-Hub-Signature-256', 'X-Headgate-Signature'])(
    'reads the workflows again for what is signed in %s',
    async (header) => {
      const before = reloads;
      const body = JSON.stringify({ ref: 'refs/heads/main', filler: 'x'.repeat(100_000) });
      const response = await post(body, header, sign(body));
      expect(response.status).toBe(200);
      const { hash } = (await sharedApp()).app.revisions.active().plan;
      expect(await response.json()).toEqual({ status: 'unchanged', revision: hash, commit: null });
      expect(reloads).toBe(before + 1);
    },
  );

  it('INV-13: refuses what is not signed, with the remedy, and reads nothing', async () => {
    const before = reloads;
    const response = await post('{}', 'X-Hub-Signature-256', sign('{ }'));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'WEBHOOK_NOT_SIGNED' } }] });
    expect(reloads).toBe(before);
  });
});
