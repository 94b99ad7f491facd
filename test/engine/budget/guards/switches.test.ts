// Switches: pulled by hand or by a guard, visible, kept, and undone only on purpose.
import { describe, expect, it, vi } from 'vitest';
import { createGuards } from '../../../../src/engine/budget/guards/guards.ts';
import type { Guards, SpendSwitch } from '../../../../src/engine/budget/guards/port.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';

const clock = createSimulatedClock();

function opened(switches: SpendSwitch[] = []): { guards: Guards; changes: string[] } {
  const guards = createGuards({ clock, switches });
  const changes: string[] = [];
  guards.onSwitch(({ kind, switch: { scope }, by }) => changes.push(`${kind} ${scope} ${by}`));
  return { guards, changes };
}

const run = { runId: 'r', task: 'summarize', caller: 'ana', inputHash: 'h', guards: [], traces: [] };

describe('a switch', () => {
  it.each(['all', 'task:summarize', 'caller:ana'])('on %s lets no run start there', (scope) => {
    const { guards } = opened();
    const pulled = guards.pause(scope, 'strange bill', 'ben');
    expect(pulled).toEqual({ scope, reason: 'strange bill', by: 'ben', sinceMs: clock.nowMs() });
    expect(guards.admit(run)).toEqual({ kind: 'paused', switch: pulled });
    expect(guards.switches()).toEqual([pulled]);
  });

  it('on another scope does not concern a run, and one on a provider or a model concerns its calls', () => {
    const { guards } = opened();
    guards.pause('task:other', 'x', 'ben');
    guards.pause('provider:openai', 'x', 'ben');
    expect(guards.admit(run)).toEqual({ kind: 'pass' });
    expect(guards.switchFor(['all', 'provider:openai', 'model:openai/gpt'])).toMatchObject({
      scope: 'provider:openai',
    });
    expect(guards.switchFor(['all', 'provider:anthropic'])).toBeUndefined();
  });

  it('that was off when the process ended is off when the next one starts', () => {
    const kept = { scope: 'caller:ana', reason: 'surge', by: 'guard:surge', sinceMs: 1 };
    const { guards, changes } = opened([kept]);
    expect(guards.admit(run)).toEqual({ kind: 'paused', switch: kept });
    expect(guards.resume('caller:ana', 'ben')).toEqual(kept);
    expect(changes).toEqual(['resumed caller:ana ben']);
  });

  it('keeps its first reason, hand and time when it is pulled again, and is undone once', () => {
    const { guards, changes } = opened();
    const first = guards.pause('all', 'first', 'ana');
    expect(guards.pause('all', 'second', 'ben')).toBe(first);
    guards.resume('all', 'ana');
    expect(guards.resume('all', 'ana')).toBeUndefined();
    expect(changes).toEqual(['paused all ana', 'resumed all ana']);
  });

  it('stays pulled when whoever is told of it fails', async () => {
    const { guards } = opened();
    const surfaced = vi.fn();
    const original = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', surfaced);
    guards.onSwitch(() => {
      throw new Error('a broken listener');
    });
    expect(guards.pause('all', 'x', 'ana').scope).toBe('all');
    await new Promise((resolve) => setImmediate(resolve));
    for (const listener of original) process.on('uncaughtException', listener);
    expect(surfaced).toHaveBeenCalledOnce();
    expect(guards.switches()).toHaveLength(1);
  });
});
