// Calls a provider: for a whole answer, or for a stream, where this passes text on, measures the first token, and watches for silence.
import type { Clock } from '../../common/clock.ts';
import { fail } from '../../common/outcome.ts';
import type { CallContext, CallOutcome, ModelRequest, Provider } from '../providers/port.ts';
import { watchStream } from '../resilience/stream-watch.ts';
import { timeoutError } from './call-health.ts';
import type { ModelParts } from './choice.ts';

export interface StreamedCall {
  readonly outcome: CallOutcome;
  /** What came as deltas. */
  readonly text: string;
  readonly firstTokenMs: number | null;
}

export function callWhole(
  { provider }: ModelParts,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<CallOutcome> {
  return guarded(provider, request, { signal, onText: null, onProgress: null });
}

export async function callStreaming(
  clock: Clock,
  { provider, model }: ModelParts,
  request: ModelRequest,
  signal: AbortSignal,
  onText: ((delta: string) => void) | null,
): Promise<StreamedCall> {
  const startedAtMs = clock.monotonicMs();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const { firstTokenMs: silenceMs, stallMs } = model.policy;
  const watch = watchStream({
    clock,
    firstTokenMs: silenceMs,
    stallMs,
    abort: (reason) => controller.abort(reason),
  });
  let text = '';
  let firstTokenMs: number | null = null;
  try {
    const outcome = await guarded(provider, request, {
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
    });
    return { outcome: timeoutError(outcome, controller.signal), text, firstTokenMs };
  } finally {
    watch.end();
    signal.removeEventListener('abort', onAbort);
  }
}

/** An adapter that throws what it should have classified: the call may have been billed, and the run goes on elsewhere. */
async function guarded(
  provider: Provider,
  request: ModelRequest,
  context: CallContext,
): Promise<CallOutcome> {
  try {
    return await provider.call(request, context);
  } catch (error) {
    return fail({
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
  }
}
