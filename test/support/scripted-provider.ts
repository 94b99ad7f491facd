// A Provider that answers as a test tells it to, on the clock it is given, and keeps a journal.
import { sleep } from '../../src/common/clock.ts';
import type { Clock } from '../../src/common/clock.ts';
import type { Json } from '../../src/common/json.ts';
import { fail, succeed } from '../../src/common/outcome.ts';
import type {
  CallContext,
  CallOutcome,
  ErrorClass,
  ModelRequest,
  Provider,
  ProviderError,
  Usage,
} from '../../src/engine/providers/port.ts';
import type { ProviderRegistry } from '../../src/engine/providers/registry-port.ts';

export interface Scripted {
  readonly text?: string;
  readonly json?: Json;
  readonly model?: string;
  readonly usage?: Partial<Usage> | null;
  /** Before the answer, or the failure. */
  readonly afterMs?: number;
  /** Answers, or goes on after the first of its deltas, once this is there. */
  readonly until?: Promise<unknown>;
  /** Given one by one where the request streams; those of an iterable as it has them. */
  readonly deltas?: readonly string[] | AsyncIterable<string>;
  readonly deltaEveryMs?: number;
  readonly fail?: ErrorClass;
  readonly advice?: ProviderError['advice'];
  readonly billed?: ProviderError['billed'];
  readonly retryAfterMs?: number;
  /** Never answers; hears only its signal. */
  readonly silent?: boolean;
}

export interface ScriptedCall {
  readonly provider: string;
  readonly request: ModelRequest;
  readonly atMs: number;
  readonly signal: AbortSignal;
}

export type Script = (call: ScriptedCall, number: number) => Scripted;

const RETRIED: ReadonlySet<ErrorClass> = new Set([
  'rate_limited',
  'overloaded',
  'server_error',
  'connection',
  'cut_stream',
  'malformed_stream',
]);
const GIVEN_UP: ReadonlySet<ErrorClass> = new Set(['content_filter', 'cancelled']);

export interface ScriptedProviders extends ProviderRegistry {
  readonly calls: ScriptedCall[];
  /** Providers that lack their key. */
  readonly unavailable: Map<string, string>;
}

export function scriptedProviders(clock: Clock, script: Script): ScriptedProviders {
  const calls: ScriptedCall[] = [];
  const unavailable = new Map<string, string>();
  const make = (name: string): Provider => ({
    name,
    unavailable: () => unavailable.get(name),
    async call(request, context) {
      const call = { provider: name, request, atMs: clock.monotonicMs(), signal: context.signal };
      calls.push(call);
      return perform(clock, script(call, calls.length), request, context);
    },
    close: () => Promise.resolve(),
  });
  const instances = new Map<string, Provider>();
  return {
    calls,
    unavailable,
    get(_plan, name) {
      let provider = instances.get(name);
      if (provider === undefined) {
        provider = make(name);
        instances.set(name, provider);
      }
      return provider;
    },
    retain: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function perform(
  clock: Clock,
  step: Scripted,
  request: ModelRequest,
  { signal, onText, onProgress }: CallContext,
): Promise<CallOutcome> {
  const given = step.deltas ?? [step.text ?? 'an answer'];
  const deltas = Symbol.asyncIterator in given ? [] : given;
  let said = deltas.join('');
  let seen = 0;
  try {
    if (step.silent === true) await sleep(clock, 86_400_000, signal);
    if (step.afterMs !== undefined) await sleep(clock, step.afterMs, signal);
    if (!request.stream) await heldBack(step, signal);
    else {
      for (const [index, delta] of deltas.entries()) {
        if (index === 1) await heldBack(step, signal);
        if (step.deltaEveryMs !== undefined) await sleep(clock, step.deltaEveryMs, signal);
        onProgress?.('token');
        onText?.(delta);
        seen += delta.length;
      }
      if (deltas.length < 2) await heldBack(step, signal);
      if (Symbol.asyncIterator in given)
        for (const pieces = given[Symbol.asyncIterator](); ;) {
          const piece = await unlessAborted(pieces.next(), signal);
          if (piece.done === true) break;
          onProgress?.('token');
          onText?.(piece.value);
          said += piece.value;
          seen += piece.value.length;
        }
    }
  } catch {
    return fail(error('cancelled', step, seen, 'maybe'));
  }
  if (step.fail !== undefined)
    return fail(error(step.fail, step, seen, step.billed ?? (seen > 0 ? 'yes' : 'no')));
  const text = step.text ?? (step.json === undefined ? said : JSON.stringify(step.json));
  return succeed({
    text,
    json: request.structured === null ? undefined : step.json,
    model: step.model ?? request.model,
    finishReason: 'stop',
    usage:
      step.usage === null
        ? null
        : {
            inputTokens: 20,
            cachedInputTokens: 0,
            cacheWriteTokens: 0,
            outputTokens: 10,
            reasoningTokens: 0,
            ...step.usage,
          },
    requestId: null,
    rateLimits: [],
  });
}

async function heldBack({ until }: Scripted, signal: AbortSignal): Promise<void> {
  if (until !== undefined) await unlessAborted(until, signal);
}

/** Throws once nobody waits any more. */
async function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function error(
  kind: ErrorClass,
  step: Scripted,
  seenCharacters: number,
  billed: ProviderError['billed'],
): ProviderError {
  const advice = step.advice ?? (RETRIED.has(kind) ? 'retry' : GIVEN_UP.has(kind) ? 'give-up' : 'elsewhere');
  return {
    class: kind,
    advice,
    message: `scripted ${kind}`,
    status: null,
    retryAfterMs: step.retryAfterMs ?? null,
    billed,
    usage: null,
    seenCharacters,
    requestId: null,
    rateLimits: [],
  };
}
