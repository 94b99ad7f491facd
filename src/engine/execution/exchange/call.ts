// Calls a provider for an exchange: watches the stream for silence, and says when nothing else may answer any more.
import type { Clock } from '../../../common/clock.ts';
import { fail } from '../../../common/outcome.ts';
import type { PlanExchangeStep } from '../../../language/plan/types.ts';
import { watchStream } from '../../resilience/stream-watch.ts';
import { timeoutError } from '../call-health.ts';
import type { CallWatch, ProviderCall } from '../call-provider.ts';
import type { ModelParts } from '../choice.ts';
import type { Exchange } from './exchange.ts';

/** What a step asks with, where it is a client's own request that is asked. */
export interface ExchangeAsk {
  readonly exchange: Exchange;
  readonly step: PlanExchangeStep;
}

export async function callExchange(
  clock: Clock,
  { provider, model }: ModelParts,
  { exchange, step }: ExchangeAsk,
  signal: AbortSignal,
  { pace, beforeSend }: Pick<CallWatch, 'pace' | 'beforeSend'>,
): Promise<ProviderCall> {
  const { exchanger } = provider;
  if (exchanger === undefined) throw new Error(`${provider.name} was asked for an exchange`);
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const { firstTokenMs: silenceMs, stallMs } = step.patience[model.key] ?? model.policy;
  const watch = exchange.stream
    ? watchStream({
        clock,
        firstTokenMs: silenceMs,
        stallMs,
        abort: (reason) => controller.abort(reason),
      })
    : null;
  const startedAtMs = clock.monotonicMs();
  let firstTokenMs: number | null = null;
  try {
    const outcome = await exchanger.exchange(exchange.request(step, model), {
      signal: controller.signal,
      beforeSend,
      onProgress(kind) {
        if (kind === 'token' && exchange.stream) firstTokenMs ??= clock.monotonicMs() - startedAtMs;
        watch?.progress(kind);
      },
      restMs: () => (firstTokenMs === null ? 0 : (pace?.restMs(stallMs) ?? 0)),
      receiver: exchange.receiver(model),
    });
    const told = timeoutError(outcome, controller.signal);
    return {
      // What has been given cannot be taken back: nobody else is asked.
      outcome:
        told.ok || !exchange.begun || told.error.class === 'cancelled'
          ? told
          : fail({ ...told.error, advice: 'give-up' }),
      text: '',
      firstTokenMs,
    };
  } finally {
    watch?.end();
    signal.removeEventListener('abort', onAbort);
  }
}
