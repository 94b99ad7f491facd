// What a provider's headers say is left: any numbers may come, and waiting as long as told is always enough.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createToldHeadroom, type Told } from '../../../src/engine/resilience/told-headroom.ts';

const anyNumber = fc.oneof(
  fc.double({ min: -10, max: 1e9, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, 1),
);
const anyTold: fc.Arbitrary<Told> = fc.record({
  kind: fc.constantFrom('requests', 'tokens', 'inputTokens', 'outputTokens', 'something new'),
  limit: fc.option(anyNumber, { nil: null }),
  remaining: anyNumber,
  resetsInMs: fc.option(anyNumber, { nil: null }),
});

it('waiting as long as it says is enough, whatever a provider has said', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyTold, fc.nat(100_000), fc.nat(5)), { maxLength: 12 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      (words, tokens) => {
        const headroom = createToldHeadroom();
        let nowMs = 0;
        for (const [told, pauseMs, taken] of words) {
          headroom.observe(told, nowMs);
          for (let call = 0; call < taken; call += 1) headroom.take(1, tokens);
          nowMs += pauseMs;
          for (const what of ['requests', 'tokens'] as const) {
            const left = headroom.left(what, nowMs);
            expect(left === null || (left >= 0 && left <= 1)).toBe(true);
          }
          const delayMs = headroom.delayMs(1, tokens, nowMs);
          expect(Number.isFinite(delayMs) && delayMs >= 0).toBe(true);
          expect(headroom.delayMs(1, tokens, nowMs + delayMs)).toBe(0);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
