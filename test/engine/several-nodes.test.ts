// What several processes that serve the same callers tell each other, and what they divide among them.
import { describe, expect, it } from 'vitest';
import { createGuards } from '../../src/engine/budget/guards/guards.ts';
import type { GuardNews, Guards } from '../../src/engine/budget/guards/port.ts';
import { createPolicies } from '../../src/engine/resilience/policies.ts';
import { createRateGates } from '../../src/engine/resilience/rate-gates.ts';
import { seededRandom } from '../../src/common/random.ts';
import type { PlanLoopGuard } from '../../src/language/plan/types.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';
import type { SimulatedClock } from '../support/simulated-clock.ts';
import { MINUTE, limits, queueUp } from './resilience/gate-driver.ts';
import { settings } from './resilience/settings.ts';

const NODES = 3;

/** Each tells the others, as text. */
function guardsOf(clock: SimulatedClock): Guards[] {
  const surge = {
    factor: 8,
    overMs: 900_000,
    baselineMs: 7 * 86_400_000,
    floorNanoUsd: 5_000_000_000n,
    then: 'pause' as const,
  };
  const nodes: Guards[] = [];
  for (let index = 0; index < NODES; index += 1)
    nodes.push(
      createGuards({
        clock,
        switches: [],
        surge,
        tell(news) {
          for (const [other, node] of nodes.entries())
            if (other !== index) node.heard(JSON.parse(JSON.stringify(news)) as GuardNews[]);
        },
      }),
    );
  return nodes;
}

describe('guards of several nodes', () => {
  it('stop a loop that goes round them, after as many tries as are allowed and one more for each node', async () => {
    const clock = createSimulatedClock();
    const nodes = guardsOf(clock);
    const guard: PlanLoopGuard = { same: 'input', ignore: [], repeats: 6, withinMs: 600_000, then: 'reject' };
    const tryAt = (node: number, key: string): string =>
      nodes[node % NODES]?.admit({
        runId: `${key} ${node}`,
        task: 't',
        caller: 'ana',
        inputHash: key,
        guards: [guard],
        traces: [{ key, exact: key }],
      }).kind ?? '';
    const passed: number[] = [];
    for (let at = 0; at < 30; at += 1) {
      if (tryAt(at, 'loop') === 'pass') passed.push(at);
      tryAt(at, `once ${at}`);
      await clock.advance(1_000);
    }
    expect(passed.length).toBeGreaterThanOrEqual(guard.repeats);
    expect(passed.length).toBeLessThan(guard.repeats + NODES);
    expect(Math.max(...passed)).toBeLessThan(guard.repeats + NODES);
  });

  it('pass over what a newer version tells them', () => {
    const clock = createSimulatedClock();
    const [node] = guardsOf(clock);
    const of = { task: 't', whose: 'ana', repeats: 6, times: 2 };
    const news = [
      { kind: 'tried', memory: 'meaning 0', trace: { key: 'k', exact: 'k' }, ...of },
      { kind: 'slowed', task: 't' },
    ];
    expect(() => node?.heard(news as unknown as GuardNews[])).not.toThrow();
  });

  it('notice a surge that each of them has a part of', async () => {
    const clock = createSimulatedClock();
    const nodes = guardsOf(clock);
    for (let at = 0; at < 120; at += 1) {
      nodes[at % NODES]?.spent({
        task: 't',
        caller: 'ana',
        costNanoUsd: 100_000_000n,
        atMs: clock.nowMs(),
      });
      await clock.advance(1_000);
    }
    // Twelve dollars in all, four at each; ten are a surge.
    expect(nodes.some((node) => node.switches().some(({ scope }) => scope === 'caller:ana'))).toBe(true);
  });
});

describe('limits of a provider', () => {
  it('are divided among the nodes, and whole again for the last one', async () => {
    const clock = createSimulatedClock();
    const gates = createRateGates({ clock });
    gates.divide(NODES);
    const gate = gates.get('openai', limits(10));
    const few = gates.get('other', limits(1));
    const seen = queueUp(clock, gate, 12);
    const slow = queueUp(clock, few, 3);
    await clock.advance(MINUTE - 1);
    expect(seen.at).toHaveLength(3);
    expect(slow.at).toHaveLength(1);
    gates.divide(1);
    await clock.advance(2 * MINUTE);
    expect(seen.at).toHaveLength(12);
  });
});

describe('a circuit that is open at another node', () => {
  it('keeps calls away here for as long as a pause lasts, or until it closes there', async () => {
    const clock = createSimulatedClock();
    const policies = createPolicies({ clock, random: seededRandom(1) });
    const changes: string[] = [];
    policies.onCircuitChange((_key, state) => changes.push(state));
    const policy = policies.get(
      'openai/a',
      settings({ circuitBreaker: { kind: 'consecutive', failures: 2, halfOpenAfterMs: 9_000 } }),
    );
    policies.heardOf('openai/a', 'open');
    expect(policy.circuit()).toEqual({ state: 'open', retryAfterMs: 9_000 });
    expect(policy.refusal()).toEqual({ code: 'circuit_open', retryAfterMs: 9_000 });
    await clock.advance(9_000);
    expect(policy.refusal()).toBeUndefined();
    policies.heardOf('openai/a', 'open');
    policies.heardOf('openai/a', 'closed');
    expect(policy.circuit()).toEqual({ state: 'closed', retryAfterMs: 0 });
    expect(changes).toEqual([]);
  });
});
