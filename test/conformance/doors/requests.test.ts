// Requests that are large, hostile, or bound to a conversation: what is let in, what is refused, and that the server goes on.
import { connect } from 'node:net';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStream, sendJson } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

let doors: DoorsFixture;
let key: string;
beforeAll(async () => {
  doors = await doorsFixture('budgets:\n  all: { limit: $100, per: day }\n');
  key = await doors.key({ caller: 'ana' });
});
afterAll(() => doors.close());

async function post(path: string, body: string | Blob, secret = key) {
  const response = await fetch(`${doors.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${secret}`,
      ...(typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }),
    },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const chat = (members: string) =>
  post('/v1/chat/completions', `{"model":"fast","messages":[{"role":"user","content":"a"}],${members}}`);

describe('a large body', () => {
  const MB = 1024 * 1024;
  const withImage = (bytes: number): string => {
    const image = `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${'A'.repeat(bytes)}"}}`;
    return `{"model":"claude-sonnet-5","max_tokens":9,"messages":[{"role":"user","content":[${image}]}]}`;
  };

  test('arrives byte for byte, of a key that may send it; of another it is refused, and the key to make is named', async () => {
    const large = await doors.key({ caller: 'ben', maxBodyBytes: 12 * MB });
    const body = withImage(10 * MB);
    expect((await post('/v1/messages', body, large)).status).toBe(200);
    expect(doors.upstream.calls.at(-1)?.body === body).toBe(true);
    const refused = await post('/v1/messages', withImage(5 * MB));
    expect([refused.status, refused.text]).toEqual([413, expect.stringContaining('--max-body 32MB')]);
    expect((await post('/v1/messages', withImage(13 * MB), large)).status).toBe(413);
    expect((await doors.runs()).at(-1)).toMatchObject({ status: 'succeeded', caller: { name: 'ben' } });
    await expect(doors.key({ caller: 'cid', maxBodyBytes: 33 * MB })).rejects.toThrow('34603008 bytes');
  }, 60_000);

  test('is as large as what it unpacks to', async () => {
    const packed = new Blob([withImage(5 * MB)]).stream().pipeThrough(new CompressionStream('gzip'));
    expect((await post('/v1/messages', await new Response(packed).blob())).status).toBe(413);
  });
});

