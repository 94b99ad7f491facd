// Reading answers of OpenAI and of those who nearly speak its protocol.
import { describe, expect, it } from 'vitest';
import { chatReader } from '../../../../src/engine/providers/openai/chat.ts';
import { errorInside } from '../../../../src/engine/providers/shared/error-body.ts';
import { responsesReader } from '../../../../src/engine/providers/openai/responses.ts';
import type { AnswerReader, JsonMembers } from '../../../../src/engine/providers/shared/reading.ts';

function stream(
  reader: AnswerReader,
  ...events: readonly JsonMembers[]
): { readonly text: string; readonly silent: number } {
  const pieces = events.map((event) => reader.event(event));
  return {
    text: pieces.map((piece) => piece.text).join(''),
    silent: pieces.filter((piece) => piece.isOutput && piece.text === '').length,
  };
}

const choice = (delta: object, finish: string | null = null): JsonMembers => ({
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

describe('reading Chat Completions', () => {
  it('takes a refusal, whole or in pieces, for an answer that was withheld', () => {
    const whole = chatReader();
    whole.whole({
      choices: [{ message: { content: null, refusal: 'I cannot help with that.' }, finish_reason: 'stop' }],
    });
    expect(whole.reading.blocked).toBe('refused: I cannot help with that.');
    const pieces = chatReader();
    const heard = stream(
      pieces,
      choice({ refusal: 'I ' }),
      choice({ refusal: 'cannot.' }),
      choice({}, 'stop'),
    );
    expect(pieces.reading.blocked).toBe('refused: I cannot.');
    expect(heard).toEqual({ text: '', silent: 2 });
  });

  it('says which of the filters it was, as Azure tells', () => {
    const reader = chatReader();
    reader.whole({
      choices: [
        {
          message: { content: '' },
          finish_reason: 'content_filter',
          content_filter_results: {
            hate: { filtered: false },
            violence: { filtered: true, severity: 'high' },
          },
        },
      ],
    });
    expect(reader.reading.blocked).toBe('content filter: violence');
  });

  it('counts reasoning as output, and leaves it out of the text', () => {
    const heard = stream(
      chatReader(),
      choice({ reasoning_content: 'Hm.' }),
      choice({ reasoning: 'Hm.' }),
      choice({ content: 'Yes.' }),
    );
    expect(heard).toEqual({ text: 'Yes.', silent: 2 });
  });

  it('reads content that comes in parts', () => {
    const parts = [
      { type: 'thinking', thinking: [] },
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(stream(chatReader(), choice({ content: parts })).text).toBe('ab');
  });

  it.each([
    [['a', 'b'], 'ab'],
    [[{ text: 'a' }, { type: 'output_text', text: 'b' }], 'ab'],
    [{ type: 'text', text: 'ab' }, 'ab'],
    [{ name: 'Ada' }, '{"name":"Ada"}'],
  ])('reads content in whatever parts a server gives it: %j', (content, text) => {
    const reader = chatReader();
    reader.whole({ choices: [{ index: 0, message: { content }, finish_reason: 'stop' }] });
    expect(reader.reading.text).toBe(text);
    expect(stream(chatReader(), choice({ content })).text).toBe(text);
  });

  it('reads the choice of its index, wherever it stands', () => {
    const reader = chatReader();
    const of = (index: number, content: string): JsonMembers => ({
      index,
      message: { content },
      delta: { content },
    });
    reader.whole({ choices: [of(1, 'b'), of(0, 'a')] });
    expect(reader.reading.text).toBe('a');
    expect(
      stream(chatReader(), { choices: [of(0, 'a'), of(1, 'b')] }, { choices: [of(1, 'b'), of(0, 'a')] }).text,
    ).toBe('aa');
  });

  it('does not take a running count for the end', () => {
    const reader = chatReader();
    stream(reader, { ...choice({ content: 'a' }), usage: { prompt_tokens: 3, completion_tokens: 1 } });
    expect(reader.reading.complete).toBe(false);
    stream(reader, { ...choice({}, 'stop'), usage: { prompt_tokens: 3, completion_tokens: 2 } });
    expect(reader.reading).toMatchObject({
      complete: true,
      finishReason: 'stop',
      usage: { outputTokens: 2 },
    });
  });

  it('takes a finish reason that comes with text for provisional: more may follow', () => {
    const reader = chatReader();
    const usage = { prompt_tokens: 3, completion_tokens: 1 };
    stream(reader, { ...choice({ content: 'a' }, 'stop'), usage });
    expect(reader.reading).toMatchObject({ complete: false, provisional: true, finishReason: 'stop' });
    stream(reader, { choices: [], usage });
    expect(reader.reading.complete).toBe(true);
  });

  it.each([
    ['content_filter: PROHIBITED_CONTENT', 'PROHIBITED_CONTENT'],
    ['SAFETY', 'SAFETY'],
    ['sensitive', 'sensitive'],
  ])('reads %s as withheld', (reason, told) => {
    const reader = chatReader();
    stream(reader, choice({}, reason));
    expect(reader.reading.blocked).toContain(told);
  });

  it.each(['error', 'abort', 'network_error', 'insufficient_system_resource'])(
    'reads the finish reason %s as a failure',
    (reason) => {
      const reader = chatReader();
      stream(reader, choice({ content: 'half' }), choice({}, reason));
      expect(reader.reading.failure?.message).toContain(reason);
      expect(reader.reading.finishReason).toBeNull();
    },
  );

  it('takes an error with nothing in it for none', () => {
    const reader = chatReader();
    const error = { code: 0, message: null, type: '' };
    reader.whole({ error, choices: [{ message: { content: 'a' }, finish_reason: 'stop', error }] });
    expect(reader.reading).toMatchObject({ text: 'a', failure: null });
    expect(errorInside({ error, choices: [] }, true)).toBeUndefined();
  });

  it('reads an error inside the choice', () => {
    const reader = chatReader();
    const error = { code: 502, message: 'Upstream error from Nebius: overloaded' };
    stream(reader, { choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error', error }] });
    expect(reader.reading.failure).toMatchObject({ status: 502, message: error.message });
  });

  it('makes nothing of shapes that it does not know', () => {
    const reader = chatReader();
    expect(
      stream(reader, {}, { choices: 'none' }, { choices: [null] }, { choices: [{ delta: { content: 7 } }] }),
    ).toEqual({ text: '', silent: 0 });
    expect(reader.reading.finishReason).toBeNull();
  });
});

describe('reading Responses', () => {
  it('reads a text that comes whole at its end, and no text twice', () => {
    const at = { output_index: 0, content_index: 0 };
    const done = { type: 'response.output_text.done', ...at, text: 'All.' };
    expect(stream(responsesReader(), done).text).toBe('All.');
    const delta = { type: 'response.output_text.delta', delta: 'All.' };
    expect(stream(responsesReader(), { ...delta, ...at }, done).text).toBe('All.');
    expect(stream(responsesReader(), delta, done).text).toBe('All.');
    expect(stream(responsesReader(), { ...delta, output_index: 0 }, done).text).toBe('All.');
    expect(stream(responsesReader(), { ...delta, ...at }, { ...done, content_index: undefined }).text).toBe(
      'All.',
    );
    expect(stream(responsesReader(), { ...delta, ...at, delta: '' }, done).text).toBe('All.');
  });

  it('counts the calls of a stream without going over them again for each', () => {
    const { reading, event } = responsesReader();
    let looks = 0;
    const item = {
      get type() {
        looks += 1;
        return 'web_search_call';
      },
    };
    for (let index = 0; index < 20_000; index += 1) event({ type: 'response.output_item.done', item });
    expect(reading.reported.surcharges.toolCalls).toBe(10_000);
    expect(looks).toBeLessThan(100_000);
  });

  const response = (fields: JsonMembers): JsonMembers => ({
    object: 'response',
    model: 'm',
    output: [],
    ...fields,
  });
  const message = (...content: readonly object[]): object => ({ type: 'message', content });

  it.each<[JsonMembers, JsonMembers]>([
    [
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      { finishReason: 'length', blocked: null },
    ],
    [
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      { finishReason: null, blocked: 'content filter' },
    ],
    [
      { status: 'completed', output: [message({ type: 'refusal', refusal: 'No.' })] },
      { blocked: 'refused: No.' },
    ],
    [
      { status: 'failed', error: { code: 'server_error', message: 'it broke' } },
      { failure: { type: null, code: 'server_error', message: 'it broke' } },
    ],
    [
      { status: 'cancelled' },
      { failure: { type: null, code: 'cancelled', message: 'the response was cancelled' } },
    ],
    [{ status: 'in_progress' }, { finishReason: null, blocked: null, failure: null }],
    [
      {
        status: 'completed',
        output: [
          { type: 'reasoning', summary: [] },
          message({ type: 'output_text', text: 'a' }, { type: 'output_text', text: 'b' }),
        ],
      },
      { finishReason: 'stop', text: 'ab' },
    ],
  ])('%j', (fields, expected) => {
    const reader = responsesReader();
    reader.whole(response(fields));
    expect(reader.reading).toMatchObject(expected);
  });

  it('counts reasoning as output, and leaves it out of the text', () => {
    const heard = stream(
      responsesReader(),
      { type: 'response.reasoning_summary_text.delta', delta: 'Hm.' },
      { type: 'response.output_text.delta', delta: 'Yes.' },
    );
    expect(heard).toEqual({ text: 'Yes.', silent: 1 });
  });
});
