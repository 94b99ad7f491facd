// Why an answer ended means the same under every vendor's name for it.
import { describe, expect, it } from 'vitest';
import { endingOf } from '../../../../src/engine/providers/shared/finish.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';

describe('the reason why an answer ended', () => {
  it.each([
    [
      'stop',
      'stop end_turn stop_sequence eos_token eosFound stopStringFound STOP FINISH_REASON_STOP COMPLETE end',
    ],
    [
      'length',
      'length max_tokens MAX_TOKENS maxTokens max-tokens max_output_tokens max_new_tokens model_length truncated contextLengthReached maxPredictedTokensReached model_context_window_exceeded token_limit ERROR_LIMIT',
    ],
    [
      'content_filter',
      'content_filter content-filter content_filtered SAFETY IMAGE_SAFETY PROHIBITED_CONTENT IMAGE_PROHIBITED_CONTENT MODEL_ARMOR SPII sensitive guardrail_intervened ERROR_TOXIC refusal',
    ],
    [
      'failed',
      'error ERROR abort network_error MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL malformed_model_output',
    ],
    ['other', 'tool_calls tool_use function_call pause_turn LANGUAGE unknown'],
  ])('is %s', (ending, reasons) => {
    for (const reason of reasons.split(' ')) expect([reason, endingOf(reason)]).toEqual([reason, ending]);
  });

  it('is looked for in a name of usual length: a long one holds nobody up', () => {
    const before = cpuTimeMs();
    expect(endingOf(`${'max_'.repeat(25_000)}x`)).toBe('other');
    expect(cpuTimeMs() - before).toBeLessThan(1_000);
  });
});
