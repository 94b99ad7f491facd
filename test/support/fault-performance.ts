// Plays one behaviour of the fault server on one request: what is sent, when, and where it breaks off.
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../src/common/clock.ts';
import { REFUSALS } from './fault-refusals.ts';
import type { Behaviour, FaultCall, Mutable } from './fault-server.ts';
import { WIRES } from './fault-wire.ts';
import type { WireAnswer } from './fault-wire.ts';

/** Resolves when the server has done its part; a behaviour that leaves the client waiting resolves at once. */
export async function perform(
  behaviour: Behaviour,
  call: Mutable<FaultCall>,
  response: ServerResponse,
  clock: Clock,
): Promise<void> {
  const pause = (delayMs: number | undefined): Promise<void> =>
    delayMs === undefined || delayMs <= 0
      ? Promise.resolve()
      : new Promise((resolve) => void clock.after(delayMs, resolve));
  if (behaviour.connection === 'reset') {
    call.ended = 'cut';
    response.socket?.resetAndDestroy();
    return;
  }
  if (behaviour.connection === 'silent') return;
  await pause(behaviour.headersAfterMs);
  const refusal = refusalFor(behaviour, call);
  const answer = answerFor(behaviour, call);
  const headers = {
    'x-request-id': `req_fault_${call.number}`,
    'request-id': `req_fault_${call.number}`,
    ...behaviour.headers,
  };
  if (refusal !== null) {
    call.status = refusal.status;
    call.ended = 'refused';
    response.writeHead(refusal.status, {
      'content-type': behaviour.contentType ?? 'application/json',
      ...headers,
    });
    response.end(typeof refusal.body === 'string' ? refusal.body : JSON.stringify(refusal.body));
    return;
  }
  call.status = 200;
  const bill = (outputTokens: number): void => {
    call.billed = { inputTokens: answer.usage?.inputTokens ?? DEFAULT_INPUT_TOKENS, outputTokens };
  };
  if (!call.stream) {
    await pause(behaviour.firstTokenAfterMs);
    bill(answer.usage?.outputTokens ?? answer.pieces.length);
    call.tokensSent = answer.pieces.length;
    const text = JSON.stringify(WIRES[call.protocol].whole(answer));
    response.writeHead(200, {
      'content-type': behaviour.contentType ?? 'application/json',
      'content-length': Buffer.byteLength(text),
      ...headers,
    });
    if (behaviour.cutAtToken !== undefined) {
      call.ended = 'cut';
      response.write(text.slice(0, text.length / 2), () => response.socket?.resetAndDestroy());
      return;
    }
    call.ended = 'complete';
    response.end(text);
    return;
  }
  response.writeHead(200, {
    'content-type': behaviour.contentType ?? 'text/event-stream; charset=utf-8',
    ...headers,
  });
  response.flushHeaders();
  const write = (text: string): Promise<void> => writeSlices(response, text, behaviour.sliceBytes);
  const wire = WIRES[call.protocol];
  if (behaviour.stallAtToken === 0) return;
  await pause(behaviour.firstTokenAfterMs);
  if (behaviour.errorAtToken !== 0) for (const text of wire.opening(answer)) await write(text);
  bill(0);
  for (let number = 0; number <= answer.pieces.length; number += 1) {
    if (response.destroyed) return;
    const piece = answer.pieces[number - 1];
    if (piece !== undefined) {
      const text = wire.piece(answer, piece);
      await write(
        number === behaviour.damageToken ? `${text.slice(0, text.trimEnd().length - 7)}\n\n` : text,
      );
      call.tokensSent = number;
      bill(number + (answer.usage?.reasoningTokens ?? 0));
    }
    if (number === behaviour.malformedAtToken) await write('data: {this is not json\n\n');
    if (number === behaviour.stallAtToken) return;
    if (number === behaviour.cutAtToken) {
      call.ended = 'cut';
      response.socket?.destroy();
      return;
    }
    if (number === behaviour.endAtToken) {
      call.ended = 'cut';
      response.end();
      return;
    }
    if (number === behaviour.errorAtToken) {
      await write(wire.error(REFUSALS[behaviour.errorName ?? 'overloaded'](call.protocol)));
      call.ended = 'refused';
      response.end();
      return;
    }
    if (number < answer.pieces.length) await pause(behaviour.tokenEveryMs);
  }
  const streamOptions = call.body['stream_options'] as { include_usage?: unknown } | undefined;
  const { events, endMarker } = wire.closing(answer, streamOptions?.include_usage === true);
  for (const text of events) await write(text);
  if (behaviour.omitEndMarker !== true) await write(endMarker);
  bill(answer.usage?.outputTokens ?? answer.pieces.length);
  call.ended = 'complete';
  if (behaviour.keepOpen !== true) response.end();
}

const DEFAULT_INPUT_TOKENS = 20;

function answerFor(behaviour: Behaviour, call: FaultCall): WireAnswer {
  const { tokens = 60, text, usage } = behaviour;
  const pieces =
    text !== undefined
      ? (text.match(/[\s\S]{1,4}/gu) ?? [])
      : typeof tokens === 'number'
        ? Array.from({ length: tokens }, (_, index) => `t${index + 1}${index + 1 < tokens ? ' ' : ''}`)
        : tokens;
  const choice = call.body['tool_choice'] as { type?: unknown; name?: unknown } | undefined;
  return {
    model: behaviour.model ?? call.model,
    pieces,
    usage:
      usage === null
        ? null
        : {
            inputTokens: DEFAULT_INPUT_TOKENS,
            cachedInputTokens: 0,
            outputTokens: pieces.length,
            reasoningTokens: 0,
            ...usage,
          },
    finish: behaviour.finish === undefined ? 'stop' : behaviour.finish,
    tool: choice?.type === 'tool' && typeof choice.name === 'string' ? choice.name : null,
  };
}

function refusalFor(
  behaviour: Behaviour,
  call: FaultCall,
): { readonly status: number; readonly body: unknown } | null {
  const { protocol } = call;
  const messages = call.body['messages'];
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  const isPrefill =
    behaviour.rejectPrefill === true && (last as { role?: unknown } | undefined)?.role === 'assistant';
  const name = behaviour.refuse ?? (isPrefill ? 'prefill' : undefined);
  if (name === undefined && behaviour.status === undefined) return null;
  const refusal = REFUSALS[name ?? 'server_error'](protocol);
  const status = behaviour.status ?? refusal.status;
  return {
    status,
    body:
      behaviour.body ??
      WIRES[protocol].refusal({ ...refusal, message: behaviour.message ?? refusal.message }),
  };
}

async function writeSlices(
  response: ServerResponse,
  text: string,
  sliceBytes: number | undefined,
): Promise<void> {
  const bytes = Buffer.from(text);
  const size = sliceBytes ?? bytes.length;
  for (let start = 0; start < bytes.length; start += size) {
    if (response.destroyed) return;
    // One packet a slice: the reader sees the pieces as they were cut.
    await new Promise<void>((resolve) =>
      response.write(bytes.subarray(start, start + size), () => resolve()),
    );
  }
}
