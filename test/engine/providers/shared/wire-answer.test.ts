// An answer that is collected, without a socket: what undici tells its handler, in the order that it tells it.
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { WireAnswer } from '../../../../src/engine/providers/shared/wire-answer.ts';

function setUp(signal = new AbortController().signal) {
  const aborted: Error[] = [];
  let isPaused = false;
  const controller = {
    abort: (reason: Error) => void aborted.push(reason),
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
  } as Dispatcher.DispatchController;
  const answer = new WireAnswer(signal);
  answer.started.catch(() => undefined);
  return {
    answer,
    aborted,
    isPaused: () => isPaused,
    begin: () => {
      answer.onRequestStart(controller);
      answer.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' });
    },
    piece: (text: string) => answer.onResponseData(controller, Buffer.from(text)),
    end: () => answer.onResponseEnd(),
    broke: (error: Error) => answer.onResponseError(controller, error),
  };
}

describe('WireAnswer', () => {
  it.each([
    ['application/json; charset=iso-8859-1', Buffer.from('Grüße', 'latin1')],
    ['application/json; charset="ISO-8859-1"', Buffer.from('Grüße', 'utf8')],
    ['application/json; charset=none-such', Buffer.from('Grüße', 'utf8')],
    ['application/json', Buffer.from('Grüße', 'utf8')],
  ])('reads %s as what it is', async (type, bytes) => {
    const { answer, end } = setUp();
    answer.onResponseStart({} as Dispatcher.DispatchController, 200, { 'content-type': type });
    answer.onResponseData({} as Dispatcher.DispatchController, bytes);
    end();
    expect(await answer.text()).toBe('Grüße');
  });

  it('gives the pieces of a stream that nobody asked for as they come, and lets go of the socket when it is read no further', async () => {
    const { answer, aborted, begin, piece } = setUp();
    begin();
    piece('data: 1\n');
    const body = answer.body();
    const read: string[] = [];
    body.on('data', (chunk: Buffer) => read.push(chunk.toString()));
    piece('data: 2\n');
    await new Promise(setImmediate);
    expect(read).toEqual(['data: 1\n', 'data: 2\n']);
    body.destroy();
    await new Promise(setImmediate);
    expect(aborted).toHaveLength(1);
    piece('data: 3\n');
    expect(read).toHaveLength(2);
  });

  it('INV-10: a connection that breaks is an error of the text, and of the body after what came before', async () => {
    const whole = setUp();
    whole.begin();
    whole.piece('{"half":');
    whole.broke(new Error('reset'));
    await expect(whole.answer.text()).rejects.toThrow('reset');

    const streamed = setUp();
    streamed.begin();
    const read: string[] = [];
    const body = streamed.answer.body();
    const failed = new Promise((resolve) => body.once('error', resolve));
    body.on('data', (chunk: Buffer) => read.push(chunk.toString()));
    streamed.piece('data: 1\n');
    streamed.broke(new Error('reset'));
    await expect(failed).resolves.toEqual(new Error('reset'));
    expect(read).toEqual(['data: 1\n']);
    expect(streamed.aborted).toEqual([]);
  });

  it('holds the server back while the body is not read, and lets it go on when it is', async () => {
    const { answer, begin, piece, isPaused } = setUp();
    begin();
    const body = answer.body();
    body.on('data', () => undefined);
    await new Promise(setImmediate);
    body.pause();
    piece('x'.repeat(1_000));
    expect(isPaused()).toBe(false);
    piece('x'.repeat(1_000_000));
    expect(isPaused()).toBe(true);
    body.resume();
    await new Promise(setImmediate);
    expect(isPaused()).toBe(false);
  });

  it('INV-10: what came before the connection broke is given by a body that is left alone too', async () => {
    const { answer, begin, piece, broke } = setUp();
    begin();
    const read: string[] = [];
    const body = answer.body();
    const failed = new Promise((resolve) => body.once('error', resolve));
    body.on('data', (chunk: Buffer) => read.push(chunk.toString()));
    piece('data: 1\n');
    body.pause();
    piece('data: 2\n');
    broke(new Error('reset'));
    await expect(failed).resolves.toEqual(new Error('reset'));
    expect(read).toEqual(['data: 1\n', 'data: 2\n']);
  });

  it('waits for no connection once its call is aborted, and sends nothing on one that comes later', async () => {
    const call = new AbortController();
    const { answer, aborted, begin } = setUp(call.signal);
    call.abort(new Error('the caller went away'));
    await expect(answer.started).rejects.toThrow('the caller went away');
    begin();
    expect(aborted).toHaveLength(1);
  });
});
