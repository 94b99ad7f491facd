// Reading Anthropic's messages and their events.
import { describe, expect, it } from 'vitest';
import { messageReader } from '../../../../src/engine/providers/anthropic/messages.ts';
import type { JsonMembers } from '../../../../src/engine/providers/shared/reading.ts';

const start: JsonMembers = {
  type: 'message_start',
  message: {
    model: 'claude-fable-5',
    usage: {
      input_tokens: 10,
      cache_read_input_tokens: 90,
      cache_creation_input_tokens: 5,
      output_tokens: 1,
    },
  },
};
const end = (reason: string | null): JsonMembers => ({
  type: 'message_delta',
  delta: { stop_reason: reason },
  usage: { output_tokens: 7 },
});

describe('reading Messages', () => {
  it.each([
    ['length', 'length'],
    ['stop', 'stop'],
    ['pause_turn', 'other'],
  ])('reads the stop reason %s of a compatible server', (reason, finishReason) => {
    const { reading, whole } = messageReader(false);
    whole({ content: [{ type: 'text', text: 'a' }], stop_reason: reason });
    expect(reading.finishReason).toBe(finishReason);
  });

  it('takes a filter for one and a failure for one, whoever names it in a stop reason', () => {
    const filtered = messageReader(false);
    filtered.whole({ content: [], stop_reason: 'content_filter' });
    expect(filtered.reading.blocked).toContain('content_filter');
    const failed = messageReader(false);
    failed.whole({ content: [], stop_reason: 'error' });
    expect(failed.reading.failure?.message).toContain('error');
  });

  it('reads the input of a tool that came as the text that the model wrote', () => {
    const input = '{"name":"Ada"}';
    const whole = messageReader(true);
    whole.whole({ content: [{ type: 'tool_use', input }], stop_reason: 'tool_use' });
    expect(whole.reading.text).toBe(input);
    const { event } = messageReader(true);
    event({ type: 'content_block_start', content_block: { type: 'tool_use', input } });
    expect(event(end('tool_use')).text).toBe(input);
  });

  it('merges the usage of the first event with that of the last', () => {
    const { reading, event } = messageReader(false);
    event(start);
    expect(reading.usage).toMatchObject({ inputTokens: 105, outputTokens: 1 });
    event(end('end_turn'));
    expect(reading).toMatchObject({
      complete: true,
      finishReason: 'stop',
      usage: {
        inputTokens: 105,
        cachedInputTokens: 90,
        cacheWriteTokens: 5,
        outputTokens: 7,
        reasoningTokens: 0,
      },
    });
  });

  it('keeps the half of a usage that is told', () => {
    const { reading, event } = messageReader(false);
    event(end('end_turn'));
    expect(reading.usage).toMatchObject({ inputTokens: 0, outputTokens: 7 });
  });

  it('reports the model that took over in the middle', () => {
    const { reading, event } = messageReader(false);
    event(start);
    event({
      type: 'content_block_start',
      index: 0,
      content_block: {
        type: 'fallback',
        from: { model: 'claude-fable-5' },
        to: { model: 'claude-opus-4-8' },
      },
    });
    expect(reading.model).toBe('claude-opus-4-8');
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'other'],
    ['pause_turn', 'other'],
    ['something_new', 'other'],
    [null, null],
  ])('takes the stop reason %s for %s', (reason, finishReason) => {
    const { reading, event } = messageReader(false);
    event(end(reason));
    expect(reading.finishReason).toBe(finishReason);
  });

  it('counts thinking as output, and leaves it out of the text', () => {
    const { event } = messageReader(false);
    expect(
      event({ type: 'content_block_delta', delta: { type: 'thinking_delta', thinking: 'Hm.' } }),
    ).toEqual({ text: '', isOutput: true });
    expect(event({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'Yes.' } })).toEqual({
      text: 'Yes.',
      isOutput: true,
    });
    expect(event({ type: 'ping' })).toEqual({ text: '', isOutput: false });
  });

  it('takes the input of the forced tool for the answer, and leaves talk beside it out', () => {
    const { reading, whole } = messageReader(true);
    whole({
      model: 'm',
      content: [
        { type: 'text', text: 'Sure.' },
        { type: 'tool_use', input: { a: 1 } },
      ],
      stop_reason: 'tool_use',
    });
    expect(reading).toMatchObject({ text: '{"a":1}', finishReason: 'stop' });
    const { event } = messageReader(true);
    expect(event({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'Sure.' } }).text).toBe(
      '',
    );
    expect(
      event({ type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '{"a"' } }).text,
    ).toBe('{"a"');
  });

  it('makes nothing of shapes that it does not know', () => {
    const { reading, event } = messageReader(false);
    for (const data of [
      {},
      { type: 'message_start' },
      { type: 'content_block_delta' },
      { type: 'message_delta' },
      { type: 'new_event' },
    ])
      event(data);
    expect(reading).toMatchObject({ text: '', finishReason: null, failure: null, usage: null });
  });
});
