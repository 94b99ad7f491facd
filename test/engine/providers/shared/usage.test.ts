// What providers say of a call's size and price, in every vendor's words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageReport } from '../../../../src/engine/providers/shared/usage.ts';

function read(usage: unknown, cacheIsBeside = false) {
  const report = new UsageReport(cacheIsBeside);
  report.add(usage);
  return report.total();
}

describe('usage, under every vendor’s names', () => {
  it('takes the input without its cache where both are told beside it (Moonshot)', () => {
    const usage = { input_tokens: 100, prompt_tokens: 1_000, cache_read_input_tokens: 900, output_tokens: 5 };
    expect(read(usage, true)).toMatchObject({ inputTokens: 1_000, cachedInputTokens: 900 });
  });

  it('reads numbers written as texts, with exponents too', () => {
    const report = new UsageReport(false);
    report.add({ prompt_tokens: '1.2e2', completion_tokens: '30.0', cost: '1.25e-7' });
    expect(report.total()).toMatchObject({ inputTokens: 120, outputTokens: 30 });
    expect(report.costUsd).toBe('0.00000012500000000000');
  });

  it('takes a cost that a server tells beside its answer where the answer has none', () => {
    const report = new UsageReport(false);
    report.addCost('0.0123');
    expect(report.costUsd).toBe('0.0123');
    report.add({ prompt_tokens: 1, cost: 0.5 });
    report.addCost('0.0123');
    expect(report.costUsd).toBe('0.5');
  });

  it.each<readonly [string, object, object]>([
    [
      'tokens that only the total shows are output, and thinking',
      { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 },
      { inputTokens: 20, outputTokens: 603, reasoningTokens: 405 },
    ],
    [
      'reasoning counted beside the output is output',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      { inputTokens: 32, outputTokens: 103, reasoningTokens: 94 },
    ],
    [
      'more reasoning than output stands beside it, without a total too',
      { prompt_tokens: 5, completion_tokens: 3, completion_tokens_details: { reasoning_tokens: 7 } },
      { outputTokens: 10, reasoningTokens: 7 },
    ],
    [
      'reasoning within the output stays within',
      {
        prompt_tokens: 24,
        completion_tokens: 1355,
        total_tokens: 1379,
        completion_tokens_details: { reasoning_tokens: 1084 },
      },
      { outputTokens: 1355, reasoningTokens: 1084 },
    ],
    [
      'a missing side follows from the total',
      { prompt_tokens: 17, total_tokens: 57 },
      { inputTokens: 17, outputTokens: 40 },
    ],
    [
      'and so does the other',
      { completion_tokens: 40, total_tokens: 57 },
      { inputTokens: 17, outputTokens: 40 },
    ],
    ['a total alone is no less than output', { total_tokens: 57 }, { inputTokens: 0, outputTokens: 57 }],
    [
      'Moonshot’s cached tokens',
      { prompt_tokens: 100, completion_tokens: 1, cached_tokens: 90 },
      { inputTokens: 100, cachedInputTokens: 90 },
    ],
    [
      'DeepSeek’s cached tokens',
      {
        prompt_tokens: 495,
        completion_tokens: 144,
        prompt_cache_hit_tokens: 320,
        prompt_cache_miss_tokens: 175,
      },
      { inputTokens: 495, cachedInputTokens: 320 },
    ],
    [
      'writes to the cache are a part of the input',
      {
        prompt_tokens: 10_339,
        completion_tokens: 60,
        total_tokens: 10_399,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 10_318 },
      },
      { inputTokens: 10_339, cachedInputTokens: 0, cacheWriteTokens: 10_318 },
    ],
    [
      'an input that is told without its cached part is completed',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115, cache_read_input_tokens: 100 },
      { inputTokens: 110, cachedInputTokens: 100, outputTokens: 5 },
    ],
    [
      'Google’s own names',
      {
        promptTokenCount: 20,
        candidatesTokenCount: 198,
        thoughtsTokenCount: 405,
        cachedContentTokenCount: 8,
        totalTokenCount: 623,
      },
      { inputTokens: 20, cachedInputTokens: 8, outputTokens: 603, reasoningTokens: 405 },
    ],
    [
      'Bedrock’s names',
      { inputTokens: 7, outputTokens: 3, totalTokens: 10 },
      { inputTokens: 7, outputTokens: 3 },
    ],
    ['Ollama’s names', { prompt_eval_count: 26, eval_count: 298 }, { inputTokens: 26, outputTokens: 298 }],
    [
      'Cohere’s counts, one level below: what it bills',
      {
        billed_units: { input_tokens: 40, output_tokens: 30 },
        tokens: { input_tokens: 100, output_tokens: 30 },
      },
      { inputTokens: 40, outputTokens: 30 },
    ],
    [
      'writes to the cache that only the breakdown in the details tells',
      {
        prompt_tokens: 3019,
        completion_tokens: 10,
        prompt_tokens_details: { cached_tokens: 0, cache_creation: { ephemeral_5m_input_tokens: 2048 } },
      },
      { inputTokens: 3019, cacheWriteTokens: 2048 },
    ],
    [
      'counts written as text',
      { prompt_tokens: '120', completion_tokens: '30.0', total_tokens: '150' },
      { inputTokens: 120, outputTokens: 30 },
    ],
  ])('%s', (_title, usage, expected) => {
    expect(read(usage)).toMatchObject(expected);
  });

  it('completes Anthropic’s input with what was read from the cache and written to it, an hour’s writes apart', () => {
    const usage = {
      input_tokens: 10,
      cache_creation_input_tokens: 10_000,
      cache_read_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 10_000 },
      output_tokens: 5,
    };
    expect(read(usage, true)).toEqual({
      inputTokens: 10_060,
      cachedInputTokens: 50,
      cacheWriteTokens: 10_000,
      cacheWriteHourTokens: 10_000,
      outputTokens: 5,
      reasoningTokens: 0,
    });
  });

  it.each([
    [{ input_tokens: 500, cache_read_input_tokens: 9500, output_tokens: 20 }],
    [{ input_tokens: 0, cache_read_input_tokens: 9500, cache_creation_input_tokens: 500, output_tokens: 20 }],
  ])(
    'INV-1: a stream that begins with all of its input and tells the parts at its end counts none twice: %j',
    (last) => {
      const report = new UsageReport(true);
      report.add({ input_tokens: 10_000, output_tokens: 1 });
      report.add(last);
      expect(report.total()).toMatchObject({
        inputTokens: 10_000,
        cachedInputTokens: 9500,
        outputTokens: 20,
      });
    },
  );

  it('Google’s traffic type is the tier', () => {
    const report = new UsageReport(false);
    report.add({ prompt_tokens: 1, extra_properties: { google: { traffic_type: 'ON_DEMAND_PRIORITY' } } });
    expect(report.serviceTier).toBe('ON_DEMAND_PRIORITY');
  });

  it.each([
    null,
    undefined,
    {},
    [],
    'many',
    { prompt_tokens: 'many' },
    { prompt_tokens: -5 },
    { prompt_tokens: 0 },
  ])('is none where nothing is counted: %j', (usage) => {
    expect(read(usage)).toBeNull();
  });

  it('lets no zero take the place of a count, wherever in a stream it comes', () => {
    const report = new UsageReport(false);
    report.add({ prompt_tokens: 0, completion_tokens: 0 });
    report.add({ prompt_tokens: 40, completion_tokens: 7, total_tokens: 47 });
    expect(report.add({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })).toBe(false);
    expect(report.total()).toMatchObject({ inputTokens: 40, outputTokens: 7 });
  });

  it('keeps impossible counts for who settles to see', () => {
    expect(read(JSON.parse('{"prompt_tokens":1e999,"completion_tokens":4e15}'))).toMatchObject({
      inputTokens: Number.POSITIVE_INFINITY,
      outputTokens: 4e15,
    });
  });

  it.each<readonly [object, string | null]>([
    [{ cost: 0.0333 }, '0.0333'],
    [{ cost: '0.0333' }, '0.0333'],
    [{ cost: { total_cost: 0.006 } }, '0.006'],
    [{ estimated_cost: 1e-7 }, '0.00000010000000000000'],
    [{ cost_in_usd_ticks: 1_721_250 }, '0.0001721250'],
    [
      { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } },
      `0.021${'0'.repeat(27)}`,
    ],
    [{ cost: -1 }, null],
    [{ cost: 'free' }, null],
    [{ cost: 1e300 }, `1${'0'.repeat(21)}`],
  ])('reads the price that a provider reports: %j', (usage, cost) => {
    const report = new UsageReport(false);
    report.add(usage);
    expect(report.costUsd).toBe(cost);
  });

  it('reads whatever it is given, and gives counts that hold together', () => {
    const names = [
      'prompt_tokens',
      'completion_tokens',
      'total_tokens',
      'cached_tokens',
      'cache_creation_input_tokens',
      'reasoning_tokens',
      'cost',
      'service_tier',
      'prompt_tokens_details',
      'completion_tokens_details',
      'cache_creation',
    ];
    const value = fc.oneof(
      fc.nat(10_000),
      fc.double(),
      fc.constantFrom('12', 'x', null, true, -3, 4e15, 1e300),
      fc.anything(),
    );
    const usage = fc.dictionary(fc.constantFrom(...names), value);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(usage, fc.anything()), { maxLength: 4 }),
        fc.boolean(),
        (reports, beside) => {
          const report = new UsageReport(beside);
          for (const one of reports) report.add(one);
          const total = report.total();
          if (total === null) return;
          expect(total.cachedInputTokens).toBeLessThanOrEqual(total.inputTokens);
          expect(total.cacheWriteTokens).toBeLessThanOrEqual(total.inputTokens);
          expect(total.reasoningTokens).toBeLessThanOrEqual(total.outputTokens);
          expect(total.inputTokens + total.outputTokens).toBeGreaterThan(0);
        },
      ),
    );
  });
});
