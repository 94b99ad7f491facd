// An answer at a door while its provider is silent: signs of life that every client reads over.
import { createServer, get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DoorAnswer } from '../../src/server/doors/answer.ts';
import { failureEvent } from '../../src/server/doors/failure-event.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The two ends of one answer; `next` gives what the client reads next. */
async function answering(stream: boolean) {
  const clock = createSimulatedClock();
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => asked.resolve(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const received = new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1' }, resolve).on('error', reject);
  });
  const answer = new DoorAnswer({
    response: await asked.promise,
    headers: [],
    dialect: 'openai',
    stream,
    clock,
    failureEvent: (refusal) => failureEvent('chat', refusal),
  });
  return { clock, answer, received };
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

const HEAD = { status: 200, headers: { 'content-type': 'text/event-stream' } };
const event = (text: string): Uint8Array => Buffer.from(`data: ${text}\n\n`);

test('a stream that is silent is given a comment each 15 seconds, before its first byte and between', async () => {
  const { clock, answer, received } = await answering(true);
  await clock.advance(14_999);
  await clock.advance(1);
  const response = await received;
  expect([response.statusCode, response.headers['content-type']]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  await clock.advance(15_000);
  answer.begin(HEAD, 'openai/m');
  answer.write(event('one'));
  await clock.advance(14_000);
  answer.write(event('two'));
  await clock.advance(14_000);
  await clock.advance(1_000);
  answer.write(event('three'));
  answer.end('0.01');
  await clock.advance(60_000);
  expect(await readAll(response)).toBe(
    [': keep-alive', ': keep-alive', 'data: one', 'data: two', ': keep-alive', 'data: three', ''].join(
      '\n\n',
    ),
  );
  expect(response.trailers['x-headgate-cost']).toBe('0.01');
});

test('a failure after a sign of life is told as an event, since the status has gone', async () => {
  const { clock, answer, received } = await answering(true);
  await clock.advance(15_000);
  answer.refuse({ status: 503, code: 'no_provider_available', message: 'All failed.' });
  const text = await readAll(await received);
  expect(text).toMatch(/^: keep-alive\n\ndata: \{"error":\{"message":"All failed\."/);
  expect(text).not.toContain('[DONE]');
});

test('an answer that is no stream waits without a word', async () => {
  const { clock, answer, received } = await answering(false);
  await clock.advance(600_000);
  answer.begin({ status: 200, headers: { 'content-type': 'application/json' } }, 'openai/m');
  answer.write(Buffer.from('{}'));
  answer.end('0');
  const response = await received;
  expect([await readAll(response), response.headers['x-headgate-cost']]).toEqual(['{}', '0']);
});
