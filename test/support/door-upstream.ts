// An upstream for clients' own bodies: speaks three protocols and embeddings on the loopback interface, keeps what it was sent, and fails when told to.
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface UpstreamCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The client of this upstream went away before the answer was whole. */
  cut: boolean;
}

/** Answers one call instead of the usual. */
export type Answering = (call: UpstreamCall, response: ServerResponse) => void;

export interface DoorUpstream {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly calls: UpstreamCall[];
  /** For the calls to come, one each; when they are used up, the usual answers follow. */
  readonly next: Answering[];
  close(): Promise<void>;
}

export const TEXT = 'The harbour froze.';
const INPUT_TOKENS = 21;
const OUTPUT_TOKENS = 7;

export async function doorUpstream(): Promise<DoorUpstream> {
  const calls: UpstreamCall[] = [];
  const next: Answering[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const call = { path: request.url ?? '', headers: request.headers, body, cut: false };
      calls.push(call);
      response.on('close', () => {
        if (!response.writableFinished) call.cut = true;
      });
      (next.shift() ?? usual)(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls, next, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': 'req_up',
    'request-id': 'req_up',
  });
  response.end(JSON.stringify(body));
}

export function beginStream(response: ServerResponse): (event: object | string) => void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'x-request-id': 'req_up',
    'request-id': 'req_up',
  });
  return (event) => {
    if (typeof event === 'string') response.write(`data: ${event}\n\n`);
    else {
      const { type } = event as { readonly type?: string };
      response.write(`${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`);
    }
  };
}

type Sent = { readonly [name: string]: unknown };

/** By the path and by what was sent: a stream where one is asked for, a call of a tool where one is offered and not yet answered. */
const usual: Answering = (call, response) => {
  const sent = JSON.parse(call.body) as Sent;
  // Azure has a place for each deployment.
  const path = call.path.split('?')[0]?.replace(/^\/openai(?:\/deployments\/[^/]+)?\//, '/v1/');
  const events = eventsFor(path ?? '', sent);
  if (events === undefined) return sendJson(response, { error: { message: `nothing at ${call.path}` } }, 404);
  if (sent['stream'] !== true) return sendJson(response, wholeFor(path ?? '', sent));
  const send = beginStream(response);
  for (const event of events) send(event);
  response.end();
};

function wantsTool({ tools, messages, input }: Sent): boolean {
  const answered = JSON.stringify(messages ?? input ?? []);
  return (
    Array.isArray(tools) &&
    tools.length > 0 &&
    !/tool_result|function_call_output|"role":"tool"/.test(answered)
  );
}

const ARGUMENTS = '{"city":"Oslo"}';

function wholeFor(path: string, sent: Sent): object {
  const model = sent['model'];
  switch (path) {
    case '/v1/embeddings':
      return {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
        model,
        usage: { prompt_tokens: INPUT_TOKENS, total_tokens: INPUT_TOKENS },
      };
    case '/v1/messages/count_tokens':
      return { input_tokens: 4242 };
    case '/v1/messages':
      return {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model,
        content: wantsTool(sent)
          ? [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Oslo' } }]
          : [{ type: 'text', text: TEXT }],
        stop_reason: wantsTool(sent) ? 'tool_use' : 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS },
      };
    case '/v1/responses':
      return response('completed', model, wantsTool(sent));
    default:
      return {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model,
        choices: [
          {
            index: 0,
            message: wantsTool(sent)
              ? { role: 'assistant', content: null, tool_calls: [toolCall()] }
              : { role: 'assistant', content: TEXT },
            finish_reason: wantsTool(sent) ? 'tool_calls' : 'stop',
          },
        ],
        usage: chatUsage,
      };
  }
}

const chatUsage = {
  prompt_tokens: INPUT_TOKENS,
  completion_tokens: OUTPUT_TOKENS,
  total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
};

function toolCall(): object {
  return { id: 'call_1', type: 'function', function: { name: 'weather', arguments: ARGUMENTS } };
}

function response(status: string, model: unknown, tool: boolean): object {
  const item = tool
    ? {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: 'weather',
        arguments: ARGUMENTS,
        status: 'completed',
      }
    : {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: TEXT, annotations: [] }],
      };
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status,
    model,
    output: status === 'completed' ? [item] : [],
    error: null,
    incomplete_details: null,
    usage:
      status === 'completed'
        ? {
            input_tokens: INPUT_TOKENS,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: OUTPUT_TOKENS,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
          }
        : null,
  };
}

