// The signature of a webhook: an HMAC over the body, as GitHub and those that follow it send it.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Headers that may carry it, lower case; GitHub's, Gitea's and Forgejo's own, and ours for scripts. */
export const SIGNATURE_HEADERS = ['x-hub-signature-256', 'x-headgate-signature'] as const;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Whether `header` (`sha256=` and 64 hexadecimal digits) is the HMAC-SHA-256 of the body with this secret. Takes the same time whatever the header
 * holds. A delivery that is sent again is taken again: all that it can do is make the source be read.
 */
export function verifyWebhook(secret: string, body: Uint8Array, header: string | undefined): boolean {
  return matches(createHmac('sha256', secret).update(body).digest(), header);
}

/** The same for a body that comes in pieces, of which none is kept. */
export function createWebhookCheck(secret: string): {
  update(piece: Uint8Array): void;
  verify(header: string | undefined): boolean;
} {
  const hmac = createHmac('sha256', secret);
  return {
    update: (piece) => void hmac.update(piece),
    verify: (header) => matches(hmac.digest(), header),
  };
}

function matches(expected: Buffer, header: string | undefined): boolean {
  const digits = SIGNATURE.exec(header ?? '')?.[1];
  return timingSafeEqual(expected, digits === undefined ? Buffer.alloc(32) : Buffer.from(digits, 'hex'));
}
