// Guards by example: loops, switches and surges.
import { describe, expect, it } from 'vitest';
import { createGuards } from '../../../../src/engine/budget/guards/guards.ts';
import type { LoopDecision, GuardAlert, Guards } from '../../../../src/engine/budget/guards/port.ts';
import type { PlanLoopGuard, PlanSurgeGuard } from '../../../../src/language/plan/types.ts';
import { createSimulatedClock, type SimulatedClock } from '../../../support/simulated-clock.ts';

const loop: PlanLoopGuard = { same: 'input', ignore: [], repeats: 3, withinMs: 60_000, then: 'reuse' };
const traces = [{ key: 'h', exact: 'h' }];
const surge: PlanSurgeGuard = {
  factor: 8,
  overMs: 900_000,
  baselineMs: 7 * 86_400_000,
  floorNanoUsd: 5_000_000_000n,
  then: 'pause',
};

function opened(): { guards: Guards; clock: SimulatedClock; alerts: GuardAlert[] } {
  const clock = createSimulatedClock();
  const guards = createGuards({ clock, switches: [], surge });
  const alerts: GuardAlert[] = [];
  guards.onAlert((alert) => alerts.push(alert));
  return { guards, clock, alerts };
}

function admit(guards: Guards, runId: string, given: Partial<PlanLoopGuard> = {}): LoopDecision {
  return guards.admit({
    runId,
    task: 'summarize',
    caller: 'ana',
    inputHash: 'h',
    guards: [{ ...loop, ...given }],
    traces,
  });
}

describe('loops', () => {
  it('answers the fourth of three allowed repeats with the last answer', () => {
    const { guards, alerts } = opened();
    for (const runId of ['a', 'b', 'c']) {
      expect(admit(guards, runId)).toEqual({ kind: 'pass' });
      guards.ended({
        runId,
        task: 'summarize',
        caller: 'ana',
        guards: [loop],
        traces,
        succeeded: runId !== 'c',
      });
    }
    expect(admit(guards, 'd')).toEqual({
      kind: 'reuse',
      same: 'input',
      runId: 'b',
      repeats: 4,
      withinMs: 60_000,
      retryAfterMs: 60_000,
    });
    admit(guards, 'e');
    expect(alerts).toHaveLength(1);
  });

  it('does not let a loop go that keeps trying, and does when it falls silent', async () => {
    const { guards, clock } = opened();
    for (const runId of ['a', 'b', 'c']) admit(guards, runId, { then: 'reject' });
    for (let minute = 0; minute < 10; minute += 1) {
      await clock.advance(15_000);
      expect(admit(guards, 'x', { then: 'reject' }).kind).toBe('reject');
    }
    await clock.advance(60_000);
    expect(admit(guards, 'y', { then: 'reject' }).kind).toBe('pass');
  });

  it('pauses the caller, until resumed on purpose', () => {
    const { guards } = opened();
    for (const runId of ['a', 'b', 'c']) admit(guards, runId, { then: 'pause' });
    expect(admit(guards, 'd', { then: 'pause' })).toMatchObject({
      kind: 'paused',
      switch: { scope: 'caller:ana', by: 'guard:loop' },
    });
    expect(
      guards.admit({ runId: 'e', task: 't', caller: 'ana', inputHash: 'other', guards: [], traces: [] }).kind,
    ).toBe('paused');
    guards.resume('caller:ana', 'ben');
    expect(
      guards.admit({ runId: 'e', task: 't', caller: 'ana', inputHash: 'other', guards: [], traces: [] }).kind,
    ).toBe('pass');
  });
});

describe('surges', () => {
  it('stops a caller with no past at twice the floor', () => {
    const { guards, clock } = opened();
    for (let call = 0; call <= 10; call += 1) {
      expect(guards.switches()).toEqual([]);
      guards.spent({ task: 'summarize', caller: 'ana', costNanoUsd: 1_000_000_000n, atMs: clock.nowMs() });
    }
    expect(guards.switches()).toMatchObject([{ scope: 'caller:ana', by: 'guard:surge' }]);
  });
});
