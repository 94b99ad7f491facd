// `/v1/messages/count_tokens`: a question, and no run: asked of the provider where it counts, else answered by our own count.
import { isExposed } from '../../language/plan/exchange.ts';
import type { Plan, PlanExposed } from '../../language/plan/types.ts';
import { countRequest } from '../../engine/execution/exchange/size.ts';
import type { ClientBody } from '../../engine/providers/client-body.ts';
import type { ExchangeRequest, Exchanger } from '../../engine/providers/exchange-port.ts';

export interface CountAsked {
  readonly plan: Plan;
  readonly exposed: PlanExposed;
  readonly body: ClientBody;
  readonly search: string;
  readonly headers: ExchangeRequest['headers'];
  readonly signal: AbortSignal;
}

export type ExchangerOf = (plan: Plan, provider: string) => Exchanger | undefined;

/** A provider that has not counted by then is not waited for. */
const COUNTED_WITHIN_MS = 10_000;

/** The JSON text of the answer. */
export async function countTokens(exchangerOf: ExchangerOf, asked: CountAsked): Promise<string> {
  const { plan, exposed, body } = asked;
  const task = plan.tasks[exposed.task];
  const step = task !== undefined && isExposed(task) ? task.steps[0] : undefined;
  const candidates = step?.kind === 'exchange' ? step.route.rules.flatMap((rule) => rule.candidates) : [];
  for (const key of new Set(candidates.map(({ model }) => model))) {
    const model = plan.models[key];
    const exchanger = model && exchangerOf(plan, model.provider);
    if (!exchanger?.speaks.includes('count_tokens')) continue;
    const counted = await countAt(exchanger, model?.model ?? '', asked);
    if (counted !== undefined) return counted;
  }
  return JSON.stringify({ input_tokens: await countRequest(body) });
}

async function countAt(
  exchanger: Exchanger,
  model: string,
  { body, search, headers, signal }: CountAsked,
): Promise<string | undefined> {
  let text = '';
  const outcome = await exchanger.exchange(
    { protocol: 'count_tokens', search, headers, body, model, maxOutputTokens: null, stream: false },
    {
      signal: AbortSignal.any([signal, AbortSignal.timeout(COUNTED_WITHIN_MS)]),
      onProgress: null,
      receiver: {
        begin: () => undefined,
        write: (piece) => void (text += Buffer.from(piece as string).toString('utf8')),
        learn: () => undefined,
        refused: () => undefined,
      },
    },
  );
  return outcome.ok ? text : undefined;
}
