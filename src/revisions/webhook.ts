// The signature of a webhook: an HMAC over the body, as GitHub and those that follow it send it.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Headers that may carry it, lower case; GitHub's, Gitea's and Forgejo's own, and ours for scripts. */
export const SIGNATURE_HEADERS = ['x-hub-signature-256', 'x-headgate-signature'] as const;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Whether a header (`sha256=` and 64 hexadecimal digits) is the HMAC-SHA-256 of a body with this secret. The body comes in pieces, of which none is
 * kept. Takes the same time whatever the header holds. A delivery that is sent again is taken again: all that it can do is make the source be read.
 */
export function createWebhookCheck(secret: string): {
  update(piece: Uint8Array): void;
  verify(header: string | undefined): boolean;
} {
  const hmac = createHmac('sha256', secret);
  return {
    update: (piece) => void hmac.update(piece),
    verify(header) {
      const expected = hmac.digest();
      const digits = SIGNATURE.exec(header ?? '')?.[1];
      return timingSafeEqual(
        expected,
        digits === undefined ? Buffer.alloc(expected.length) : Buffer.from(digits, 'hex'),
      );
    },
  };
}
