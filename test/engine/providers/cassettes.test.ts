// Recorded answers of both vendors, replayed through the real SDKs: each maps to the right outcome, usage and cost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanPrice, PlanProvider } from '../../../src/language/plan/types.ts';
import type { ProviderError, Usage } from '../../../src/engine/providers/port.ts';
import { costOf } from '../../../src/engine/routing/cost.ts';
import {
  cassetteNames,
  readCassette,
  readRecordedBody,
  startCassetteServer,
} from '../../support/cassette-server.ts';
import type { CassetteServer, RecordedAnswer } from '../../support/cassette-server.ts';
import { listen, request, testProvider } from '../../support/provider-plan.ts';
import { answerOf, failureOf } from '../../support/provider-remotes.ts';
import { hasSharedData } from '../../support/shared-data.ts';

const CHAT: Partial<PlanProvider> = { adapter: 'openai', api: 'chat' };
const RESPONSES: Partial<PlanProvider> = { adapter: 'openai', api: 'responses' };
const MESSAGES: Partial<PlanProvider> = { adapter: 'anthropic' };
const APIS: { readonly [protocol: string]: Partial<PlanProvider> } = {
  chat: CHAT,
  responses: RESPONSES,
  messages: MESSAGES,
};

/** Nano-dollars a token: 2,000 in, 500 read from a cache, 2,500 written to one, 8,000 out. */
const PRICE: PlanPrice = {
  kind: 'rates',
  source: 'test',
  tiers: [
    {
      fromInputTokens: 0,
      input: 2_000_000_000n,
      cachedInput: 500_000_000n,
      cacheWrite: 2_500_000_000n,
      output: 8_000_000_000n,
      reasoning: 8_000_000_000n,
      request: 0n,
    },
  ],
};

/** cassette and number | protocol | model that answered | finish | input, cached, cache write, output, reasoning | nano-dollars | text */
const ANSWERED = String.raw`
oai-chat-success 0               | chat      | gpt-4o-mini-2024-07-18     | stop  | 12 0 0 5 0        | 64000    | ^This is a test\.$
oai-chat-stream-usage 0          | chat      | gpt-4-0613                 | stop  | 12 0 0 5 0        | 64000    | ^"This is a test\."$
oai-chat-tools 0                 | chat      | gpt-4o-mini-2024-07-18     | other | 75 0 0 51 0       | 558000   | ^$
oai-chat-tools 1                 | chat      | gpt-4o-mini-2024-07-18     | stop  | 99 0 0 25 0       | 398000   | ^Today, the weather in Seattle
oai-chat-parallel-tools-stream 0 | chat      | gpt-4o-mini-2024-07-18     | other | 75 0 0 51 0       | 558000   | ^$
oai-chat-native-json-schema 0    | chat      | gpt-4o-2024-08-06          | other | 71 0 0 12 0       | 238000   | ^$
oai-chat-native-json-schema 1    | chat      | gpt-4o-2024-08-06          | stop  | 92 0 0 15 0       | 304000   | "Mexico City"
oai-chat-400-unsupported-stop 1  | chat      | o1-mini-2024-09-12         | stop  | 14 0 0 84 64      | 700000   | \*\*Paris\*\*
oai-resp-success 0               | responses | gpt-4o-mini-2024-07-18     | stop  | 22 0 0 6 0        | 92000    | ^This is a test\.$
oai-resp-stream 0                | responses | gpt-4o-mini-2024-07-18     | stop  | 22 0 0 6 0        | 92000    | ^This is a test\.$
oai-resp-reasoning-tokens 0      | responses | gpt-5.4-2026-03-05         | stop  | 44 0 0 288 9      | 2392000  | bash
oai-resp-tool-call 0             | responses | gpt-4o-mini-2024-07-18     | other | 72 0 0 8 0        | 208000   | ^$
oai-resp-gpt56-azure 0           | responses | gpt-5.6-sol                | stop  | 18 0 0 5 0        | 76000    | ^Paris
oai-resp-background 2            | responses | gpt-4o-2024-08-06          | stop  | 15 0 0 9 0        | 102000   | 4
anth-success 0                   | messages  | claude-3-opus-20240229     | stop  | 17 0 0 220 0      | 1794000  | joke about OpenTelemetry
anth-stream 0                    | messages  | claude-3-haiku-20240307    | stop  | 17 0 0 171 0      | 1402000  | themed jokes!$
anth-stream-thinking 0           | messages  | claude-haiku-4-5-20251001  | stop  | 46 0 0 133 0      | 1156000  | playful take on "pelican"$
anth-opus46 0                    | messages  | claude-opus-4-6            | stop  | 17 0 0 20 0       | 194000   | Gullet\*\*$
anth-cache 0                     | messages  | claude-3-5-sonnet-20240620 | stop  | 1167 0 1163 187 0 | 4411500  | Unit testing
anth-cache 1                     | messages  | claude-3-5-sonnet-20240620 | stop  | 1167 1163 0 202 0 | 2205500  | unit testing
anth-count-tokens 2              | messages  | claude-sonnet-5            | stop  | 20 0 0 93 0       | 784000   | current date
anth-tools 0                     | messages  | claude-3-5-sonnet-20240620 | other | 514 0 0 152 0     | 2244000  | ^Certainly!
anth-tools-stream 0              | messages  | claude-3-5-sonnet-20240620 | other | 514 0 0 168 0     | 2372000  | .
anth-web-search 0                | messages  | claude-opus-4-1-20250805   | stop  | 10423 0 0 341 0   | 23574000 | of rain this weekend\.$
`
  .trim()
  .split('\n')
  .map((row) => {
    const [cassette = '', protocol = '', model = '', finish = '', counts = '', cost = '', text = ''] = row
      .split('|')
      .map((cell) => cell.trim());
    const [from = '', nth = '0'] = cassette.split(' ');
    const [
      inputTokens = 0,
      cachedInputTokens = 0,
      cacheWriteTokens = 0,
      outputTokens = 0,
      reasoningTokens = 0,
    ] = counts.split(' ').map(Number);
    const usage: Usage = { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens };
    return {
      from,
      nth: Number(nth),
      api: APIS[protocol] ?? {},
      model,
      finish,
      usage,
      costNanoUsd: BigInt(cost),
      text: new RegExp(text),
    };
  });

