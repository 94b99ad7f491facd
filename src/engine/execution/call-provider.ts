// Calls a provider: passes the text of a stream on, measures its first token, and watches it for silence.
import type { Clock } from '../../common/clock.ts';
import { fail } from '../../common/outcome.ts';
import type { PlanPolicy } from '../../language/plan/types.ts';
import type { CallContext, CallOutcome, ModelRequest } from '../providers/port.ts';
import type { StreamPace } from '../resilience/stream-pace.ts';
import { watchStream } from '../resilience/stream-watch.ts';
import { timeoutError } from './call-health.ts';
import type { ModelParts } from './choice.ts';

export interface ProviderCall {
  readonly outcome: CallOutcome;
  /** What came as deltas; '' where the call did not stream. */
  readonly text: string;
  readonly firstTokenMs: number | null;
}

/** How long a stream may be silent, in milliseconds. */
export type Silence = Pick<PlanPolicy, 'firstTokenMs' | 'stallMs'>;

/** Of a stream: who hears its text, and how long it may be silent. */
export interface CallWatch {
  readonly onText: ((delta: string) => void) | null;
  readonly silence: Silence;
  /** Its first token has come. */
  readonly onBegun: () => void;
  readonly pace: StreamPace | undefined;
  readonly beforeSend: () => Promise<unknown>;
}

/** A stream that is listened to. */
export interface Watched {
  readonly context: Required<Pick<CallContext, 'signal' | 'onProgress' | 'restMs'>>;
  /** So far; null: nothing has come yet. */
  firstTokenMs(): number | null;
  end(): void;
}

export async function callProvider(
  clock: Clock,
  { provider }: ModelParts,
  request: ModelRequest,
  signal: AbortSignal,
  { onText, silence, onBegun, pace, beforeSend }: CallWatch,
): Promise<ProviderCall> {
  const streaming = request.stream ? watched(clock, silence, signal, pace, onBegun) : null;
  let text = '';
  const heard = (delta: string): void => {
    // What comes after the abort belongs to nobody: the answer is a failure already.
    if (context.signal.aborted) return;
    text += delta;
    onText?.(delta);
  };
  const context: CallContext = streaming
    ? { ...streaming.context, onText: heard, beforeSend }
    : { signal, onText: null, onProgress: null, beforeSend };
  let outcome: CallOutcome;
  try {
    outcome = await provider.call(request, context);
  } catch (error) {
    // An adapter that throws what it should have classified: the call may have been billed, and the run goes on elsewhere.
    outcome = fail({
      class: context.signal.aborted ? 'cancelled' : 'unknown',
      advice: 'elsewhere',
      message: `${provider.name}: ${error instanceof Error ? error.name : 'an unknown error'} inside the adapter`,
      status: null,
      retryAfterMs: null,
      billed: 'maybe',
      usage: null,
      seenCharacters: 0,
      requestId: null,
      rateLimits: [],
    });
  } finally {
    streaming?.end();
  }
  const firstTokenMs = streaming?.firstTokenMs() ?? null;
  return { outcome: timeoutError(outcome, context.signal), text, firstTokenMs };
}

/** Aborts a stream that is silent for too long, and measures its first token. */
export function watched(
  clock: Clock,
  { firstTokenMs: silenceMs, stallMs }: Silence,
  signal: AbortSignal,
  pace: StreamPace | undefined,
  onBegun?: () => void,
): Watched {
  const startedAtMs = clock.monotonicMs();
  const controller = new AbortController();
  const abort = (reason: unknown): void => controller.abort(reason);
  const onAbort = (): void => abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const watch = watchStream({ clock, firstTokenMs: silenceMs, stallMs, abort });
  let firstTokenMs: number | null = null;
  return {
    context: {
      signal: controller.signal,
      onProgress: (kind) => {
        if (kind === 'token' && firstTokenMs === null) {
          firstTokenMs = clock.monotonicMs() - startedAtMs;
          onBegun?.();
        }
        watch.progress(kind);
      },
      restMs: () => (firstTokenMs === null ? 0 : (pace?.restMs(stallMs) ?? 0)),
    },
    firstTokenMs: () => firstTokenMs,
    end() {
      watch.end();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
