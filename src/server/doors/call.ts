// A call at a door: the client's own body as a run of the name that it asks for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../common/clock.ts';
import { formatUsd } from '../../common/money.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { Caller } from '../../engine/budget/port.ts';
import type { Engine, RunOptions } from '../../engine/execution/port.ts';
import type { Bindings } from '../../engine/execution/exchange/bindings.ts';
import { Exchange } from '../../engine/execution/exchange/exchange.ts';
import type { ClientBody } from '../../engine/providers/client-body.ts';
import type { ClientProtocol } from '../../engine/providers/exchange-port.ts';
import type { Plan } from '../../language/plan/types.ts';
import type { HeaderList } from '../headers.ts';
import { DoorAnswer } from './answer.ts';
import { failureEvent } from './failure-event.ts';
import { headersToForward } from './headers.ts';
import type { Dialect, DoorRefusal } from './protocol.ts';
import { fromResult } from './refusals.ts';
import { answerByTask } from './task-answer.ts';

export interface CallParts {
  readonly engine: Pick<Engine, 'run'>;
  readonly bindings: Bindings;
  readonly clock: Clock;
}

export interface DoorCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What every answer carries. */
  readonly headers: HeaderList;
  readonly protocol: Exclude<ClientProtocol, 'count_tokens'>;
  readonly dialect: Dialect;
  readonly plan: Plan;
  /** With the session that the client says. */
  readonly caller: Caller;
  /** The exposed name. */
  readonly name: string;
  readonly body: ClientBody;
  readonly options: RunOptions;
}

export async function answerCall(parts: CallParts, call: DoorCall): Promise<void> {
  const { response, headers, protocol, dialect, plan, caller, name, body, options, request } = call;
  const exposed = plan.exposed?.[name];
  if (exposed === undefined) throw new Error(`${name} is not exposed`);
  const signal = goneSignal(response);
  const stream = protocol !== 'embeddings' && body.value['stream'] === true;
  const answer = new DoorAnswer({
    response,
    headers,
    dialect,
    stream,
    clock: parts.clock,
    failureEvent: (refusal) => failureEvent(protocol, refusal),
  });
  const onEvent = (event: { readonly type: string; readonly runId: string }): void => {
    if (event.type === 'queued') answer.runId = event.runId;
  };
  try {
    if (exposed.input !== null) {
      await answerByTask(parts, call, { task: exposed.task, input: exposed.input, answer, signal, onEvent });
      return;
    }
    const exchange = new Exchange({
      protocol,
      search: searchOf(request),
      headers: headersToForward(request.headers),
      body,
      taker: answer,
      bindings: parts.bindings,
    });
    const result = await parts.engine.run({
      task: exposed.task,
      input: {},
      caller,
      options,
      exchange,
      stream,
      signal,
      onEvent,
    });
    const step = plan.tasks[exposed.task]?.steps[0];
    const maxOutputTokens = step?.kind === 'exchange' ? step.maxOutputTokens : null;
    const refusal = fromResult(result, { name, protocol, maxOutputTokens, limit: exchange.limit });
    if (refusal === undefined) {
      answer.end(result.kind === 'run' ? formatUsd(result.snapshot.run.costNanoUsd) : '0');
      return;
    }
    const { refused } = exchange;
    if (refused !== undefined && !answer.hasBegun && isOfTheProvider(refusal))
      answer.passOn(refused.head, refused.body);
    else answer.refuse(refusal);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    answer.refuse(stopping(error));
  }
}

/** Its own words are better than ours where what it refused is the request itself. */
function isOfTheProvider({ code }: DoorRefusal): boolean {
  return ['no_provider_available', 'content_filtered', 'request_refused', 'attempts_exhausted'].includes(
    code,
  );
}

function stopping({ code, message, remedy }: HeadgateError): DoorRefusal {
  return {
    status: 503,
    code: code.toLowerCase(),
    message: `${message.replace(/[^.]$/, '$&.')} ${remedy}`,
    headers: { 'retry-after': '1' },
    mayRetry: true,
  };
}

function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  };
  // It may have gone since its request was read.
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}

function searchOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
}
