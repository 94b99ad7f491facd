// What a client of `/v1` is refused with: once, with a sentence that a person reads and can act on.
import { nearest } from '../../common/nearest.ts';
import type { HttpRefusal } from '../refuse.ts';
import type { DoorRefusal } from './protocol.ts';

/** A refusal of the server's own, before a run: who may not come in, and who comes too often. */
export function fromHttp({ status, code, message, remedy, retryAfterMs, headers }: HttpRefusal): DoorRefusal {
  return {
    status,
    code: status === 401 ? 'invalid_api_key' : code.toLowerCase(),
    message: `${message} ${remedy}`,
    headers: {
      ...headers,
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    },
    ...(status === 429 ? { mayRetry: true as const } : {}),
  };
}

export function unknownModel(name: string, known: readonly string[]): DoorRefusal {
  const near = nearest(name, known);
  const has =
    known.length === 0
      ? 'This key may ask for none: expose one in headgate.yaml, or use a key with its scope.'
      : near === undefined
        ? `Ask for one of: ${known.join(', ')}.`
        : `Did you mean '${near}'? There are: ${known.join(', ')}.`;
  return { status: 404, code: 'model_not_found', message: `There is no model '${name}' here. ${has}` };
}

export function notAllowed(name: string, scope: string): DoorRefusal {
  return {
    status: 403,
    code: 'not_allowed',
    message: `This key may not run '${name}'. Use a key with the scope ${scope}: headgate keys create --scope ${scope}.`,
  };
}

export function nothingHere(path: string): DoorRefusal {
  return {
    status: 404,
    code: 'not_found',
    message: `There is nothing at ${path}. Served are /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, /v1/messages/count_tokens and /v1/models.`,
  };
}

export function wrongMethod(allowed: string): DoorRefusal {
  return {
    status: 405,
    code: 'method_not_allowed',
    message: `This is asked for with ${allowed}.`,
    headers: { Allow: allowed },
  };
}

export const NO_UPGRADE: DoorRefusal = {
  status: 426,
  code: 'upgrade_not_supported',
  message:
    'Responses are streamed as server-sent events here, not over a WebSocket. Send a POST with stream: true.',
};

export const FAILED_HERE: DoorRefusal = {
  status: 500,
  code: 'internal_error',
  message: "Headgate failed for a reason of its own. Look in the server's log.",
};
