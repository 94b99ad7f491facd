// What a client of `/v1` is refused with: once, with a sentence that a person reads and can act on.
import { formatUsd } from '../../common/money.ts';
import { nearest } from '../../common/nearest.ts';
import type { BudgetRefusal } from '../../engine/budget/port.ts';
import type { RunResult } from '../../engine/execution/port.ts';
import type { AskedLimit } from '../../engine/execution/exchange/exchange.ts';
import type { RunRecord } from '../../engine/execution/records.ts';
import type { ClientProtocol } from '../../engine/providers/exchange-port.ts';
import type { RouteDecision } from '../../engine/routing/port.ts';
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

/** What a result of the engine is to a client; undefined: it is an answer. */
export function fromResult(result: RunResult, asked: DoorRequest): DoorRefusal | undefined {
  switch (result.kind) {
    case 'run':
      return fromRun(result.snapshot.run);
    case 'budget_exceeded':
      return spent(
        'budget_exceeded',
        `${result.message} ${whyHeld(result.refusal, asked)} ${result.remedy}`,
        asked,
      );
    case 'spending_paused':
      return spent('spending_paused', told(result), asked);
    case 'loop_detected':
      return { status: 400, code: 'loop_detected', message: told(result) };
    case 'no_provider_available':
      return isOnlyAcross(result.decision)
        ? {
            status: 400,
            code: 'cannot_translate',
            message: `'${asked.name}' is served by models of another protocol, and nothing is translated between protocols. Ask it with another client, or ask for a model that speaks this one. ${result.message}`,
          }
        : isOnlyTooLong(result.decision)
          ? {
              status: 400,
              code: 'context_length_exceeded',
              // In the words by which coding agents know that they have to shorten the conversation.
              message: `prompt is too long for '${asked.name}': ${result.message} Shorten it, or ask for less output.`,
            }
          : { status: 503, code: 'no_provider_available', message: told(result) };
    case 'invalid_input':
      return { status: 400, code: 'invalid_request', message: told(result) };
    case 'unauthorized':
      return notAllowed(asked.name, result.scope);
  }
}

export interface DoorRequest {
  readonly name: string;
  readonly protocol: ClientProtocol;
  /** Of the exposed name; null: none. */
  readonly maxOutputTokens: number | null;
  /** null: the client cannot set one. */
  readonly limit: AskedLimit | null;
}

/** Clients of responses go on with anything but a 400. */
function spent(code: string, message: string, { protocol }: DoorRequest): DoorRefusal {
  return { status: protocol === 'responses' ? 400 : 402, code, message };
}

function told({ message, remedy }: { readonly message: string; readonly remedy: string }): string {
  return `${message} ${remedy}`;
}

function whyHeld({ unit, needed }: BudgetRefusal, { protocol, maxOutputTokens, limit }: DoorRequest): string {
  if (protocol === 'embeddings' || unit === 'calls' || limit === null) return '';
  const held = unit === 'usd' ? `$${formatUsd(needed)}` : `${needed} tokens`;
  const { name, tokens } = limit;
  if (maxOutputTokens !== null && (tokens === null || tokens > maxOutputTokens))
    return `It holds ${held} because maxOutputTokens of this name is ${maxOutputTokens}.`;
  return tokens === null
    ? `It holds ${held} because the request sets no ${name}, so that the model may give as much as it can.`
    : `It holds ${held} because ${name} is ${tokens}.`;
}

function isOnlyAcross({ candidates }: RouteDecision): boolean {
  return candidates.length > 0 && candidates.every(({ skipped }) => skipped?.code === 'cannot_translate');
}

function isOnlyTooLong({ candidates }: RouteDecision): boolean {
  return (
    candidates.some(({ skipped }) => skipped?.code === 'context_too_small') &&
    candidates.every(({ skipped }) => skipped !== null && OF_THE_REQUEST.has(skipped.code))
  );
}

/** Why a candidate cannot serve this request, now or later. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  'context_too_small',
  'cannot_translate',
  'bound_elsewhere',
  'other_vectors',
]);

function fromRun({ status, error }: RunRecord): DoorRefusal | undefined {
  if (status === 'succeeded') return undefined;
  if (error === null) return FAILED_HERE;
  const code = error.code.toLowerCase();
  const message = told(error);
  switch (error.code) {
    case 'CONTENT_FILTERED':
    case 'REQUEST_REFUSED':
    case 'EXPRESSION_FAILED':
    case 'PARSE_FAILED':
      return { status: 400, code, message };
    case 'COST_EXHAUSTED':
      return { status: 402, code, message };
    case 'INTERNAL':
      return { status: 500, code, message };
    case 'SHUT_DOWN':
      return { status: 503, code, message, mayRetry: true };
    default:
      return { status: 503, code, message };
  }
}

export const STOPPING: DoorRefusal = {
  status: 503,
  code: 'shutting_down',
  message: 'This server is being stopped and takes nothing new. Send it again in a moment.',
  headers: { Connection: 'close', 'retry-after': '1' },
  mayRetry: true,
};

export const TOO_MANY_CALLS: DoorRefusal = {
  status: 429,
  code: 'too_many_operations',
  message: 'This caller has as many calls under way as it may. Wait for one to end before the next is sent.',
  headers: { 'retry-after': '1' },
  mayRetry: true,
};
