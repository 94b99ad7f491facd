// Recordings of many vendors, as their own clients' test suites keep them: what each counts is read, all of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Usage } from '../../../src/engine/providers/port.ts';
import { readRecordings, startCassetteServer } from '../../support/cassette-server.ts';
import type { CassetteServer, Recording } from '../../support/cassette-server.ts';
import { listen, request, testProvider } from '../../support/provider-plan.ts';
import { hasSharedData } from '../../support/shared-data.ts';

const FILE = 'vercel-ai.ndjson';

/** Nothing is counted in them: refusals, a failure inside a stream, streams that end before a count, and counts of nothing but zeros. */
const WITHOUT_COUNT: ReadonlySet<string> = new Set([
  'v-openai-compatible-anthropic-fallback-tool-call-sse',
  'v-openai-reasoning-model-legacy-parameter-error',
  'v-openai-openai-error-1',
  'v-openai-openai-error-1-s',
  'v-openai-parallel-tool-call-wrapper-1-s',
  'v-openai-reasoning-model-temperature-error',
  'v-openai-programmatic-tool-calling-2',
  'v-openai-programmatic-tool-calling-2-s',
]);

/** Filed under a protocol that it does not speak. */
const SPEAKS: { readonly [id: string]: 'chat' } = { 'v-azure-azure-deepseek-reasoning-1-s': 'chat' };

/** Several passes: an advisor's, a compaction. Input and output of all that gave something; a refused one, before a model took over, is not billed. */
const PASSES: { readonly [id: string]: readonly [number, number] } = {
  'v-anthropic-anthropic-advisor-20250301-1-s': [1051 + 2728 + 3676, 35 + 3880 + 3356],
  'v-anthropic-anthropic-advisor-20260301-1': [1051 + 2728 + 1363, 35 + 874 + 3165],
  'v-anthropic-anthropic-compaction-1-s': [60_385 + 612, 522 + 2819],
  'v-anthropic-anthropic-compaction-1': [60_385 + 682, 592 + 1320],
  'v-anthropic-anthropic-fallback-s': [412, 264],
  'v-anthropic-anthropic-fallback': [412, 264],
};

describe.skipIf(!hasSharedData(`recordings/${FILE}`))('recordings of many vendors', () => {
  let server: CassetteServer;
  beforeAll(async () => {
    server = await startCassetteServer();
  });
  afterAll(() => server.close());

  const recordings = hasSharedData(`recordings/${FILE}`)
    ? [...readRecordings()].map(([id, recording]) => ({ id, ...recording }))
    : [];

  const told = async (recording: Recording & { readonly id: string }) => {
    const api = SPEAKS[recording.id] ?? recording.api;
    const isAnthropic = api === 'anthropic';
    const provider = testProvider({
      ...(api === 'anthropic' ? { adapter: 'anthropic' } : { adapter: 'openai', api }),
      url: isAnthropic ? server.url : `${server.url}/v1`,
    });
    server.play(recording);
    const outcome = await provider.call(request({ stream: recording.stream }), listen().context);
    await provider.close();
    return outcome.ok ? outcome.value : outcome.error;
  };

  it.each(recordings)('$id: its count is read whole', async (recording) => {
    const { usage, iterationModels } = await told(recording);
    if (WITHOUT_COUNT.has(recording.id)) {
      expect(usage).toBeNull();
      return;
    }
    const most = mostReported(recording);
    expect(usage).not.toBeNull();
    const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } =
      usage as Usage;
    const passes = PASSES[recording.id];
    if (passes !== undefined) expect([inputTokens, outputTokens]).toEqual(passes);
    if (passes !== undefined && !recording.id.includes('compaction'))
      expect(iterationModels).toContain(
        recording.id.includes('advisor') ? 'claude-opus-4-7' : 'claude-opus-4-8',
      );
    expect(inputTokens).toBeGreaterThanOrEqual(most.input);
    expect(outputTokens).toBeGreaterThanOrEqual(most.output);
    expect(inputTokens + outputTokens).toBeGreaterThanOrEqual(most.total);
    expect(cachedInputTokens + cacheWriteTokens).toBeLessThanOrEqual(inputTokens);
    expect(reasoningTokens).toBeLessThanOrEqual(outputTokens);
  });
});

/** The largest figures that stand anywhere in the answer under the names of the vendors' own protocols: a count is never below them. */
function mostReported({ body, stream }: Recording): {
  readonly input: number;
  readonly output: number;
  readonly total: number;
} {
  const most = { input: 0, output: 0, total: 0 };
  const names: readonly (readonly [keyof typeof most, string])[] = [
    ['input', 'prompt_tokens'],
    ['input', 'input_tokens'],
    ['output', 'completion_tokens'],
    ['output', 'output_tokens'],
    ['total', 'total_tokens'],
  ];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(look);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name !== 'usage') {
        look(member);
        continue;
      }
      for (const [kind, key] of names) {
        const count = (member as { readonly [key: string]: unknown } | null)?.[key];
        if (typeof count === 'number') most[kind] = Math.max(most[kind], count);
      }
    }
  };
  const texts = stream
    ? body
        .split('\n')
        .filter((line) => line.startsWith('data:') && !line.includes('[DONE]'))
        .map((line) => line.slice('data:'.length))
    : [body];
  for (const text of texts) {
    const event = JSON.parse(text) as { readonly type?: unknown };
    look(event);
    // Some files hold the answers of a whole conversation: a call ends with the first.
    if (event.type === 'response.completed' || event.type === 'message_stop') break;
  }
  return most;
}
