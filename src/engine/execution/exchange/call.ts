// Calls a provider for an exchange: watches the stream for silence, and says when nothing else may answer any more.
import type { Clock } from '../../../common/clock.ts';
import { fail } from '../../../common/outcome.ts';
import type { PlanExchangeStep } from '../../../language/plan/types.ts';
import { timeoutError } from '../call-health.ts';
import { watched, type CallWatch, type ProviderCall } from '../call-provider.ts';
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
  const streaming = exchange.stream
    ? watched(clock, step.patience[model.key] ?? model.policy, signal, pace)
    : null;
  const context = streaming?.context ?? { signal, onProgress: null };
  try {
    const outcome = await exchanger.exchange(exchange.request(step, model), {
      ...context,
      beforeSend,
      receiver: exchange.receiver(model),
    });
    const told = timeoutError(outcome, context.signal);
    return {
      // What has been given cannot be taken back: nobody else is asked.
      outcome:
        told.ok || !exchange.begun || told.error.class === 'cancelled'
          ? told
          : fail({ ...told.error, advice: 'give-up' }),
      text: '',
      firstTokenMs: streaming?.firstTokenMs() ?? null,
    };
  } finally {
    streaming?.end();
  }
}
