// What arrives at the provider: the client's bytes, but for the model's name, the usage of a stream and the limit of output.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClientBody } from '../../../src/engine/providers/client-body.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

let doors: DoorsFixture;
beforeAll(async () => {
  doors = await doorsFixture();
});
afterAll(() => doors.close());

async function post(path: string, body: string, headers: { readonly [name: string]: string } = {}) {
  const response = await fetch(`${doors.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  await response.text();
  return doors.upstream.calls.at(-1);
}

describe('the body of a call', () => {
  test("arrives byte for byte, but for the model's name", async () => {
    const body = `{ "model" : "claude-sonnet-5",\n  "max_tokens": 32.0, "context_management": {"edits":[{"type":"x"}]},
      "messages": [ {"role":"user","content":[{"type":"text","text":"caf\\u00e9 \\"model\\": ü 🙂","cache_control":{"type":"ephemeral"}}]},
      {"role":"system","content":"mid"} ], "unknown_future": [1e3, -0.0, 10000000000000000001], "z":{"model":"inner","max_tokens":9} }`;
    const sent = await post('/v1/messages?beta=true', body, { 'anthropic-version': '2024-10-22' });
    expect(sent?.body).toBe(body);
    expect(sent?.headers['anthropic-version']).toBe('2024-10-22');
  });

  test('keeps its limit of output where it is below that of the name, and is lowered where it is above', async () => {
    const at = (limit: number): string => `{"model":"two","max_completion_tokens":${limit},"messages":[]}`;
    expect((await post('/v1/chat/completions', at(900)))?.body).toBe(
      '{"model":"gpt-5.6-luna","max_completion_tokens":900,"messages":[]}',
    );
    expect((await post('/v1/chat/completions', at(64_000)))?.body).toBe(
      '{"model":"gpt-5.6-luna","max_completion_tokens":1000,"messages":[]}',
    );
    expect((await post('/v1/responses', '{"model":"two","input":"a"}'))?.body).toBe(
      '{"max_output_tokens":1000,"model":"gpt-5.6-luna","input":"a"}',
    );
  });

  test('is given a usage to tell inside the options that it has', async () => {
    const sent = await post(
      '/v1/chat/completions',
      '{"model":"fast","stream":true,"stream_options":{"include_obfuscation":false},"messages":[]}',
    );
    expect(sent?.body).toBe(
      '{"model":"gpt-5.6-luna","stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},"messages":[]}',
    );
  });

  test('goes on without the keys, the host and the packing of the client, with what the client says of itself', async () => {
    const sent = await post('/v1/responses', '{"model":"fast","input":"a"}', {
      authorization: 'Bearer sk-client',
      'x-api-key': 'sk-client',
      cookie: 'a=b',
      'session-id': 's1',
      'thread-id': 't1',
      'x-codex-turn-state': 'sticky',
      'openai-beta': 'responses=experimental',
      'user-agent': 'codex_cli_rs/0.50',
    });
    expect(sent?.headers).toMatchObject({
      authorization: 'Bearer sk-upstream-openai',
      'session-id': 's1',
      'thread-id': 't1',
      'x-codex-turn-state': 'sticky',
      'openai-beta': 'responses=experimental',
      'user-agent': 'codex_cli_rs/0.50',
    });
    expect(JSON.stringify(sent?.headers)).not.toMatch(/sk-client|a=b/);
  });

  test('is given the key as the version of the client has it', async () => {
    const body = '{"model":"claude-sonnet-5","max_tokens":9,"messages":[]}';
    const older = await post('/v1/messages', body, { 'anthropic-version': '2023-06-01', 'x-api-key': 'any' });
    expect(older?.headers['x-api-key']).toBe('sk-upstream-anthropic');
    expect(older?.headers.authorization).toBeUndefined();
    const newer = await post('/v1/messages', body, { 'anthropic-version': '2026-10-21', 'x-api-key': 'any' });
    expect(newer?.headers.authorization).toBe('Bearer sk-upstream-anthropic');
    expect(newer?.headers['x-api-key']).toBeUndefined();
  });

  test.each(['/v1/chat/completions', '/v1/responses', '/v1/messages'])(
    'INV-14: at %s is refused beyond its depth and its values before it is parsed, and calls nobody',
    async (path) => {
      const calls = doors.upstream.calls.length;
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      const wide = `[${'{},'.repeat(300_000)}{}]`;
      for (const more of [deep, wide]) {
        const response = await fetch(doors.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"model":"fast","max_tokens":1,"messages":[],"metadata":${more}}`,
        });
        expect(response.status).toBe(413);
        expect(await response.text()).toMatch(/deeper than 200 levels|more than 100000 values/);
      }
      expect(doors.upstream.calls).toHaveLength(calls);
    },
  );

  test('may come packed', async () => {
    const packed = new Blob(['{"model":"fast","messages":[]}'])
      .stream()
      .pipeThrough(new CompressionStream('gzip'));
    const response = await fetch(`${doors.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: await new Response(packed).bytes(),
    });
    expect(response.status).toBe(200);
    expect(doors.upstream.calls.at(-1)?.body).toBe('{"model":"gpt-5.6-luna","messages":[]}');
  });
});

describe('changing a member of a body', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 });

  test('gives what JSON would give, and leaves the text of all other members as it was', () => {
    fc.assert(
      fc.property(json, fc.string(), fc.integer({ min: 0, max: 4 }), (value, model, indent) => {
        const text = JSON.stringify(value, null, indent);
        const read = ClientBody.read(Buffer.from(text));
        if (!read.ok) throw new Error(read.error);
        const changed = read.value.with({ model: JSON.stringify(model) });
        expect(JSON.parse(changed)).toEqual({ ...(JSON.parse(text) as object), model });
        if (!('model' in value))
          expect(changed.replace(`"model":${JSON.stringify(model)}`, '').length).toBeLessThanOrEqual(
            text.length + 1,
          );
      }),
    );
  });

  test('replaces every member of the name: a server may go by the first of two, or by the last', () => {
    const read = ClientBody.read(Buffer.from('{"model":"a","x":1,"mod\\u0065l":"b"}'));
    expect(read.ok && read.value.with({ model: '"c"' })).toBe('{"model":"c","x":1,"mod\\u0065l":"c"}');
  });
});
