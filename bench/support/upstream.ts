// The provider that everything is measured against: answers in OpenAI's protocol from bare sockets, so that it costs next to nothing.
//
//   /now/v1/chat/completions       at once
//   /slow/v1/chat/completions      after 300 ms ± 100
//   /tenth/v1/chat/completions      after 100 ms
//   /paced/v1/…   with stream      first token after 300 ms, then 10 pieces a second for 4 s
//   /brief/v1/…   with stream      first token after 300 ms, then 20 pieces a second for 1.5 s
//   /lasting/v1/… with stream      first token after 300 ms, then 10 pieces a second for 30 s
//   /held/v1/…    with stream      first token after 300 ms, then a piece each 5 s for 40 s
//   /flat/v1/…    with stream      200 pieces at once
//   /faulty/v1/…                   at once, one call in eight with a fault: 500, 429, a reset, a cut stream, no JSON, late
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const MODEL = 'bench-model';
const TEXT =
  'The harbour froze in January and ships waited outside for nine days. On the tenth an icebreaker came and cut a channel by noon.';

const body = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: MODEL,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: TEXT, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 64,
    completion_tokens: 28,
    total_tokens: 92,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  },
});

const head = (status: string, rest: string): string =>
  `HTTP/1.1 ${status}\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\n${rest}\r\n`;
const answer = (status: string, text: string, more = ''): Buffer =>
  Buffer.from(
    `${head(status, `Content-Type: application/json\r\nx-request-id: req_bench\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\n`)}${text}`,
  );

const GOOD = answer(
  '200 OK',
  body,
  'x-ratelimit-limit-requests: 1000000\r\nx-ratelimit-remaining-requests: 999999\r\n',
);
const REFUSED = answer('500 Internal Server Error', '{"error":{"message":"it broke","type":"server_error"}}');
const LIMITED = answer(
  '429 Too Many Requests',
  '{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}',
  'retry-after-ms: 5\r\n',
);
const NO_JSON = answer('200 OK', '<html>not what you think</html>');
const STREAM_HEAD = Buffer.from(
  head('200 OK', 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'),
);
const CUT = Buffer.from(
  `${head('200 OK', 'Content-Type: application/json\r\nContent-Length: 5000\r\n')}{"id":`,
);

const chunked = (text: string): Buffer =>
  Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
const event = (choices: object[], usage: object | null): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_790_000_000, model: MODEL, choices, usage })}\n\n`;
const PIECE = chunked(event([{ index: 0, delta: { content: 'and the ice ' }, finish_reason: null }], null));
const USAGE = { prompt_tokens: 64, completion_tokens: 200, total_tokens: 264 };
const LAST = Buffer.concat([
  chunked(event([{ index: 0, delta: {}, finish_reason: 'stop' }], null)),
  chunked(event([], USAGE)),
  chunked('data: [DONE]\n\n'),
  Buffer.from('0\r\n\r\n'),
]);
const FLAT = Buffer.concat([STREAM_HEAD, ...Array.from({ length: 200 }, () => PIECE), LAST]);

const PIECES = 40;
const EVERY_MS = 100;
const LASTING_PIECES = 300;
const BRIEF_PIECES = 30;
const BRIEF_EVERY_MS = 50;
const HELD_PIECES = 8;
const HELD_EVERY_MS = 5_000;
const FIRST_TOKEN_MS = 300;

/** The same jitter and the same faults in each run. */
let seed = 0x2545_f491;
function random(): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 4_294_967_296;
}
const jitterMs = (): number => 200 + 200 * random();

/** One timer for all that is due, instead of one for each stream. */
const due: { atMs: number; act: () => void }[][] = [];
const TICK_MS = 2;
const SLOTS = 4096;
let tick = 0;
for (let slot = 0; slot < SLOTS; slot += 1) due.push([]);
function after(ms: number, act: () => void): void {
  const ticks = Math.max(1, Math.min(SLOTS - 1, Math.round(ms / TICK_MS)));
  due[(tick + ticks) % SLOTS]?.push({ atMs: 0, act });
}
let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  for (; lastMs + TICK_MS <= nowMs; lastMs += TICK_MS) {
    tick += 1;
    const now = due[tick % SLOTS] ?? [];
    if (now.length === 0) continue;
    due[tick % SLOTS] = [];
    for (const { act } of now) act();
  }
}, TICK_MS);

function pace(socket: Socket, pieces: number, everyMs: number): void {
  let left = pieces;
  const next = (): void => {
    if (socket.destroyed) return;
    if (left === 0) {
      socket.write(LAST);
      return;
    }
    left -= 1;
    socket.write(PIECE);
    after(everyMs, next);
  };
  socket.write(STREAM_HEAD);
  // Without jitter: what is looked for is a difference of a millisecond.
  after(FIRST_TOKEN_MS, next);
}

function misbehave(socket: Socket): void {
  const dice = random();
  if (dice < 0.06) socket.write(REFUSED);
  // Rare: each slows the traffic to this model down for a while, as it should.
  else if (dice < 0.0602) socket.write(LIMITED);
  else if (dice < 0.08) socket.resetAndDestroy();
  else if (dice < 0.1) socket.end(CUT);
  else if (dice < 0.11) socket.write(NO_JSON);
  else if (dice < 0.125) after(20, () => socket.write(GOOD));
  else socket.write(GOOD);
}

function serve(socket: Socket, path: string, streams: boolean): void {
  if (path.startsWith('/paced')) pace(socket, PIECES, EVERY_MS);
  else if (path.startsWith('/lasting')) pace(socket, LASTING_PIECES, EVERY_MS);
  else if (path.startsWith('/brief')) pace(socket, BRIEF_PIECES, BRIEF_EVERY_MS);
  else if (path.startsWith('/held')) pace(socket, HELD_PIECES, HELD_EVERY_MS);
  else if (path.startsWith('/slow')) after(jitterMs(), () => socket.write(GOOD));
  else if (path.startsWith('/tenth')) after(100, () => socket.write(GOOD));
  else if (path.startsWith('/faulty')) misbehave(socket);
  else socket.write(streams ? FLAT : GOOD);
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

const server = createServer({ noDelay: true }, (socket) => {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    for (;;) {
      const end = waiting.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const headers = waiting.toString('latin1', 0, end);
      const length = /content-length: *(\d+)/i.exec(headers)?.[1];
      let total: number;
      if (length !== undefined) total = end + 4 + Number(length);
      else if (/transfer-encoding: *chunked/i.test(headers)) {
        const close = waiting.indexOf('\r\n0\r\n\r\n', end);
        total = close < 0 ? Number.POSITIVE_INFINITY : close + 7;
      } else total = end + 4;
      if (waiting.length < total) return;
      const streams = waiting.indexOf('"stream":true', end) > 0;
      const path = headers.slice(headers.indexOf(' ') + 1, headers.indexOf(' HTTP/'));
      waiting = waiting.subarray(total);
      serve(socket, path, streams);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit(0));