describe('a stream over HTTP/1.0, which proxies speak to what is behind them', () => {
  test('is given whole, without the trailer that HTTP/1.0 does not have', async () => {
    const body = '{"model":"fast","stream":true,"messages":[{"role":"user","content":"a"}]}';
    const head = `POST /v1/chat/completions HTTP/1.0\r\nHost: ${new URL(doors.url).host}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(new URL(doors.url).port), '127.0.0.1').setEncoding('utf8');
    socket.write(head + body);
    let answer = '';
    for await (const piece of socket) answer += String(piece);
    expect(answer).toMatch(/^HTTP\/1\.\d 200 /);
    expect(answer).toContain('data: [DONE]');
  });
});

describe('a hostile body', () => {
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  test.each([
    ['nests without end', `{"model":"fast","messages":${deep(1_000_000)}}`],
    ['is a million of nothings', `{"model":"fast","messages":[${'0,'.repeat(1_000_001)}0]}`],
  ])('that %s is refused before it is parsed, by every door', async (_what, body) => {
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages', '/v1/messages/count_tokens'])
      expect(await post(path, body)).toMatchObject({ status: 413 });
    expect((await chat('"n":1')).status).toBe(200);
  });

  test('INV-2: asks for no more than is held, whatever a server might take its limits for', async () => {
    const before = doors.upstream.calls.length;
    for (const members of [
      '"max_tokens":"64000"',
      '"max_tokens":1e999',
      '"max_completion_tokens":{}',
      '"n":1e9',
      '"n":"4"',
      '"max_tokens":64000,"max_tokens":9',
      '"max_tokens":9,"max\\u005ftokens":64000',
    ])
      expect([members, (await chat(members)).status]).toEqual([members, 400]);
    expect(doors.upstream.calls.length).toBe(before);
    expect((await chat('"max_tokens":null,"n":null')).status).toBe(200);
    expect((await chat('"n":4,"max_tokens":10')).status).toBe(200);
    const last = (await doors.runs()).at(-1);
    const [attempt] = await doors.attempts(last?.id ?? '');
    expect(attempt?.heldNanoUsd).toBeGreaterThanOrEqual(400_000n);
  });

  test('INV-2: a limit of none or less is no limit to some servers: it is lowered, or held as none', async () => {
    await post('/v1/chat/completions', '{"model":"two","max_tokens":-1,"messages":[]}');
    expect(doors.upstream.calls.at(-1)?.body).toBe(
      '{"model":"gpt-5.6-luna","max_tokens":1000,"messages":[]}',
    );
    await post('/v1/chat/completions', '{"model":"fast","max_tokens":0,"messages":[]}');
    const [attempt] = await doors.attempts((await doors.runs()).at(-1)?.id ?? '');
    // 128,000 tokens at $10 a million.
    expect(attempt?.heldNanoUsd).toBeGreaterThanOrEqual(1_280_000_000n);
  });

  test('that asks for more than a context holds is refused in the words that agents shorten their conversation at', async () => {
    const refused = await chat('"max_tokens":5000000');
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringMatching(/prompt is too long.*context_length_exceeded/),
    ]);
  });
});

describe('a conversation that one candidate alone can go on with', () => {
  const client = () => new OpenAI({ baseURL: `${doors.url}/v1`, apiKey: key });
  const down = (): void => {
    doors.upstream.next.push((_call, response) => sendJson(response, { error: { message: 'down' } }, 500));
  };
  const answeredBy = async (): Promise<string | undefined> =>
    (await doors.attempts((await doors.runs()).at(-1)?.id ?? '')).at(-1)?.model;

  test('stays with it by previous_response_id, whole and streamed, though another comes first', async () => {
    const openai = client();
    for (const stream of [false, true]) {
      const id = `resp_${stream}`;
      down();
      doors.upstream.next.push((_call, response) => {
        const answer = {
          id,
          object: 'response',
          status: 'completed',
          model: 'm',
          output: [{ type: 'reasoning', id: 'rs', encrypted_content: `sealed-${stream}`, summary: [] }],
          usage: { input_tokens: 5, output_tokens: 5 },
        };
        if (!stream) return sendJson(response, answer);
        const send = beginStream(response);
        send({
          type: 'response.created',
          sequence_number: 0,
          response: { ...answer, status: 'in_progress' },
        });
        send({ type: 'response.completed', sequence_number: 1, response: answer });
        response.end();
      });
      if (stream) await openai.responses.stream({ model: 'two', input: 'a' }).finalResponse();
      else await openai.responses.create({ model: 'two', input: 'a' });
      await openai.responses.create({ model: 'two', input: 'b', previous_response_id: id });
      expect(JSON.parse(doors.upstream.calls.at(-1)?.body ?? '')).toMatchObject({ model: 'gpt-5.6-terra' });
      const sealed = {
        type: 'reasoning' as const,
        id: 'rs',
        summary: [],
        encrypted_content: `sealed-${stream}`,
      };
      await openai.responses.create({ model: 'two', input: [sealed, { role: 'user', content: 'c' }] });
      expect(JSON.parse(doors.upstream.calls.at(-1)?.body ?? '')).toMatchObject({ model: 'gpt-5.6-terra' });
    }
    await openai.responses.create({ model: 'two', input: 'd' });
    expect(JSON.parse(doors.upstream.calls.at(-1)?.body ?? '')).toMatchObject({ model: 'gpt-5.6-luna' });
    expect(await answeredBy()).toContain('gpt-5.6-luna');
  });

  test('fails with it, rather than go on with one that does not know it', async () => {
    const openai = client();
    down();
    const first = await openai.responses.create({ model: 'two', input: 'a' });
    down();
    const before = doors.upstream.calls.length;
    await expect(
      openai.responses.create(
        { model: 'two', input: 'b', previous_response_id: first.id },
        { maxRetries: 0 },
      ),
    ).rejects.toMatchObject({ status: 503, message: expect.stringContaining('gpt-5.6-terra') });
    expect(doors.upstream.calls.length).toBe(before + 1);
  });
});
