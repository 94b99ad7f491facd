// Forms in which servers of OpenAI's protocols give an answer, beside the one that is documented.
import { describe, expect, it } from 'vitest';
import { chatReader } from '../../../../src/engine/providers/openai/chat.ts';
import { responsesReader } from '../../../../src/engine/providers/openai/responses.ts';
import { readWhole } from '../../../../src/engine/providers/shared/read-whole.ts';
import { createRedactor } from '../../../../src/engine/providers/shared/redact.ts';

const part = (content: unknown) => ({ type: 'message', role: 'assistant', content });
const textOf = (response: object): string => {
  const { reading, whole } = responsesReader();
  whole({ status: 'completed', ...response });
  return reading.text;
};

describe('responses', () => {
  it.each<readonly [string, object]>([
    ['parts that are called text', { output: [part([{ type: 'text', text: 'Here.' }])] }],
    ['the text beside an empty output', { output: [], output_text: 'Here.' }],
    [
      'the text beside the output, which has it too',
      { output: [part([{ type: 'output_text', text: 'Here.' }])], output_text: 'Here.' },
    ],
  ])('%s', (_title, response) => {
    expect(textOf(response)).toBe('Here.');
  });

  it('INV-10: a text that a stream gives in a done item alone is not lost', () => {
    const { reading, event } = responsesReader();
    event({ type: 'response.output_item.done', item: part([{ type: 'output_text', text: 'Here.' }]) });
    event({ type: 'response.completed', response: { status: 'completed' } });
    expect(reading).toMatchObject({ wholeText: 'Here.', finishReason: 'stop', complete: true });
  });

  it('INV-1: what a response used until it failed is counted', () => {
    const reader = responsesReader();
    const body = {
      object: 'response',
      status: 'failed',
      error: { code: 'server_error', message: 'It broke' },
      output: [],
      usage: { input_tokens: 1000, output_tokens: 400 },
    };
    const end = readWhole(JSON.stringify(body), 'application/json', reader, createRedactor([]));
    expect(end.kind).toBe('failed');
    expect(reader.reading).toMatchObject({
      failure: { message: 'It broke' },
      usage: { inputTokens: 1000, outputTokens: 400 },
    });
  });
});

describe('chat', () => {
  it('a refusal among the parts of the content is one', () => {
    const { reading, whole } = chatReader();
    const content = [{ type: 'refusal', refusal: 'I cannot.' }];
    whole({ choices: [{ message: { content }, finish_reason: 'stop' }] });
    expect(reading.blocked).toBe('refused: I cannot.');
  });

  it.each(['MAX_TOKENS', 'max_output_tokens', 'max_new_tokens'])('%s is an answer that was cut', (reason) => {
    const { reading, whole } = chatReader();
    whole({ choices: [{ message: { content: 'cut' }, finish_reason: reason }] });
    expect(reading.finishReason).toBe('length');
  });
});
