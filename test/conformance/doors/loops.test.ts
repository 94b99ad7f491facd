// Loops at the doors: requests that repeat themselves, sessions that spend, and agents that call one tool for ever.
import { afterEach, expect, test } from 'vitest';
import { sendJson } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

let doors: DoorsFixture;
afterEach(() => doors.close());

async function post(path: string, body: object, headers: { readonly [name: string]: string } = {}) {
  const response = await fetch(`${doors.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

const chat = (body: object = {}, headers: { readonly [name: string]: string } = {}) =>
  post(
    '/v1/chat/completions',
    { model: 'fast', messages: [{ role: 'user', content: 'a' }], ...body },
    headers,
  );

test('equal requests are a loop, however they are to be answered, and are refused until they fall silent', async () => {
  doors = await doorsFixture('guards:\n  loop: { repeats: 3, within: 1h, then: reuse }\n');
  expect((await chat()).status).toBe(200);
  expect((await chat({ stream: true })).status).toBe(200);
  expect((await chat({ metadata: { n: '3' }, prompt_cache_key: 'x' })).status).toBe(200);
  const refused = await chat();
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('loop_detected')]);
  expect((await chat()).status).toBe(400);
  expect(doors.upstream.calls).toHaveLength(3);
});

test('requests that failed at the providers are no loop: in an outage clients ask again by themselves', async () => {
  doors = await doorsFixture('guards:\n  loop: { repeats: 3, within: 1h }\n');
  for (let failure = 0; failure < 5; failure += 1) {
    doors.upstream.next.push((_call, response) => sendJson(response, { error: { message: 'down' } }, 500));
    expect((await chat()).status).toBe(503);
  }
  expect((await chat()).status).toBe(200);
});

test('sessions are counted by themselves where the guard says so', async () => {
  doors = await doorsFixture('guards:\n  loop: { repeats: 2, within: 1h, each: session }\n');
  for (const session of ['s1', 's2'])
    for (let call = 0; call < 2; call += 1)
      expect((await chat({}, { 'session-id': session })).status).toBe(200);
  expect((await chat({}, { 'session-id': 's1' })).status).toBe(400);
});

test('INV-2: each session has its own allowance, and none has another’s', async () => {
  doors = await doorsFixture(
    'budgets:\n  session: { each: session, limit: 1 calls, per: day }\n  caller: { each: caller, limit: 100 calls, per: day }\n',
  );
  expect((await chat({}, { 'x-claude-code-session-id': 's1' })).status).toBe(200);
  expect((await chat({}, { 'x-claude-code-session-id': 's1' })).status).toBe(402);
  expect((await chat({}, { 'x-claude-code-session-id': 's2' })).status).toBe(200);
  const accounts = doors.app.budgets.views({ budgetId: 'session' }).map(({ account }) => account);
  expect(accounts).toEqual(['local/s1', 'local/s2']);
});

const TOOLS = 'guards:\n  loop: [{ same: toolCall, repeats: 8 }]\n';

function claude(calls: readonly object[], last: readonly object[] = []): object {
  const turns = calls.flatMap((input, index) => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `t${index}`, name: 'Bash', input }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${index}`, content: 'failed' }] },
  ]);
  const messages = [{ role: 'user', content: 'mend it' }, ...turns, ...last];
  return { model: 'claude-sonnet-5', max_tokens: 10, messages };
}

test('an agent that calls a tool with the same arguments again and again is told to stop, and a person why', async () => {
  doors = await doorsFixture(TOOLS);
  const same = (count: number) =>
    Array.from({ length: count }, (_, i) => (i % 2 ? { a: 1, b: 2 } : { b: 2, a: 1 }));
  expect((await post('/v1/messages', claude(same(7)))).status).toBe(200);
  const stopped = await post('/v1/messages', claude(same(8)));
  expect([stopped.status, stopped.text]).toEqual([400, expect.stringContaining("called 'Bash'")]);
  expect(stopped.text).toMatch(/Agent: stop calling it.*Person:.*loop_detected/);
  const spoken = claude(same(8), [{ role: 'user', content: 'try something else' }]);
  expect((await post('/v1/messages', spoken)).status).toBe(200);
});

test('calls that take turns are a loop; a test between ever new edits is none', async () => {
  doors = await doorsFixture(TOOLS);
  const turns = Array.from({ length: 16 }, (_, i) => ({ command: i % 2 ? 'npm test' : 'git diff' }));
  expect((await post('/v1/messages', claude(turns))).status).toBe(400);
  const work = Array.from({ length: 40 }, (_, i) => ({ command: i % 2 ? 'npm test' : `edit ${i}` }));
  expect((await post('/v1/messages', claude(work))).status).toBe(200);
});

test('the calls of chat and of responses are seen alike', async () => {
  doors = await doorsFixture(TOOLS);
  const call = { type: 'function', function: { name: 'run', arguments: '{"a": 1}' } };
  const messages = Array.from({ length: 8 }, (_, i) => [
    { role: 'assistant', content: null, tool_calls: [{ id: `c${i}`, ...call }] },
    { role: 'tool', tool_call_id: `c${i}`, content: 'no' },
  ]).flat();
  expect((await chat({ messages: [{ role: 'user', content: 'a' }, ...messages] })).status).toBe(400);
  const input = Array.from({ length: 8 }, (_, i) => [
    { type: 'function_call', call_id: `c${i}`, name: 'run', arguments: '{"a":1}' },
    { type: 'function_call_output', call_id: `c${i}`, output: 'no' },
  ]).flat();
  expect((await post('/v1/responses', { model: 'fast', input })).status).toBe(400);
});