const REFUSED: readonly (readonly [string, Partial<PlanProvider>, Partial<ProviderError>, RegExp])[] = [
  [
    'oai-chat-401',
    CHAT,
    {
      class: 'authentication',
      advice: 'elsewhere',
      status: 401,
      requestId: '55f4f12fef392b7fbc0c647e97a8e6b2',
    },
    /check TEST_API_KEY/,
  ],
  [
    'oai-chat-404-model',
    CHAT,
    { class: 'model_not_found', advice: 'elsewhere', status: 404 },
    /this-model-does-not-exist/,
  ],
  [
    'oai-chat-400-role',
    CHAT,
    { class: 'invalid_request', advice: 'elsewhere', status: 400 },
    /does not support 'system'/,
  ],
  [
    'oai-chat-400-unsupported-stop',
    CHAT,
    { class: 'invalid_request', advice: 'elsewhere', status: 400 },
    /'stop' is not supported/,
  ],
  [
    'oai-resp-400',
    RESPONSES,
    { class: 'model_not_found', advice: 'elsewhere', status: 400 },
    /does not exist/,
  ],
  [
    'azure-429-retry-after',
    CHAT,
    {
      class: 'rate_limited',
      advice: 'retry',
      status: 429,
      retryAfterMs: 1000,
      requestId: 'd3be1dcd-5e15-488e-b48f-a3066967d205',
    },
    /exceeded rate limit/,
  ],
  [
    'anth-401',
    MESSAGES,
    { class: 'authentication', advice: 'elsewhere', status: 401, requestId: 'req_013JyjhVcnhy8mfJkvBTqMNB' },
    /invalid x-api-key/,
  ],
  [
    'anth-404-model',
    MESSAGES,
    { class: 'model_not_found', advice: 'elsewhere', status: 404 },
    /there-is-no-such-model/,
  ],
  [
    'anth-400-old-completion',
    MESSAGES,
    { class: 'invalid_request', advice: 'elsewhere', status: 400 },
    /does not match the expected shape/,
  ],
];

/** Recorded from endpoints that no adapter calls. */
const OTHER_ENDPOINTS = new Set(['oai-embeddings-batch', 'oai-resp-usage-limit', 'anth-usage-limit']);

