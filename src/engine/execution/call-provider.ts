// Calls a provider: passes the text of a stream on, measures its first token, and watches it for silence.
import type { Clock } from '../../common/clock.ts';
import { fail } from '../../common/outcome.ts';
import type { CallContext, CallOutcome, ModelRequest } from '../providers/port.ts';
import { watchStream } from '../resilience/stream-watch.ts';
import { timeoutError } from './call-health.ts';
import type { ModelParts } from './choice.ts';

export interface ProviderCall {
  readonly outcome: CallOutcome;
  /** What came as deltas; '' where the call did not stream. */
  readonly text: string;
  readonly firstTokenMs: number | null;
}

interface Streaming {
  readonly context: CallContext;
  /** So far. */
  read(): Pick<ProviderCall, 'text' | 'firstTokenMs'>;
  end(): void;
}

export interface CallOptions {
  readonly onText: ((delta: string) => void) | null;
  /** The caller wants a stream: silence is a failure. One that is only asked for so that what is produced is seen may think as long as a whole answer. */
  readonly isWatched: boolean;
  readonly beforeSend: () => Promise<unknown>;
}

const NEVER_SILENT = { firstTokenMs: Number.POSITIVE_INFINITY, stallMs: Number.POSITIVE_INFINITY };
const NOTHING_STREAMED = { text: '', firstTokenMs: null };

export async function callProvider(
  clock: Clock,
  { provider, model }: ModelParts,
  request: ModelRequest,
  signal: AbortSignal,
  { onText, isWatched, beforeSend }: CallOptions,
): Promise<ProviderCall> {
  const silence = isWatched ? model.policy : NEVER_SILENT;
  const streaming = request.stream ? watched(clock, silence, signal, onText) : null;
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
  { firstTokenMs: silenceMs, stallMs }: Pick<ModelParts['model']['policy'], 'firstTokenMs' | 'stallMs'>,
  signal: AbortSignal,
  onText: ((delta: string) => void) | null,
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
    },
    read: () => ({ text, firstTokenMs }),
    end() {
      watch.end();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
