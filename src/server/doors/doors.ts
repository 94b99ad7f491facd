// The doors: OpenAI's and Anthropic's protocols at `/v1`, for clients that know nothing of Headgate but its address and a key.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Caller } from '../../engine/budget/port.ts';
import { Bindings } from '../../engine/execution/exchange/bindings.ts';
import type { ClientBody } from '../../engine/providers/client-body.ts';
import { limitProblem } from '../../engine/providers/client-limits.ts';
import type { ClientProtocol } from '../../engine/providers/exchange-port.ts';
import type { Plan, PlanExposed } from '../../language/plan/types.ts';
import type { Admission, Admitted } from '../admission.ts';
import { mayRun } from '../../engine/execution/scopes.ts';
import type { BytesInFlight } from '../guards/bytes-in-flight.ts';
import type { GraphqlServices } from '../graphql/services.ts';
import type { Operations } from '../operations.ts';
import type { ServerLimits } from '../options.ts';
import { setHeaders } from '../headers.ts';
import type { HeaderList } from '../headers.ts';
import { answerCall } from './call.ts';
import { countTokens } from './count-tokens.ts';
import type { ExchangerOf } from './count-tokens.ts';
import { headersToForward } from './headers.ts';
import { namesFor, sendModels } from './models.ts';
import { dialectOf, refusalBody, sendDoorRefusal } from './protocol.ts';
import type { Dialect, DoorRefusal } from './protocol.ts';
import { ClientGone, invalid, readRequest } from './read-request.ts';
import {
  FAILED_HERE,
  fromHttp,
  NO_UPGRADE,
  notAllowed,
  nothingHere,
  STOPPING,
  TOO_MANY_CALLS,
  unknownModel,
  wrongMethod,
} from './refusals.ts';
import { sessionOf } from './session.ts';
import { readTags } from './tags.ts';

export interface DoorParts {
  readonly services: Pick<GraphqlServices, 'revisions' | 'engine' | 'clock'>;
  readonly admission: Admission;
  readonly operations: Operations;
  readonly limits: Pick<
    ServerLimits,
    'maxBodyBytes' | 'maxJsonDepth' | 'maxJsonValues' | 'maxEmbeddedValues'
  >;
  readonly bytesInFlight: BytesInFlight;
  /** The provider of a plan, where it takes clients' own bodies. */
  readonly exchangerOf: ExchangerOf;
  readonly log: { error(fields: object, message: string): void };
}

export interface Doors {
  /** Answers a request whose path begins with `/v1/`. `headers`: what every answer carries. */
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    headers: HeaderList,
  ): Promise<void>;
  /** A request to change to another protocol of the wire: there is none here. */
  refuseUpgrade(socket: Duplex): void;
}

export const DOORS_PATH = '/v1/';

const CALLS: { readonly [path: string]: ClientProtocol } = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
  '/v1/embeddings': 'embeddings',
  '/v1/messages': 'messages',
  '/v1/messages/count_tokens': 'count_tokens',
};

/** How a client is answered. */
interface Manner {
  readonly dialect: Dialect;
  readonly headers: HeaderList;
  readonly refuse: (refusal: DoorRefusal) => void;
}

/** A call that may be made: who makes it, of what, and with which body. */
interface Let {
  readonly plan: Plan;
  readonly name: string;
  readonly exposed: PlanExposed;
  readonly caller: Caller;
  readonly tags: { readonly [key: string]: string };
  readonly body: ClientBody;
}

