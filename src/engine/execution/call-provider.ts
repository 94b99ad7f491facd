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
  readonly pace: StreamPace | undefined;
  readonly beforeSend: () => Promise<unknown>;
}

interface Streaming {
  readonly context: CallContext;
  /** So far. */
  read(): Pick<ProviderCall, 'text' | 'firstTokenMs'>;
  end(): void;
}

const NOTHING_STREAMED = { text: '', firstTokenMs: null };

export async function callProvider(
  clock: Clock,
  { provider }: ModelParts,
  request: ModelRequest,
  signal: AbortSignal,
  { onText, silence, pace, beforeSend }: CallWatch,
): Promise<ProviderCall> {
  const streaming = request.stream ? watched(clock, silence, signal, onText, pace) : null;
  const context = { ...(streaming?.context ?? { signal, onText: null, onProgress: null }), beforeSend };
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
  return { outcome: timeoutError(outcome, context.signal), ...(streaming?.read() ?? NOTHING_STREAMED) };
}

function watched(
  clock: Clock,
  { firstTokenMs: silenceMs, stallMs }: Silence,
  signal: AbortSignal,
  onText: ((delta: string) => void) | null,
  pace: StreamPace | undefined,
): Streaming {
  const startedAtMs = clock.monotonicMs();
  const controller = new AbortController();
  const abort = (reason: unknown): void => controller.abort(reason);
  const onAbort = (): void => abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const watch = watchStream({ clock, firstTokenMs: silenceMs, stallMs, abort });
  let text = '';
  let firstTokenMs: number | null = null;
  return {
    context: {
      signal: controller.signal,
      onText: (delta) => {
        // What comes after the abort belongs to nobody: the answer is a failure already.
        if (controller.signal.aborted) return;
        text += delta;
        onText?.(delta);
      },
      onProgress: (kind) => {
        if (kind === 'token') firstTokenMs ??= clock.monotonicMs() - startedAtMs;
        watch.progress(kind);
      },
      restMs: () => (firstTokenMs === null ? 0 : (pace?.restMs(stallMs) ?? 0)),
    },
    read: () => ({ text, firstTokenMs }),
    end() {
      watch.end();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
