// The demo's upstream: both vendors' protocols on loopback, with latencies, tokens and outages as the script says. It answers nobody else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/random.ts';

export interface Upstream {
  /** `http://127.0.0.1:41234`; the vendors are below it: `/openai/v1`, `/anthropic`. */
  readonly url: string;
  /** From now on this vendor answers 503, or as ever. */
  outage(vendor: DemoVendor, isDown: boolean): void;
  close(): Promise<void>;
}

export type DemoVendor = 'openai' | 'anthropic';

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
}

const SENTENCES = [
  'The customer was billed twice in March and asks for one charge back; accounts should answer.',
  'The change replaces a linear search by a map and keeps the order of results.',
  'A null check is missing where the list may be empty.',
  'The harbour opens again on Monday, two days earlier than planned.',
  'The password mail arrives after its link has expired; the platform team should look at the queue.',
  'The name of the helper promises less than it does; `loadOrCreate` would say it.',
];
const LETTERS_PER_TOKEN = 4;
const PIECES = 8;

/** Long answers take long: a first token after about half a second, then some 80 tokens a second, by `clock`. */
export async function startUpstream(clock: Clock, random: Random): Promise<Upstream> {
  const down = new Set<DemoVendor>();
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const vendor: DemoVendor = request.url?.startsWith('/anthropic') === true ? 'anthropic' : 'openai';
    if (down.has(vendor)) {
      await pause(200 + 200 * random());
      const message = 'The service is overloaded. Please try again later.';
      response.writeHead(503, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { message, type: 'server_error', code: 'overloaded' } }));
      return;
    }
    const asked = JSON.parse(text) as Asked;
    const most = asked.max_tokens ?? asked.max_completion_tokens ?? 400;
    const outputTokens = Math.max(12, Math.round(most * (0.3 + 0.5 * random())));
    const inputTokens = Math.ceil(text.length / LETTERS_PER_TOKEN);
    const usage = { inputTokens, outputTokens };
    const words = answerOf(outputTokens, random);
    await pause(250 + 600 * random() ** 2);
    const protocol = vendor === 'anthropic' ? anthropic : openai;
    const id = `${vendor === 'anthropic' ? 'msg' : 'chatcmpl'}-demo-${Math.floor(random() * 1e9).toString(36)}`;
    if (asked.stream !== true) {
      await pause((outputTokens / 80) * 1000);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(protocol.whole(id, asked.model, words, usage)));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const size = Math.ceil(words.length / PIECES);
    const write = (events: readonly string[]): void => void response.write(events.join(''));
    write(protocol.head(id, asked.model, usage));
    for (let at = 0; at < words.length; at += size) {
      await pause(((outputTokens / 80) * 1000) / PIECES);
      write(protocol.piece(id, asked.model, words.slice(at, at + size)));
    }
    write(protocol.tail(id, asked.model, usage));
    response.end();
  }

  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    outage: (vendor, isDown) => void (isDown ? down.add(vendor) : down.delete(vendor)),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf(tokens: number, random: Random): string {
  let text = '';
  while (text.length < tokens * LETTERS_PER_TOKEN)
    text += `${SENTENCES[Math.floor(random() * SENTENCES.length)] ?? ''} `;
  return text.slice(0, tokens * LETTERS_PER_TOKEN).trim();
}

interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}
interface Protocol {
  readonly whole: (id: string, model: string, text: string, usage: Usage) => object;
  readonly head: (id: string, model: string, usage: Usage) => readonly string[];
  readonly piece: (id: string, model: string, text: string) => readonly string[];
  readonly tail: (id: string, model: string, usage: Usage) => readonly string[];
}

const openaiUsage = ({ inputTokens, outputTokens }: Usage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
});
const data = (value: object | string): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const chunk = (id: string, model: string, choices: readonly object[], more: object = {}): string =>
  data({ id, object: 'chat.completion.chunk', created: 1_790_000_000, model, choices, ...more });

const openai: Protocol = {
  whole: (id, model, content, usage) => ({
    id,
    object: 'chat.completion',
    created: 1_790_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: openaiUsage(usage),
  }),
  head: (id, model) => [chunk(id, model, [{ index: 0, delta: { role: 'assistant', content: '' } }])],
  piece: (id, model, content) => [chunk(id, model, [{ index: 0, delta: { content } }])],
  tail: (id, model, usage) => [
    chunk(id, model, [{ index: 0, delta: {}, finish_reason: 'stop' }]),
    chunk(id, model, [], { usage: openaiUsage(usage) }),
    data('[DONE]'),
  ],
};

const event = (type: string, value: object): string => `event: ${type}\n${data({ type, ...value })}`;

const anthropic: Protocol = {
  whole: (id, model, text, { inputTokens, outputTokens }) => ({
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: outputTokens },
  }),
  head: (id, model, { inputTokens }) => [
    event('message_start', {
      message: {
        id,
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: inputTokens, output_tokens: 1 },
      },
    }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  ],
  piece: (_id, _model, text) => [
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  ],
  tail: (_id, _model, { outputTokens }) => [
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: outputTokens },
    }),
    event('message_stop', {}),
  ],
};
