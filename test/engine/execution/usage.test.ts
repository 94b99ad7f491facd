// What calls are settled with, whatever a provider reports and however they end.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fail, succeed } from '../../../src/common/outcome.ts';
import { settlementOf } from '../../../src/engine/execution/usage.ts';
import type { SettledCall } from '../../../src/engine/execution/usage.ts';
import { countTokens, loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { ErrorClass, ProviderAnswer, ProviderError, Usage } from '../../../src/engine/providers/port.ts';
import { chatReader } from '../../../src/engine/providers/openai/chat.ts';
import { costOf } from '../../../src/engine/routing/cost.ts';
import { model, rates } from '../../support/engine-plan.ts';

await loadTokenizer();

const MODEL = model('a/one', { price: rates(), contextTokens: 100_000, maxOutputTokens: 8_000 });
const WORST = { costNanoUsd: 7_000_000n, inputTokens: 500, tokens: 1_500 };
const asked = (fields: Partial<SettledCall> = {}): SettledCall => ({
  model: MODEL,
  costIsReported: false,
  inputTokens: 100,
  maxOutputTokens: 1_000,
  worst: WORST,
  text: '',
  raised: (counted) => counted,
  ...fields,
});
const USAGE: Usage = {
  inputTokens: 20,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 10,
  reasoningTokens: 0,
};
const answer = (fields: Partial<ProviderAnswer> = {}): ProviderAnswer => ({
  text: 'Bridges stand.',
  json: [],
  model: 'one',
  finishReason: 'stop',
  usage: USAGE,
  requestId: null,
  rateLimits: [],
  ...fields,
});
const error = (kind: ErrorClass, fields: Partial<ProviderError> = {}): ProviderError => ({
  class: kind,
  advice: 'elsewhere',
  message: kind,
  status: null,
  retryAfterMs: null,
  billed: 'maybe',
  usage: null,
  seenCharacters: 0,
  requestId: null,
  rateLimits: [],
  ...fields,
});
const codes = ({ notes }: { readonly notes: readonly { readonly code: string }[] }): string[] =>
  notes.map(({ code }) => code);

describe('a call whose output nobody saw', () => {
  test.each<ErrorClass>(['timeout', 'cancelled', 'connection', 'cut_stream', 'malformed_stream', 'unknown'])(
    'is settled at its held worst case: %s',
    (kind) => {
      const settled = settlementOf(fail(error(kind)), asked());
      expect(settled).toMatchObject({
        costNanoUsd: 7_000_000n,
        estimated: true,
        billed: true,
        counted: false,
      });
      expect(settled.usage.inputTokens + settled.usage.outputTokens).toBe(1_500);
      expect(codes(settled)).toEqual(['OUTPUT_UNSEEN']);
    },
  );

  test('the smaller figure counts where a stream showed it, and not where it only began', () => {
    const shown = settlementOf(
      fail(error('timeout', { seenCharacters: 14 })),
      asked({ text: 'Bridges stand.' }),
    );
    expect(shown).toMatchObject({
      estimated: true,
      usage: { inputTokens: 100, outputTokens: countTokens('Bridges stand.') },
    });
    const begun = { ...USAGE, inputTokens: 25, outputTokens: 1 };
    expect(settlementOf(fail(error('timeout', { usage: begun, billed: 'yes' })), asked()).costNanoUsd).toBe(
      7_000_000n,
    );
  });

  test('INV-2: is raised by what the provider may have counted more, no further than is held, and never below what was shown', () => {
    const raised: SettledCall['raised'] = ({ inputTokens, outputTokens }) => ({
      inputTokens: inputTokens * 2,
      outputTokens: outputTokens * 3,
    });
    const shown = countTokens('Bridges stand.');
    const silent = (fields: Partial<SettledCall>) =>
      settlementOf(succeed(answer({ usage: null })), asked(fields));
    expect(silent({ raised })).toMatchObject({
      usage: { inputTokens: 200, outputTokens: 3 * shown },
      costNanoUsd: costOf(rates(), { ...USAGE, inputTokens: 200, outputTokens: 3 * shown }),
      estimated: true,
    });
    const least = costOf(rates(), { ...USAGE, inputTokens: 100, outputTokens: shown });
    const tight = silent({ raised, worst: { ...WORST, costNanoUsd: least + 1n } });
    expect(tight).toMatchObject({ usage: { inputTokens: 100 }, costNanoUsd: least + 1n });
    expect(silent({ raised, worst: { ...WORST, costNanoUsd: 0n } }).costNanoUsd).toBe(least);
  });

  test.each([
    ['a gateway that gave up', { status: 502, billed: 'maybe' as const }, 7_000_000n],
    ['a page in place of an error', { status: 500, billed: 'maybe' as const }, 7_000_000n],
    ['a client that went, says the gateway', { status: 499, billed: 'maybe' as const }, 7_000_000n],
    ["a vendor's own error", { status: 500, billed: 'no' as const }, 0n],
  ])('%s', (_, fields, costNanoUsd) => {
    expect(settlementOf(fail(error('server_error', fields)), asked()).costNanoUsd).toBe(costNanoUsd);
  });

  test('costs nothing, and is no call, where nothing was sent', () => {
    expect(settlementOf(fail(error('cancelled', { billed: 'no' })), asked())).toMatchObject({
      costNanoUsd: 0n,
      estimated: false,
      billed: false,
    });
  });
});

describe('what a provider reports', () => {
  test.each([4e15, 1e18, 1e300, Number.POSITIVE_INFINITY])(
    'beyond what its model can do is settled at the worst case, with a note: %d tokens',
    (tokens) => {
      for (const usage of [
        { ...USAGE, inputTokens: tokens },
        { ...USAGE, outputTokens: tokens },
      ]) {
        const settled = settlementOf(succeed(answer({ usage })), asked());
        expect(settled).toMatchObject({ costNanoUsd: 7_000_000n, estimated: true, counted: false });
        expect(codes(settled)).toEqual(['USAGE_IMPOSSIBLE']);
      }
    },
  );

  test("what was read again after each call of the provider's own tools is no more than can be", () => {
    const usage = { ...USAGE, inputTokens: 734_311, cachedInputTokens: 426_653 };
    const settled = settlementOf(succeed(answer({ usage, passes: 8 })), asked());
    expect(settled).toMatchObject({ costNanoUsd: costOf(rates(), usage), usage, counted: true });
    expect(settlementOf(succeed(answer({ usage, passes: 7 })), asked()).counted).toBe(false);
  });

  test('no output beside a text is no count', () => {
    const settled = settlementOf(succeed(answer({ usage: { ...USAGE, outputTokens: 0 } })), asked());
    expect(settled).toMatchObject({ estimated: true, counted: false, usage: { inputTokens: 20 } });
    expect(settled.usage.outputTokens).toBe(countTokens('Bridges stand.'));
    expect(codes(settled)).toEqual(['USAGE_MISSING']);
  });

  test('another tier is told, and its cost is an estimate', () => {
    const settled = settlementOf(succeed(answer({ serviceTier: 'priority' })), asked());
    expect(settled).toMatchObject({ serviceTier: 'priority', estimated: true });
    expect(codes(settled)).toEqual(['SERVICE_TIER']);
    expect(settlementOf(succeed(answer({ serviceTier: 'default' })), asked()).estimated).toBe(false);
  });

  test("another model's passes are counted, told, and an estimate; its own under another spelling are not another's", () => {
    const settled = settlementOf(succeed(answer({ iterationModels: ['one', 'two'] })), asked());
    expect(settled).toMatchObject({ estimated: true, counted: true, costNanoUsd: costOf(rates(), USAGE) });
    expect(codes(settled)).toEqual(['OTHER_MODEL']);
    for (const name of ['one-20260203', 'us.anthropic.one-20260203-v1:0', 'one-latest'])
      expect(settlementOf(succeed(answer({ iterationModels: [name] })), asked()).estimated).toBe(false);
  });

  test('INV-1: what is billed beside the tokens is on top, told, and an estimate; fees alone are no price of tokens', () => {
    const tokens = costOf(rates(), USAGE);
    const settled = settlementOf(
      succeed(
        answer({ surcharges: [{ what: 'a', percent: 10 }, { what: 'b', usd: '0.05' }, { what: 'c' }] }),
      ),
      asked(),
    );
    expect(settled).toMatchObject({
      costNanoUsd: (tokens * 11n) / 10n + 50_000_000n,
      feesNanoUsd: 50_000_000n,
      estimated: true,
      counted: true,
    });
    expect(codes(settled)).toEqual(['SURCHARGE', 'SURCHARGE', 'SURCHARGE']);
    const cut = error('cut_stream', {
      usage: USAGE,
      seenCharacters: 9,
      surcharges: [{ what: 'b', usd: '0.05' }],
    });
    expect(settlementOf(fail(cut), asked()).feesNanoUsd).toBe(50_000_000n);
  });

  test('a price that the provider tells has its fees in it, and a model without a price has none', () => {
    const surcharges = [{ what: 'b', usd: '0.05' }];
    const told = answer({ reportedCostUsd: '0.06', surcharges });
    expect(settlementOf(succeed(told), asked({ costIsReported: true }))).toMatchObject({
      costNanoUsd: 60_000_000n,
      estimated: false,
    });
    const free = { ...MODEL, price: { kind: 'free' } as const };
    expect(settlementOf(succeed(answer({ surcharges })), asked({ model: free })).costNanoUsd).toBe(0n);
  });

  test('its own price is kept, and is the cost where the provider is configured so', () => {
    const told = succeed(answer({ reportedCostUsd: '0.0333' }));
    expect(settlementOf(told, asked())).toMatchObject({
      costNanoUsd: 60_000n,
      reportedCostNanoUsd: 33_300_000n,
      estimated: false,
    });
    expect(settlementOf(told, asked({ costIsReported: true }))).toMatchObject({
      costNanoUsd: 33_300_000n,
      estimated: false,
    });
    for (const nothing of [{}, { reportedCostUsd: '0' }]) {
      const settled = settlementOf(succeed(answer(nothing)), asked({ costIsReported: true }));
      expect(settled).toMatchObject({ costNanoUsd: 60_000n, estimated: true });
      expect(codes(settled)).toEqual(['COST_NOT_REPORTED']);
    }
    const absurd = succeed(answer({ reportedCostUsd: '1'.padEnd(22, '0') }));
    expect(settlementOf(absurd, asked({ costIsReported: true }))).toMatchObject({
      costNanoUsd: 7_000_000n,
      estimated: true,
    });
  });
});

test('never a cost of nothing with a text, never a throw, never a cost below what a stream showed, whatever the usage and however it is cut', () => {
  const number = fc.oneof(
    fc.nat(5_000),
    fc.constantFrom(0, -1, 4e15, 1e18, 1e300, Number.NaN, '7', '-3', 'x', null, true),
    fc.double(),
  );
  const usage = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        'prompt_tokens',
        'completion_tokens',
        'total_tokens',
        'cached_tokens',
        'cost',
        'reasoning_tokens',
      ),
      number,
    ),
    fc.anything(),
  );
  const pieces = fc.array(fc.tuple(fc.stringMatching(/^[a-z ,.äß]{1,30}$/), fc.option(usage)), {
    minLength: 1,
    maxLength: 8,
  });
  const end = fc.constantFrom('whole', 'timeout', 'cancelled', 'cut_stream', 'connection');
  fc.assert(
    fc.property(pieces, end, fc.boolean(), (chunks, how, costIsReported) => {
      const { reading, event } = chatReader();
      let text = '';
      for (const [content, counted] of chunks) {
        text += content;
        event({
          model: 'm',
          choices: [{ index: 0, delta: { content }, finish_reason: null }],
          usage: counted,
        });
      }
      const { costUsd, serviceTier } = reading.reported;
      const told = { usage: reading.usage, serviceTier, reportedCostUsd: costUsd };
      const outcome =
        how === 'whole'
          ? succeed(answer({ text, ...told }))
          : fail(error(how as ErrorClass, { ...told, seenCharacters: text.length, billed: 'yes' }));
      const settled = settlementOf(outcome, asked({ text, costIsReported }));
      expect(settled.costNanoUsd).toBeGreaterThan(0n);
      expect(settled.costNanoUsd).toBeLessThanOrEqual(10_000_000_000_000_000n);
      const { inputTokens, outputTokens } = settled.usage;
      expect(Number.isSafeInteger(inputTokens) && Number.isSafeInteger(outputTokens)).toBe(true);
      // A quarter of our own count: another tokenizer may need so few, and no fewer.
      const shown = Math.floor((countTokens(text) - 32) / 4);
      if (how === 'whole') expect(outputTokens).toBeGreaterThanOrEqual(shown);
      else if (codes(settled)[0] !== 'USAGE_IMPOSSIBLE')
        expect(outputTokens).toBeGreaterThanOrEqual(countTokens(text));
      if (!costIsReported && codes(settled).length === 0)
        expect(settled.costNanoUsd).toBe(costOf(MODEL.price, settled.usage));
    }),
    { numRuns: 300 },
  );
});
