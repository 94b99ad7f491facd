// The doors: OpenAI's and Anthropic's protocols at `/v1`, for clients that know nothing of Headgate but its address and a key.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admission, Admitted } from '../admission.ts';
import type { GraphqlServices } from '../graphql/services.ts';
import { sendModels } from './models.ts';
import { dialectOf, refusalBody, sendDoorRefusal } from './protocol.ts';
import type { Dialect, DoorRefusal } from './protocol.ts';
import { fromHttp, NO_UPGRADE, nothingHere, wrongMethod } from './refusals.ts';

export interface DoorParts {
  readonly services: Pick<GraphqlServices, 'revisions'>;
  readonly admission: Admission;
}

export interface Doors {
  /** Answers a request whose path begins with `/v1/`; what it throws is no refusal. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
  /** A request to change to another protocol of the wire: there is none here. */
  refuseUpgrade(socket: Duplex): void;
}

export const DOORS_PATH = '/v1/';

export function createDoors({ services, admission }: DoorParts): Doors {
  async function answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const dialect = dialectOf(path, request.headers);
    const refuse = (refusal: DoorRefusal): void => sendDoorRefusal(response, dialect, refusal);
    if (path === '/v1/models' || path.startsWith('/v1/models/')) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(wrongMethod('GET'));
      return models(request, response, path, dialect);
    }
    return refuse(nothingHere(path));
  }

  function models(request: IncomingMessage, response: ServerResponse, path: string, dialect: Dialect): void {
    const admitted = admit(admission, request);
    if (!admitted.ok) return sendDoorRefusal(response, dialect, fromHttp(admitted.refusal));
    const { plan, record } = services.revisions.active();
    const name = path === '/v1/models' ? null : decoded(path.slice('/v1/models/'.length));
    const query = new URL(request.url ?? '/', 'http://local').searchParams;
    sendModels(response, dialect, {
      plan,
      caller: admitted.caller,
      sinceMs: record.compiledAtMs,
      name,
      query,
    });
  }

  return {
    answer,
    refuseUpgrade(socket) {
      const body = JSON.stringify(refusalBody('openai', NO_UPGRADE));
      socket.end(
        [
          `HTTP/1.1 ${NO_UPGRADE.status} Upgrade Required`,
          'Connection: close',
          'Content-Type: application/json; charset=utf-8',
          `Content-Length: ${Buffer.byteLength(body)}`,
          'x-should-retry: false',
          '',
          body,
        ].join('\r\n'),
      );
    },
  };
}

/** Both vendors' clients send keys in a header of their own; where no key is needed, what they send instead is not looked at. */
export function admit(admission: Admission, request: IncomingMessage): Admitted {
  const refusal = admission.place(request);
  if (refusal !== undefined) return { ok: false, refusal };
  return admission.caller(admission.isOpen ? undefined : keyOf(request));
}

/** A proxy in between may have put something of its own in one of the two. */
function keyOf({ headers: { authorization, 'x-api-key': apiKey } }: IncomingMessage): string | undefined {
  const own = typeof apiKey === 'string' && apiKey !== '' ? apiKey : undefined;
  return own !== undefined && (own.startsWith('hg_') || authorization === undefined) ? own : authorization;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