describe.skipIf(!hasSharedData('cassettes'))('recorded answers', () => {
  let server: CassetteServer;
  beforeAll(async () => {
    server = await startCassetteServer();
  });
  afterAll(() => server.close());

  const replay = async (answer: RecordedAnswer, api: Partial<PlanProvider>, heard = listen()) => {
    const url = api.adapter === 'anthropic' ? server.url : `${server.url}/v1`;
    const provider = testProvider({ ...api, url });
    server.play(answer);
    const outcome = await provider.call(request({ stream: answer.stream }), heard.context);
    await provider.close();
    return outcome;
  };
  const recorded = (name: string, nth = 0): RecordedAnswer => {
    const answer = readCassette(name)[nth];
    if (answer === undefined) throw new Error(`${name} has no answer ${nth}`);
    return answer;
  };

  it.each(ANSWERED)(
    '$from $nth is an answer with its usage and cost',
    async ({ from, nth, api, text, model, finish, usage, costNanoUsd }) => {
      const heard = listen();
      const answer = answerOf(await replay(recorded(from, nth), api, heard));
      expect(answer).toMatchObject({ model, finishReason: finish, usage });
      expect(answer.text).toMatch(text);
      expect(costOf(PRICE, usage)).toBe(costNanoUsd);
      expect(heard.deltas.join('')).toBe(recorded(from, nth).stream ? answer.text : '');
      expect(answer.notes).toBeUndefined();
    },
  );

  it.each([
    ['oai-chat-success', CHAT, 'req_58cff97afd0e7c0bba910ccf0b044a6f'],
    ['oai-resp-gpt56-azure', RESPONSES, 'a9396b91-7fe3-4af3-9bf0-11c68e83b84a'],
    ['anth-success', MESSAGES, 'req_01A7u6aDNi2C6mvDawgML8jB'],
  ] as const)('%s keeps the id of its request', async (name, api, requestId) => {
    expect(answerOf(await replay(recorded(name), api)).requestId).toBe(requestId);
  });

  it.each(REFUSED)('%s is a refusal that costs nothing', async (name, api, fields, message) => {
    const error = failureOf(await replay(recorded(name), api));
    expect(error).toMatchObject({ ...fields, billed: 'no', usage: null });
    expect(error.message).toMatch(message);
  });

  it('an answer that was only queued is not an answer', async () => {
    expect(failureOf(await replay(recorded('oai-resp-background'), RESPONSES))).toMatchObject({
      class: 'cut_stream',
      advice: 'elsewhere',
    });
  });

  it('an exhausted quota is not a rate limit', async () => {
    const answer = readRecordedBody('oai-resp-insufficient-quota.json', 429);
    expect(failureOf(await replay(answer, RESPONSES))).toMatchObject({
      class: 'quota_exhausted',
      advice: 'elsewhere',
      billed: 'no',
    });
  });

  it('a parameter that a model does not know sends the call elsewhere', async () => {
    const answer = readRecordedBody('oai-resp-temperature-error.json', 400);
    expect(failureOf(await replay(answer, RESPONSES))).toMatchObject({
      class: 'invalid_request',
      advice: 'elsewhere',
      billed: 'no',
    });
  });

  it.each(['anth-refusal.json', 'anth-refusal.chunks.txt'])(
    '%s is withheld, with its category, and is billed',
    async (file) => {
      const error = failureOf(await replay(readRecordedBody(file), MESSAGES));
      expect(error).toMatchObject({
        class: 'content_filter',
        advice: 'give-up',
        billed: 'yes',
        usage: { inputTokens: 18, outputTokens: 5 },
      });
      expect(error.message).toMatch(/refused \(cyber\): This request triggered restrictions/);
    },
  );

  it('a fallback within the vendor is reported as the model that answered', async () => {
    const answer = answerOf(await replay(readRecordedBody('anth-fallback.json'), MESSAGES));
    expect(answer).toMatchObject({
      model: 'claude-opus-4-8',
      usage: { inputTokens: 412, outputTokens: 264 },
    });
    expect(answer.text).toMatch(/^The printing press/);
  });

  it('thinking is counted as reasoning and left out of the text', async () => {
    const answer = answerOf(await replay(readRecordedBody('anth-opus5-reasoning-high.json'), MESSAGES));
    expect(answer.usage).toEqual({
      inputTokens: 51,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 1699,
      reasoningTokens: 139,
    });
    expect(answer.text).toMatch(/^## Step 1/);
  });

  it('recorded events without headers are read as well', async () => {
    const text = answerOf(await replay(readRecordedBody('anth-text.chunks.txt'), MESSAGES));
    expect(text).toMatchObject({
      text: "Hello! I'm doing well, thank you for asking. How are you doing today? Is there anything I can help you with?",
      usage: { outputTokens: 30 },
    });
    const tool = answerOf(await replay(readRecordedBody('anth-tool-no-args.chunks.txt'), MESSAGES));
    expect(tool).toMatchObject({
      text: "I'll update the issue list for you.",
      finishReason: 'other',
      usage: { inputTokens: 565, outputTokens: 48 },
    });
  });

  it('reads the rate headers of both vendors', async () => {
    const openai = answerOf(await replay(recorded('oai-resp-tool-call'), RESPONSES));
    expect(openai.rateLimits).toEqual([
      { kind: 'requests', limit: 10_000, remaining: 9987, resetsInMs: 111_595 },
      { kind: 'tokens', limit: 200_000, remaining: 199_711, resetsInMs: 86 },
    ]);
    const anthropic = answerOf(await replay(recorded('anth-success'), MESSAGES));
    expect(anthropic.rateLimits).toEqual([
      { kind: 'requests', limit: 5, remaining: 5, resetsInMs: 55_000 },
      { kind: 'tokens', limit: 10_000, remaining: 10_000, resetsInMs: 55_000 },
    ]);
  });

  it('leaves out no recorded answer of the endpoints that are called', () => {
    const covered = new Set([
      ...ANSWERED.map(({ from }) => from),
      ...REFUSED.map(([name]) => name),
      ...OTHER_ENDPOINTS,
    ]);
    expect(cassetteNames().filter((name) => !covered.has(name))).toEqual([]);
  });
});