/** undefined: nothing is served there. */
function eventsFor(path: string, sent: Sent): readonly (object | string)[] | undefined {
  const model = sent['model'];
  const tool = wantsTool(sent);
  switch (path) {
    case '/v1/embeddings':
    case '/v1/messages/count_tokens':
      return [];
    case '/v1/chat/completions': {
      const chunk = (delta: object, finish: string | null): object => ({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1,
        model,
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
      const asked = (sent['stream_options'] as Sent | undefined)?.['include_usage'] === true;
      return [
        chunk({ role: 'assistant', content: '' }, null),
        ...(tool
          ? [chunk({ tool_calls: [{ index: 0, ...toolCall() }] }, null)]
          : TEXT.split(/(?<= )/).map((word) => chunk({ content: word }, null))),
        chunk({}, tool ? 'tool_calls' : 'stop'),
        ...(asked
          ? [
              {
                id: 'chatcmpl-1',
                object: 'chat.completion.chunk',
                created: 1,
                model,
                choices: [],
                usage: chatUsage,
              },
            ]
          : []),
        '[DONE]',
      ];
    }
    case '/v1/messages':
      return [
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: INPUT_TOKENS, output_tokens: 1 },
          },
        },
        {
          type: 'content_block_start',
          index: 0,
          content_block: tool
            ? { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
            : { type: 'text', text: '' },
        },
        { type: 'ping' },
        ...(tool
          ? [
              {
                type: 'content_block_delta',
                index: 0,
                delta: { type: 'input_json_delta', partial_json: ARGUMENTS },
              },
            ]
          : TEXT.split(/(?<= )/).map((text) => ({
              type: 'content_block_delta',
              index: 0,
              delta: { type: 'text_delta', text },
            }))),
        { type: 'content_block_stop', index: 0 },
        {
          type: 'message_delta',
          delta: { stop_reason: tool ? 'tool_use' : 'end_turn', stop_sequence: null },
          usage: { output_tokens: OUTPUT_TOKENS },
        },
        { type: 'message_stop' },
      ];
    case '/v1/responses': {
      const whole = response('completed', model, tool) as { readonly output: readonly object[] };
      const [item = {}] = whole.output;
      const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
      const events: readonly object[] = [
        { type: 'response.created', response: response('in_progress', model, tool) },
        {
          type: 'response.output_item.added',
          output_index: 0,
          item: tool
            ? { ...item, arguments: '', status: 'in_progress' }
            : { ...item, content: [], status: 'in_progress' },
        },
        ...(tool
          ? [
              {
                type: 'response.function_call_arguments.delta',
                item_id: 'fc_1',
                output_index: 0,
                delta: ARGUMENTS,
              },
              {
                type: 'response.function_call_arguments.done',
                item_id: 'fc_1',
                output_index: 0,
                arguments: ARGUMENTS,
              },
            ]
          : [
              {
                type: 'response.content_part.added',
                ...place,
                part: { type: 'output_text', text: '', annotations: [] },
              },
              ...TEXT.split(/(?<= )/).map((delta) => ({
                type: 'response.output_text.delta',
                ...place,
                delta,
                logprobs: [],
              })),
              { type: 'response.output_text.done', ...place, text: TEXT, logprobs: [] },
              {
                type: 'response.content_part.done',
                ...place,
                part: { type: 'output_text', text: TEXT, annotations: [] },
              },
            ]),
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: whole },
      ];
      return events.map((event, index) => ({ ...event, sequence_number: index }));
    }
    default:
      return undefined;
  }
}
