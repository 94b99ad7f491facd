// Whether a prompt cache is asked for: the bill that is expected of it, exactly, over every order in which calls may come.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PromptCaches } from '../../../src/engine/execution/prompt-cache.ts';
import type { PromptCacheQuestion } from '../../../src/engine/execution/prompt-cache.ts';
import type { Usage } from '../../../src/engine/providers/port.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { model } from '../../support/engine-plan.ts';

const LIVE_MS = 300_000;
const TOKENS = 2_000;

interface Rates {
  readonly input: bigint;
  readonly cachedInput: bigint;
  readonly cacheWrite: bigint;
}

const rates: fc.Arbitrary<Rates> = fc.record({
  input: fc.bigInt(1n, 1_000n),
  cachedInput: fc.bigInt(0n, 1_200n),
  cacheWrite: fc.bigInt(0n, 3_000n),
});

function question({ input, cachedInput, cacheWrite }: Rates): PromptCacheQuestion {
  const tier = { fromInputTokens: 0, input, cachedInput, cacheWrite, output: 1n, reasoning: 1n, request: 0n };
  return {
    model: model('one/claude', { price: { kind: 'rates', source: 'yaml', tiers: [tier] } }),
    constant: { key: 'beginning' },
    tokens: TOKENS,
    inputTokens: TOKENS,
    terms: { leastTokens: 1_024, liveMs: LIVE_MS },
    request: { system: null, prompt: '' },
  };
}

const usage = (read: number, written: number): Usage => ({
  inputTokens: TOKENS,
  cachedInputTokens: read,
  cacheWriteTokens: written,
  outputTokens: 1,
  reasoningTokens: 0,
});

/** What calls with these gaps between them cost more than without asking, for each token of the beginning. `keeps`: whether the vendor keeps what call n wrote. */
async function extraCost(
  of: Rates,
  gapsMs: readonly number[],
  keeps: (call: number) => boolean = () => true,
): Promise<{ readonly extra: bigint; readonly last: bigint }> {
  const clock = createSimulatedClock();
  const caches = new PromptCaches(clock);
  let usedAtMs = Number.NEGATIVE_INFINITY;
  let extra = 0n;
  let last = 0n;
  for (let call = 0; call <= gapsMs.length; call += 1) {
    if (call > 0) await clock.advance(gapsMs[call - 1] ?? 0);
    const asked = caches.begin(question(of));
    last = 0n;
    if (!asked.asks) {
      asked.ended(usage(0, 0));
      continue;
    }
    const isRead = clock.monotonicMs() - usedAtMs < LIVE_MS;
    last = isRead ? of.cachedInput - of.input : of.cacheWrite - of.input;
    extra += last;
    usedAtMs = keeps(call) ? clock.monotonicMs() : Number.NEGATIVE_INFINITY;
    asked.ended(isRead ? usage(TOKENS, 0) : usage(0, TOKENS));
  }
  return { extra, last };
}

const factorial = (n: number): bigint => (n <= 1 ? 1n : BigInt(n) * factorial(n - 1));

describe('asking for a prompt cache', () => {
  it('is never expected to cost more than not asking, whatever the prices, for a habit that nothing is known of', async () => {
    const CALLS = 5;
    await fc.assert(
      fc.asyncProperty(rates, async (of) => {
        // Every order in which calls may come soon or late, each as likely as a chance that is itself unknown makes it: k! (n - k)! / (n + 1)!
        let expected = 0n;
        for (let pattern = 0; pattern < 1 << CALLS; pattern += 1) {
          const soon = Array.from({ length: CALLS }, (_, index) => ((pattern >> index) & 1) === 1);
          const { extra, last } = await extraCost(
            of,
            soon.map((isSoon) => (isSoon ? LIVE_MS / 2 : LIVE_MS * 2)),
          );
          const k = soon.filter(Boolean).length;
          // The last call shows what was read of the one before; what itself would write is for calls that are not looked at.
          expected += factorial(k) * factorial(CALLS - k) * (extra - (last > 0n ? last : 0n));
        }
        expect(expected).toBeLessThanOrEqual(0n);
      }),
      { numRuns: 25 },
    );
  });

  it('costs at most a handful of writes an hour more than not asking, whenever calls come and whatever the vendor keeps', async () => {
    await fc.assert(
      fc.asyncProperty(
        rates,
        fc.array(fc.integer({ min: 0, max: LIVE_MS * 3 }), { maxLength: 60 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        async (of, gapsMs, kept) => {
          const { extra } = await extraCost(of, gapsMs, (call) => kept[call % kept.length] ?? true);
          const premium = of.cacheWrite > of.input ? of.cacheWrite - of.input : 0n;
          const hours = BigInt(Math.ceil(gapsMs.reduce((sum, gap) => sum + gap, 0) / 3_600_000));
          expect(extra).toBeLessThanOrEqual(5n * premium * (hours + 1n));
        },
      ),
      { numRuns: 100 },
    );
  });

  const CLAUDE: Rates = { input: 1_000n, cachedInput: 100n, cacheWrite: 1_250n };

  it('begins with the second call that comes soon, and goes on while what was written is believed to be there', async () => {
    const clock = createSimulatedClock();
    const caches = new PromptCaches(clock);
    const asks: boolean[] = [];
    for (const [gapMs, read] of [
      [0, false],
      [60_000, false],
      [60_000, true],
      [290_000, true],
    ] as const) {
      await clock.advance(gapMs);
      const call = caches.begin(question(CLAUDE));
      asks.push(call.asks);
      call.ended(call.asks ? usage(read ? TOKENS : 0, read ? 0 : TOKENS) : usage(0, 0));
    }
    expect(asks).toEqual([false, true, true, true]);
  });

  it('is left to one of several that are under way at once, since the others could not read what it writes', () => {
    const clock = createSimulatedClock();
    const caches = new PromptCaches(clock);
    caches.begin(question(CLAUDE)).ended(usage(0, 0));
    const wave = [1, 2, 3, 4].map(() => caches.begin(question(CLAUDE)));
    expect(wave.map(({ asks }) => asks)).toEqual([true, false, false, false]);
    for (const call of wave) call.ended(call.asks ? usage(0, TOKENS) : usage(0, 0));
    expect(caches.begin(question(CLAUDE)).asks).toBe(true);
  });

  it('is not done for a beginning that is shorter than the vendor keeps, nor where reads cost no less', async () => {
    const clock = createSimulatedClock();
    const short = new PromptCaches(clock);
    const dear = new PromptCaches(clock);
    for (let call = 0; call < 5; call += 1) {
      expect(short.begin({ ...question(CLAUDE), tokens: 1_023 }).asks).toBe(false);
      expect(dear.begin(question({ ...CLAUDE, cachedInput: 1_000n })).asks).toBe(false);
      await clock.advance(1_000);
    }
  });
});
