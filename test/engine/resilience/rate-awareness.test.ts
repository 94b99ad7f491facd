// Against a provider that enforces limits of its own: refused calls are rare, and nobody waits for nothing.
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/common/clock.ts';
import { seededRandom } from '../../../src/common/random.ts';
import type { PlanRateLimits } from '../../../src/language/plan/types.ts';
import { createRateGates } from '../../../src/engine/resilience/rate-gates.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';

const MINUTE = 60_000;
const LIMIT = 60;

interface Answer {
  readonly refused: boolean;
  readonly retryAfterMs: number | null;
  readonly remaining: number;
  readonly resetsInMs: number;
}

/** A token bucket of 60 requests, refilled at 60 a minute: what the vendors describe. */
function bucketProvider(
  clock: SimulatedClock,
  says: { headers: boolean; retryAfter: boolean },
): () => Answer {
  let level = LIMIT;
  let atMs = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    level = Math.min(LIMIT, level + ((nowMs - atMs) / MINUTE) * LIMIT);
    atMs = nowMs;
    const refused = level < 1;
    if (!refused) level -= 1;
    return {
      refused,
      retryAfterMs: refused && says.retryAfter ? Math.ceil(((1 - level) / LIMIT) * MINUTE) : null,
      remaining: says.headers ? Math.floor(level) : Number.NaN,
      resetsInMs: Math.ceil(((LIMIT - level) / LIMIT) * MINUTE),
    };
  };
}

/** Four callers a second for three minutes, twice what the provider allows; each comes back until it is served. */
async function crowd(
  limits: PlanRateLimits,
  says: { headers: boolean; retryAfter: boolean },
): Promise<{ refused: number; served: number; tookMs: number }> {
  const clock = createSimulatedClock();
  const random = seededRandom(21);
  const provider = bucketProvider(clock, says);
  const gate = createRateGates({ clock }).get('p', limits);
  let refused = 0;
  let served = 0;
  const caller = async (): Promise<void> => {
    for (;;) {
      await gate.wait(100, Number.POSITIVE_INFINITY, new AbortController().signal);
      await sleep(clock, 20 + 30 * random());
      const answer = provider();
      await sleep(clock, 200 + 300 * random());
      gate.observe({
        closedForMs: answer.retryAfterMs,
        refused: answer.refused,
        headroom: [
          { kind: 'requests', limit: LIMIT, remaining: answer.remaining, resetsInMs: answer.resetsInMs },
        ],
      });
      if (!answer.refused) break;
      refused += 1;
    }
    served += 1;
  };
  const callers: Promise<void>[] = [];
  for (let count = 0; count < 360; count += 1) {
    callers.push(caller());
    await clock.advance(500);
  }
  await clock.settle(Promise.all(callers));
  return { refused, served, tookMs: clock.monotonicMs() };
}

const unlimited: PlanRateLimits = { requests: null, tokens: null };

describe('a provider with a limit of its own', () => {
  it('refuses nobody when the limit is configured', async () => {
    const configured: PlanRateLimits = { requests: { amount: LIMIT, perMs: MINUTE }, tokens: null };
    const { refused, served, tookMs } = await crowd(configured, { headers: false, retryAfter: false });
    expect({ refused, served }).toEqual({ refused: 0, served: 360 });
    // Sixty a minute: six minutes at least, and not much more.
    expect(tookMs).toBeLessThan(6.3 * MINUTE);
  });

  it('refuses hardly anybody when only its headers tell of it', async () => {
    const { refused, served, tookMs } = await crowd(unlimited, { headers: true, retryAfter: true });
    expect(served).toBe(360);
    expect(refused).toBeLessThan(360 * 0.05);
    expect(tookMs).toBeLessThan(6.3 * MINUTE);
  });

  it('refuses few when nothing but its Retry-After tells of it: who waited does not come back all at once', async () => {
    const { refused, served, tookMs } = await crowd(unlimited, { headers: false, retryAfter: true });
    expect(served).toBe(360);
    expect(refused).toBeLessThan(360 * 0.1);
    expect(tookMs).toBeLessThan(6 * MINUTE);
  });

  it('refuses few when it does nothing but refuse', async () => {
    const { refused, served, tookMs } = await crowd(unlimited, { headers: false, retryAfter: false });
    expect(served).toBe(360);
    expect(refused).toBeLessThan(360 * 0.1);
    expect(tookMs).toBeLessThan(6 * MINUTE);
  });
});