export function createDoors(parts: DoorParts): Doors {
  const { services, admission, operations, limits, bytesInFlight, exchangerOf, log } = parts;
  const { revisions, engine, clock } = services;
  const bindings = new Bindings();

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    headers: HeaderList,
  ): Promise<void> {
    const dialect = dialectOf(path, request.headers);
    const refuse = (refusal: DoorRefusal): void => {
      setHeaders(response, headers);
      sendDoorRefusal(response, dialect, refusal);
    };
    try {
      if (path === '/v1/models' || path.startsWith('/v1/models/')) {
        if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(wrongMethod('GET'));
        setHeaders(response, headers);
        return models(request, response, path, dialect);
      }
      const protocol = Object.hasOwn(CALLS, path) ? CALLS[path] : undefined;
      if (protocol === undefined) return refuse(nothingHere(path));
      if (request.method !== 'POST') return refuse(wrongMethod('POST'));
      await call(request, response, protocol, { dialect, headers, refuse });
    } catch (error) {
      if (error instanceof ClientGone) return;
      log.error({ err: error, path }, 'request failed');
      if (response.headersSent) response.destroy();
      else refuse(FAILED_HERE);
    }
  }

  function models(request: IncomingMessage, response: ServerResponse, path: string, dialect: Dialect): void {
    const admitted = admit(admission, request);
    if (!admitted.ok) return sendDoorRefusal(response, dialect, fromHttp(admitted.refusal));
    const { plan, record } = revisions.active();
    const name = path === '/v1/models' ? null : decoded(path.slice('/v1/models/'.length));
    const query = new URL(request.url ?? '/', 'http://local').searchParams;
    const { caller } = admitted;
    sendModels(response, dialect, { plan, caller, sinceMs: record.compiledAtMs, name, query });
  }

  async function call(
    request: IncomingMessage,
    response: ServerResponse,
    protocol: ClientProtocol,
    { dialect, headers, refuse }: Manner,
  ): Promise<void> {
    const admitted = admit(admission, request);
    if (!admitted.ok) return refuse(fromHttp(admitted.refusal));
    const { caller } = admitted;
    const busy = operations.begin({ caller });
    if (busy !== undefined)
      return refuse(busy.extensions['code'] === 'SHUTTING_DOWN' ? STOPPING : TOO_MANY_CALLS);
    const held = bytesInFlight.hold(caller.name);
    try {
      const maxBytes = Math.max(admitted.maxBodyBytes ?? 0, limits.maxBodyBytes);
      const jsonLimits =
        protocol === 'embeddings' ? { ...limits, maxJsonValues: limits.maxEmbeddedValues } : limits;
      const read = await readRequest(request, maxBytes, jsonLimits, held);
      if (!read.ok) return refuse(read.error);
      const asked = letIn(request, caller, protocol, read.value);
      if ('status' in asked) return refuse(asked);
      const { plan, exposed, body, name, tags } = asked;
      if (protocol === 'count_tokens') {
        const search = new URL(request.url ?? '/', 'http://local').search;
        const forwarded = headersToForward(request.headers);
        const { signal } = new AbortController();
        const asking = { plan, exposed, body, search, headers: forwarded, signal };
        const counted = await countTokens(exchangerOf, asking);
        setHeaders(response, headers);
        response.writeHead(200, { 'content-type': 'application/json' }).end(counted);
        return;
      }
      await answerCall(
        { engine, bindings, clock },
        {
          request,
          response,
          headers,
          protocol,
          dialect,
          plan,
          caller: asked.caller,
          name,
          body,
          options: { tags },
        },
      );
    } finally {
      held.release();
      operations.end({ caller });
    }
  }

  /** What is asked for, if it is there and the caller may have it. */
  function letIn(
    { headers }: IncomingMessage,
    caller: Caller,
    protocol: ClientProtocol,
    body: ClientBody,
  ): Let | DoorRefusal {
    const { plan } = revisions.active();
    const { repeated } = body;
    if (repeated !== undefined) return invalid(`The request has '${repeated}' twice. Send it once.`);
    const { model: name, background } = body.value;
    if (typeof name !== 'string' || name === '')
      return invalid("The request names no model. Send 'model' with one of those that /v1/models lists.");
    const exposed = Object.hasOwn(plan.exposed ?? {}, name) ? plan.exposed?.[name] : undefined;
    if (exposed === undefined) return unknownModel(name, namesFor(plan, caller));
    if (!mayRun(caller, exposed.task)) return notAllowed(name, `run:${exposed.task}`);
    if (background === true)
      return invalid(
        'A response in the background has no end here at which it could be paid for. Leave background out, and stream instead.',
      );
    const wrongLimit = limitProblem(protocol, body.value);
    if (wrongLimit !== undefined) return invalid(wrongLimit);
    const tags = readTags(headers['x-headgate-tags']);
    if (!tags.ok) return invalid(tags.error);
    const session = sessionOf(headers, body.value);
    return {
      plan,
      name,
      exposed,
      caller: session === undefined ? caller : { ...caller, session },
      tags: tags.value,
      body,
    };
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
function admit(admission: Admission, request: IncomingMessage): Admitted {
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
