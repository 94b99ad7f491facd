// An exchange step: a client's own body, counted, under the rule that holds, and answered by the first candidate that can.
import type { Json } from '../../../common/json.ts';
import { Candidates } from '../candidates.ts';
import type { StepCall } from '../execute.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { exchangeSize } from '../exchange/size.ts';
import type { LinkedExchangeStep } from '../link.ts';
import { loadTokenizer, tokenizerLoaded } from '../tokens.ts';
import { chooseRule, needsCount } from './model.ts';

export function exchangeStep(
  call: StepCall<LinkedExchangeStep>,
  exchange: Exchange,
): (signal: AbortSignal) => Promise<Json> {
  return async (signal) => {
    const { parts, run, linked, stepKey } = call;
    const { step } = linked;
    const startedAtMs = parts.clock.nowMs();
    if (!tokenizerLoaded() && needsCount(call)) await loadTokenizer();
    const size = await exchangeSize(parts.thread, exchange.body, signal);
    const { rule } = chooseRule(call, size);
    const keeps = run.linked.task.retain.content !== 'hash';
    const candidates = new Candidates(parts, {
      run,
      step: step.key,
      stepKey,
      // Two answers at once have no place in one.
      rule: { ...rule, hedge: null },
      request: {
        model: '',
        system: null,
        prompt: '',
        maxOutputTokens: 0,
        temperature: null,
        structured: null,
        stream: exchange.stream,
      },
      size,
      exchange: { exchange, step },
      judge: (_model, given) => ({ kind: 'good', output: keeps ? { text: given.text } : null }),
      receipt: (output) => ({
        runId: run.id,
        key: stepKey,
        kind: 'exchange',
        status: 'succeeded',
        startedAtMs,
        finishedAtMs: parts.clock.nowMs(),
        output,
        error: null,
      }),
      signal,
      cascade: false,
    });
    return await candidates.answer();
  };
}
