// The three wire formats that the fault server speaks: Chat Completions, Responses and Messages; as JSON and as server-sent events.

export type WireProtocol = 'chat' | 'responses' | 'messages';

export interface WireUsage {
  readonly inputTokens: number;
  /** Of the input tokens. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Of the output tokens. */
  readonly reasoningTokens: number;
}

export interface WireAnswer {
  readonly model: string;
  readonly pieces: readonly string[];
  /** null: none is sent. */
  readonly usage: WireUsage | null;
  /** null: none is sent. */
  readonly finish: 'stop' | 'length' | 'content_filter' | null;
  /** The answer goes into a forced tool's input, as a Messages client may ask. */
  readonly tool: string | null;
}

export interface WireError {
  readonly type: string;
  readonly code?: string | null;
  readonly message: string;
}

export interface Wire {
  /** The body of an answer that is not streamed. */
  whole(answer: WireAnswer): unknown;
  /** Events before the first piece. */
  opening(answer: WireAnswer): string[];
  piece(answer: WireAnswer, piece: string): string;
  /** Events after the last piece: finish reason, usage (where it was asked for), end marker. */
  closing(answer: WireAnswer, asksUsage: boolean): { readonly events: string[]; readonly endMarker: string };
  /** An error in the middle of a stream that began with 200. */
  error(error: WireError): string;
  /** The body of a 4xx or 5xx. */
  refusal(error: WireError): unknown;
}

function named(name: string, value: object): string {
  return `event: ${name}\n${unnamed({ type: name, ...value })}`;
}

function unnamed(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function openaiRefusal({ message, type, code }: WireError): unknown {
  return { error: { message, type, param: null, code: code ?? null } };
}

function chatUsage(usage: WireUsage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

function chatChunk({ model }: WireAnswer, choices: readonly object[], usage: object | null = null): string {
  return unnamed({ id: 'chatcmpl-fault', object: 'chat.completion.chunk', model, choices, usage });
}

const chat: Wire = {
  whole: ({ model, pieces, finish, usage }) => ({
    id: 'chatcmpl-fault',
    object: 'chat.completion',
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: pieces.join(''), refusal: null },
        finish_reason: finish,
      },
    ],
    ...(usage === null ? {} : { usage: chatUsage(usage) }),
  }),
  opening: (answer) => [
    chatChunk(answer, [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
  ],
  piece: (answer, content) => chatChunk(answer, [{ index: 0, delta: { content }, finish_reason: null }]),
  closing: (answer, asksUsage) => ({
    events: [
      ...(answer.finish === null
        ? []
        : [chatChunk(answer, [{ index: 0, delta: {}, finish_reason: answer.finish }])]),
      ...(answer.usage === null || !asksUsage ? [] : [chatChunk(answer, [], chatUsage(answer.usage))]),
    ],
    endMarker: 'data: [DONE]\n\n',
  }),
  error: (error) => unnamed(openaiRefusal(error) as object),
  refusal: openaiRefusal,
};

const INCOMPLETE: { readonly [finish: string]: string } = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

function responseBody({ model, pieces, finish, usage }: WireAnswer): object {
  const content = [{ type: 'output_text', text: pieces.join(''), annotations: [] }];
  const reason = finish === null ? undefined : INCOMPLETE[finish];
  return {
    id: 'resp_fault',
    object: 'response',
    status: finish === 'stop' ? 'completed' : finish === null ? 'in_progress' : 'incomplete',
    incomplete_details: reason === undefined ? null : { reason },
    error: null,
    model,
    output: [{ id: 'msg_fault', type: 'message', role: 'assistant', status: 'completed', content }],
    usage: usage && {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedInputTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
  };
}

const responses: Wire = {
  whole: responseBody,
  opening: ({ model }) => [
    named('response.created', {
      response: {
        id: 'resp_fault',
        object: 'response',
        status: 'in_progress',
        model,
        output: [],
        usage: null,
      },
    }),
    named('response.output_item.added', {
      output_index: 0,
      item: { id: 'msg_fault', type: 'message', role: 'assistant', content: [] },
    }),
  ],
  piece: (_answer, delta) =>
    named('response.output_text.delta', {
      item_id: 'msg_fault',
      output_index: 0,
      content_index: 0,
      delta,
    }),
  closing: (answer) => ({
    events:
      answer.finish === null
        ? []
        : [
            named(answer.finish === 'stop' ? 'response.completed' : 'response.incomplete', {
              response: responseBody(answer),
            }),
          ],
    endMarker: '',
  }),
  error: ({ message, type, code }) => named('error', { code: code ?? type, message, param: null }),
  refusal: openaiRefusal,
};

function messageUsage(usage: WireUsage): object {
  return {
    input_tokens: usage.inputTokens - usage.cachedInputTokens,
    cache_read_input_tokens: usage.cachedInputTokens,
    cache_creation_input_tokens: 0,
    output_tokens: usage.outputTokens,
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
  };
}

function stopReason({ finish, tool }: WireAnswer): string | null {
  if (finish === 'length') return 'max_tokens';
  if (finish === 'content_filter') return 'refusal';
  return finish && (tool === null ? 'end_turn' : 'tool_use');
}

function message(answer: WireAnswer, content: readonly object[]): object {
  return { id: 'msg_fault', type: 'message', role: 'assistant', model: answer.model, content };
}

const messages: Wire = {
  whole: (answer) => {
    const text = answer.pieces.join('');
    const block =
      answer.tool === null
        ? { type: 'text', text }
        : { type: 'tool_use', id: 'toolu_fault', name: answer.tool, input: JSON.parse(text) as unknown };
    return {
      ...message(answer, [block]),
      stop_reason: stopReason(answer),
      stop_sequence: null,
      ...(answer.usage === null ? {} : { usage: messageUsage(answer.usage) }),
    };
  },
  opening: (answer) => [
    named('message_start', {
      message: {
        ...message(answer, []),
        stop_reason: null,
        ...(answer.usage === null
          ? {}
          : { usage: messageUsage({ ...answer.usage, outputTokens: 1, reasoningTokens: 0 }) }),
      },
    }),
    named('content_block_start', {
      index: 0,
      content_block:
        answer.tool === null
          ? { type: 'text', text: '' }
          : { type: 'tool_use', id: 'toolu_fault', name: answer.tool, input: {} },
    }),
    named('ping', {}),
  ],
  piece: (answer, text) =>
    named('content_block_delta', {
      index: 0,
      delta:
        answer.tool === null
          ? { type: 'text_delta', text }
          : { type: 'input_json_delta', partial_json: text },
    }),
  closing: (answer) => ({
    events: [
      named('content_block_stop', { index: 0 }),
      ...(answer.finish === null
        ? []
        : [
            named('message_delta', {
              delta: { stop_reason: stopReason(answer), stop_sequence: null },
              ...(answer.usage === null ? {} : { usage: messageUsage(answer.usage) }),
            }),
          ]),
    ],
    endMarker: named('message_stop', {}),
  }),
  error: ({ type, message: words }) => named('error', { error: { type, message: words } }),
  refusal: ({ type, message: words }) => ({
    type: 'error',
    error: { type, message: words },
    request_id: 'req_fault',
  }),
};

export const WIRES: { readonly [Protocol in WireProtocol]: Wire } = { chat, responses, messages };
