// The demo: its workflows compile, its clock catches up without a jump, and its script stops the loop.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../src/app.ts';
import { catchingUpClock } from '../../src/cli/demo/catching-up.ts';
import { playScenes } from '../../src/cli/demo/script.ts';
import { startUpstream } from '../../src/cli/demo/upstream.ts';
import { systemClock } from '../../src/common/clock.ts';
import { seededRandom } from '../../src/common/random.ts';
import { compileDirectory } from '../../src/revisions/compile.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

const HOUR_MS = 3_600_000;

describe('the demo', () => {
  it('has workflows that compile without a remark', async () => {
    const { plan, problems } = await compileDirectory('demo', {
      env: { DEMO_KEY: 'demo' },
      nowMs: Date.UTC(2026, 10, 28),
    });
    expect(problems).toEqual([]);
    expect(Object.keys(plan?.tasks ?? {}).sort()).toEqual(['digest', 'review', 'triage']);
  });

  it('has a clock that begins an hour ago, never goes back, and meets the real one', async () => {
    const real = createSimulatedClock();
    const began = real.nowMs();
    const clock = catchingUpClock(HOUR_MS, 120, real);
    expect(clock.nowMs()).toBe(began - HOUR_MS);
    const fired: number[] = [];
    clock.after(60_000, () => fired.push(clock.nowMs()));
    clock.after(2 * HOUR_MS, () => fired.push(clock.nowMs()));
    clock.onCaughtUp(() => fired.push(real.nowMs() - clock.nowMs()));
    let before = clock.nowMs();
    for (let step = 0; step < 80; step += 1) {
      await real.advance(100);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
      before = clock.nowMs();
    }
    await real.advance(2 * HOUR_MS);
    const [minute = 0, caughtUp, later = 0] = fired;
    expect(Math.abs(minute - (began - HOUR_MS + 60_000))).toBeLessThan(500);
    expect(Math.abs(caughtUp ?? 1)).toBeLessThanOrEqual(1);
    expect(Math.abs(later - (began + HOUR_MS))).toBeLessThan(500);
    expect(clock.nowMs()).toBe(real.nowMs());
  });

  it('fails over, closes the budget of the trial, and stops the loop', async () => {
    // Thirty times as fast as a person would watch it, against the real engine, ledger and SDKs.
    const clock = catchingUpClock(24 * HOUR_MS, 30, systemClock);
    const random = seededRandom(1);
    const upstream = await startUpstream(clock, random);
    const dataDirectory = await mkdtemp(join(tmpdir(), 'headgate-demo-'));
    const app = await openApp({
      workflows: 'demo',
      dataDirectory,
      env: {
        DEMO_OPENAI: `${upstream.url}/openai/v1`,
        DEMO_ANTHROPIC: `${upstream.url}/anthropic`,
        DEMO_KEY: 'demo',
      },
      synchronous: 'normal',
      clock,
      random,
    });
    const alerts: string[] = [];
    app.ledger.onWritten((rows) => {
      for (const row of rows) if (row.kind === 'alert') alerts.push(row.alert.kind);
    });
    const told: string[] = [];
    await playScenes({
      engine: app.engine,
      upstream,
      clock,
      random,
      tell: (sentence) => told.push(sentence),
      stopped: () => false,
    });
    await app.close(0);
    await upstream.close();
    await rm(dataDirectory, { recursive: true, force: true });
    expect(alerts).toContain('budget_exhausted');
    expect(alerts).toContain('loop');
    expect(told.join('\n')).toMatch(/The loop was stopped after 4\d calls/);
  });
});
