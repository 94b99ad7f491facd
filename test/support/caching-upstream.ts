// A model server that keeps prompts as the vendors document it, and bills for it: the least length, how long it is kept, what a write costs, where marks stand.
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface CachingRates {
  /** Nano-dollars a token. */
  readonly input: bigint;
  readonly cached: bigint;
  readonly write: bigint;
  readonly output: bigint;
  /** Shorter beginnings are not kept. */
  readonly leastTokens: number;
}

export interface BilledCall {
  readonly body: { readonly [member: string]: unknown };
  readonly model: string;
  readonly inputTokens: number;
  readonly read: number;
  readonly written: number;
  readonly costNanoUsd: bigint;
  /** What it would have cost without any cache. */
  readonly plainNanoUsd: bigint;
}

export interface CachingUpstream {
  readonly url: string;
  readonly calls: BilledCall[];
  /** false: it takes what is written, bills for it, and never finds it again. */
  keeps: boolean;
  /** true: it refuses the marks, as servers do that do not know them. */
  refuses: boolean;
  billed(): bigint;
  close(): Promise<void>;
}

/** Both vendors say: so long after the last use. */
const CLAUDE_LIVE_MS = 5 * 60_000;
const GPT_LIVE_MS = 30 * 60_000;
const OUTPUT_TOKENS = 5;

/** A piece of a prompt; `marked`: a beginning that ends here is to be kept. */
interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** `nowMs`: the clock of the cache. It is a proxy too, which leads every address to itself. */
export async function startCachingUpstream(
  rates: { readonly [model: string]: CachingRates },
  nowMs: () => number,
): Promise<CachingUpstream> {
  /** Beginnings that are kept, and when they were last used. */
  const kept = new Map<string, number>();
  const state = { keeps: true, refuses: false };
  const calls: BilledCall[] = [];

  const bill = (
    body: BilledCall['body'],
    model: string,
    pieces: readonly Piece[],
    liveMs: number,
  ): BilledCall => {
    const rate = rates[model];
    if (rate === undefined) throw new Error(`no rates for ${model}`);
    const texts = pieces.map(({ text }) => text);
    const inputTokens = tokensOf(texts.join(''));
    let read = 0;
    let end = 0;
    pieces.forEach(({ marked }, index) => {
      const beginning = texts.slice(0, index + 1).join('');
      const tokens = tokensOf(beginning);
      if (!marked || tokens < rate.leastTokens) return;
      const key = `${model}\n${beginning}`;
      const usedAtMs = kept.get(key);
      if (usedAtMs !== undefined && nowMs() - usedAtMs < liveMs) read = tokens;
      if (state.keeps) kept.set(key, nowMs());
      end = tokens;
    });
    const written = end - read;
    const call = {
      body,
      model,
      inputTokens,
      read,
      written,
      costNanoUsd:
        BigInt(inputTokens - read - written) * rate.input +
        BigInt(read) * rate.cached +
        BigInt(written) * rate.write +
        BigInt(OUTPUT_TOKENS) * rate.output,
      plainNanoUsd: BigInt(inputTokens) * rate.input + BigInt(OUTPUT_TOKENS) * rate.output,
    };
    calls.push(call);
    return call;
  };

  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const text = JSON.stringify(body);
      const isMarked = /cache_control|prompt_cache/.test(text);
      const answer = (status: number, value: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      const model = String(body['model']);
      if (state.refuses && isMarked)
        answer(400, {
          type: 'error',
          error: { type: 'invalid_request_error', message: 'cache_control: Extra inputs are not permitted' },
        });
      else if (request.url?.endsWith('/messages') === true)
        answer(200, message(model, bill(body, model, claudePieces(body), CLAUDE_LIVE_MS), body));
      else answer(200, completion(model, bill(body, model, gptPieces(body), GPT_LIVE_MS), body));
    });
  });
  server.on('connect', (_request, socket) => {
    const { port } = server.address() as AddressInfo;
    const inner = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      inner.pipe(socket).pipe(inner);
    });
    socket.on('error', () => inner.destroy());
    inner.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    billed: () => calls.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Four characters a token: the vendor's own count, which is not ours. */
function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

type Members = { readonly [member: string]: unknown };
const listOf = (value: unknown): readonly Members[] =>
  Array.isArray(value) ? (value as Members[]) : [{ text: typeof value === 'string' ? value : '' }];

function claudePieces(body: Members): readonly Piece[] {
  const [first] = listOf(body['messages']);
  const tools = body['tools'] === undefined ? [] : [{ text: JSON.stringify(body['tools']) }];
  return [...tools, ...listOf(body['system'] ?? ''), ...listOf(first?.['content'])].map((block) => ({
    text: String(block['text']),
    marked: 'cache_control' in block,
  }));
}

/** From GPT-5.6 on: what is marked, and the end of the prompt too unless it is said otherwise. */
function gptPieces(body: Members): readonly Piece[] {
  const pieces = listOf(body['messages'] ?? body['input']).flatMap(({ content, text }) =>
    listOf(content ?? text).map((part) => ({
      text: String(part['text']),
      marked: 'prompt_cache_breakpoint' in part,
    })),
  );
  const { mode } = (body['prompt_cache_options'] ?? {}) as { mode?: string };
  return mode === 'explicit'
    ? pieces
    : pieces.map((piece, index) => (index === pieces.length - 1 ? { ...piece, marked: true } : piece));
}

/** What fits whatever schema the shipped tasks ask for. */
function answerText(body: Members): string {
  return JSON.stringify(body).includes('"intent"')
    ? JSON.stringify({ intent: 'question', summary: 'A question.', actions: [] })
    : 'A summary of it.';
}

function message(model: string, { inputTokens, read, written }: BilledCall, body: Members): object {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: answerText(body) }],
    stop_reason: 'end_turn',
    usage: {
      input_tokens: inputTokens - read - written,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: written,
      output_tokens: OUTPUT_TOKENS,
    },
  };
}

function completion(model: string, { inputTokens, read, written }: BilledCall, body: Members): object {
  const details = { cached_tokens: read, cache_write_tokens: written };
  return body['input'] === undefined
    ? {
        id: 'chat_1',
        model,
        choices: [
          { index: 0, message: { role: 'assistant', content: answerText(body) }, finish_reason: 'stop' },
        ],
        usage: {
          prompt_tokens: inputTokens,
          completion_tokens: OUTPUT_TOKENS,
          total_tokens: inputTokens + OUTPUT_TOKENS,
          prompt_tokens_details: details,
        },
      }
    : {
        id: 'resp_1',
        object: 'response',
        model,
        status: 'completed',
        output: [{ type: 'message', content: [{ type: 'output_text', text: answerText(body) }] }],
        usage: {
          input_tokens: inputTokens,
          output_tokens: OUTPUT_TOKENS,
          total_tokens: inputTokens + OUTPUT_TOKENS,
          input_tokens_details: details,
        },
      };
}

async function readJson(request: IncomingMessage): Promise<Members> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Members;
}
