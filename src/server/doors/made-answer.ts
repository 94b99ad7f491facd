// A text as an answer of each protocol, whole and as the events of a stream.

export interface Made {
  /** Of the run. */
  readonly id: string;
  /** The exposed name, as the model's. */
  readonly name: string;
  readonly text: string;
  readonly createdAtMs: number;
  /** Tokens of all that the run called. */
  readonly usage: { readonly input: number; readonly output: number };
}

type Protocol = 'chat' | 'responses' | 'messages';
type Body = { readonly [name: string]: unknown };

export function madeAnswer(protocol: Protocol, made: Made): object {
  switch (protocol) {
    case 'chat':
      return {
        ...chatHead(made, 'chat.completion'),
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: made.text, refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: chatUsage(made),
      };
    case 'messages':
      return { ...messageOf(made), content: [{ type: 'text', text: made.text }], stop_reason: 'end_turn' };
    case 'responses':
      return responseOf(made, 'completed', [itemOf(made, 'completed')]);
  }
}

/** `body`: the client's, which says whether it wants to be told the usage. */
export function madeStream(protocol: Protocol, made: Made, body: Body): readonly string[] {
  switch (protocol) {
    case 'chat':
      return chatStream(made, body);
    case 'messages':
      return messageStream(made);
    case 'responses':
      return responseStream(made);
  }
}

function seconds({ createdAtMs }: Made): number {
  return Math.floor(createdAtMs / 1000);
}

function chatHead(made: Made, object: string): object {
  return { id: `chatcmpl-${made.id}`, object, created: seconds(made), model: made.name };
}

function chatUsage({ usage: { input, output } }: Made): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function chatStream(made: Made, body: Body): readonly string[] {
  const options = body['stream_options'] as { readonly include_usage?: unknown } | null | undefined;
  const head = chatHead(made, 'chat.completion.chunk');
  const choice = (delta: object, finish: string | null): object => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  });
  const chunks = [
    choice({ role: 'assistant', content: '' }, null),
    choice({ content: made.text }, null),
    choice({}, 'stop'),
    ...(options?.include_usage === true ? [{ ...head, choices: [], usage: chatUsage(made) }] : []),
  ];
  return [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'];
}

function messageOf(made: Made): object {
  const { input, output } = made.usage;
  return {
    id: `msg_${made.id}`,
    type: 'message',
    role: 'assistant',
    model: made.name,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output },
  };
}

function named(events: readonly { readonly type: string }[]): readonly string[] {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function messageStream(made: Made): readonly string[] {
  return named([
    { type: 'message_start', message: messageOf(made) },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: made.text } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: made.usage.output },
    },
    { type: 'message_stop' },
  ] as readonly { readonly type: string }[]);
}

function itemOf(made: Made, status: 'in_progress' | 'completed'): object {
  const content = status === 'completed' ? [partOf(made.text)] : [];
  return { id: `msg_${made.id}`, type: 'message', status, role: 'assistant', content };
}

function partOf(text: string): object {
  return { type: 'output_text', text, annotations: [] };
}

function responseOf(made: Made, status: 'in_progress' | 'completed', output: readonly object[]): object {
  const { input, output: given } = made.usage;
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: given,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + given,
  };
  return {
    id: `resp_${made.id}`,
    object: 'response',
    created_at: seconds(made),
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: made.name,
    output,
    parallel_tool_calls: false,
    previous_response_id: null,
    store: false,
    temperature: null,
    tool_choice: 'none',
    tools: [],
    top_p: null,
    metadata: {},
    usage: status === 'completed' ? usage : null,
  };
}

function responseStream(made: Made): readonly string[] {
  const place = { item_id: `msg_${made.id}`, output_index: 0, content_index: 0 };
  const done = itemOf(made, 'completed');
  const events = [
    { type: 'response.created', response: responseOf(made, 'in_progress', []) },
    { type: 'response.in_progress', response: responseOf(made, 'in_progress', []) },
    { type: 'response.output_item.added', output_index: 0, item: itemOf(made, 'in_progress') },
    { type: 'response.content_part.added', ...place, part: partOf('') },
    { type: 'response.output_text.delta', ...place, delta: made.text, logprobs: [] },
    { type: 'response.output_text.done', ...place, text: made.text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part: partOf(made.text) },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: responseOf(made, 'completed', [done]) },
  ];
  return named(events.map((event, index) => ({ ...event, sequence_number: index })));
}
