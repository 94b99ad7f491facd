// POST /webhooks/reload: a push makes the workflows be read again; only for who knows the secret.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Revisions } from '../revisions/port.ts';
import { createWebhookCheck, SIGNATURE_HEADERS } from '../revisions/webhook.ts';
import { sendJson, sendRefusal } from './refuse.ts';

export const WEBHOOK_PATH = '/webhooks/reload';

/** What GitHub sends at most; nothing of it is kept. */
const MAX_BODY_BYTES = 25 * 1024 * 1024;
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

export interface WebhookOptions {
  readonly secret: string;
  readonly revisions: Pick<Revisions, 'reload'>;
  readonly log: Logger;
}

/** Answers with what became of the reading: `activated`, `unchanged` or `refused` with its problems. */
export function createReloadWebhook({ secret, revisions, log }: WebhookOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const check = createWebhookCheck(secret);
    let bytes = 0;
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      // The rest runs out unread: a socket that is closed under who sends would lose the answer.
      if (bytes > MAX_DRAINED_BYTES) return sendRefusal(response, TOO_LARGE, undefined);
      if (bytes <= MAX_BODY_BYTES) check.update(piece);
    }
    if (bytes > MAX_BODY_BYTES) return sendRefusal(response, TOO_LARGE, undefined);
    const header = SIGNATURE_HEADERS.map((name) => request.headers[name]).find(
      (value) => value !== undefined,
    );
    if (!check.verify(Array.isArray(header) ? header[0] : header)) {
      log.warn({ path: WEBHOOK_PATH }, 'a webhook without a right signature was refused');
      return sendRefusal(response, NOT_SIGNED, undefined);
    }
    const result = await revisions.reload();
    const { hash, commit } = result.kind === 'refused' ? result.record : result.revision.record;
    return sendJson(response, 200, {
      status: result.kind,
      revision: hash,
      commit,
      ...(result.kind === 'refused'
        ? { problems: result.record.problems, serving: result.serving?.record.hash ?? null }
        : {}),
    });
  };
}

const NOT_SIGNED = {
  status: 401,
  code: 'WEBHOOK_NOT_SIGNED',
  message: 'The signature is missing or is not that of this body.',
  remedy: `Send "X-Hub-Signature-256: sha256=…", the HMAC of the body with the secret that the server was started with.`,
} as const;

const TOO_LARGE = {
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `The body has more than ${MAX_BODY_BYTES} bytes.`,
  remedy: 'An empty body will do.',
} as const;
