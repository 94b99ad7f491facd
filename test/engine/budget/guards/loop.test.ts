// The loop guard against its definition: more than N tries of the same input within a window.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLoopGuards,
  type LoopGuards,
  type LoopVerdict,
} from '../../../../src/engine/budget/guards/loop.ts';
import type { PlanLoopGuard } from '../../../../src/language/plan/types.ts';

const guard: PlanLoopGuard = { same: 'input', ignore: [], repeats: 3, withinMs: 1000, then: 'reuse' };
const run = (runId: string, inputHash = 'h', caller = 'ana', task = 't') => ({
  runId,
  task,
  caller,
  inputHash,
});

type Run = ReturnType<typeof run>;

function createLoopGuard(kept?: number): {
  readonly tried: (run: Run, guard: PlanLoopGuard, nowMs: number) => LoopVerdict;
  readonly ended: (run: Run & { readonly succeeded: boolean }) => void;
} {
  const loops: LoopGuards = createLoopGuards(kept);
  const traces = ({ inputHash }: Run) => [{ key: inputHash, exact: inputHash }];
  return {
    tried: (one, of, nowMs) => loops.tried(one, [of], traces(one), nowMs),
    ended: (one) => loops.ended(one, [guard], traces(one)),
  };
}

describe('the loop guard', () => {
  it('lets pass exactly the tries that have fewer than N others, let pass or not, in the window before them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(700), { maxLength: 80 }),
        (repeats, gaps) => {
          const loops = createLoopGuard();
          const triedAtMs: number[] = [];
          let nowMs = 0;
          for (const gap of gaps) {
            nowMs += gap;
            const others = triedAtMs.filter((atMs) => atMs > nowMs - guard.withinMs).length;
            triedAtMs.push(nowMs);
            const verdict = loops.tried(run('r'), { ...guard, repeats }, nowMs);
            expect(verdict.kind).toBe(others < repeats ? 'pass' : 'repeated');
            // What it promises for later holds: silent until then, the next one passes.
            if (verdict.kind === 'repeated') {
              const later = nowMs + verdict.retryAfterMs;
              expect(triedAtMs.filter((atMs) => atMs > later - guard.withinMs).length).toBeLessThan(repeats);
              expect(
                triedAtMs.filter((atMs) => atMs > later - 1 - guard.withinMs).length,
              ).toBeGreaterThanOrEqual(repeats);
            }
          }
        },
      ),
    );
  });

  it('counts each task, caller and input for itself', () => {
    const loops = createLoopGuard();
    for (let time = 0; time < 3; time += 1) loops.tried(run('r'), guard, time);
    expect(loops.tried(run('r', 'other'), guard, 3).kind).toBe('pass');
    expect(loops.tried(run('r', 'h', 'ben'), guard, 3).kind).toBe('pass');
    expect(loops.tried(run('r', 'h', 'ana', 'other'), guard, 3).kind).toBe('pass');
    expect(loops.tried(run('r'), guard, 3).kind).toBe('repeated');
  });

  it('offers the newest answer; before there is one, the run that is still going; and none where all failed', () => {
    const loops = createLoopGuard();
    const answer = (): string | undefined => {
      const verdict: LoopVerdict = loops.tried(run('x'), guard, 10);
      return verdict.kind === 'repeated' ? verdict.answer : 'passed';
    };
    for (const runId of ['a', 'b', 'c']) loops.tried(run(runId), guard, 1);
    expect(answer()).toBe('c');
    loops.ended({ ...run('b'), succeeded: true });
    expect(answer()).toBe('b');
    loops.ended({ ...run('c'), succeeded: true });
    expect(answer()).toBe('c');

    const failing = createLoopGuard();
    for (const runId of ['a', 'b', 'c']) {
      failing.tried(run(runId), guard, 1);
      failing.ended({ ...run(runId), succeeded: false });
    }
    expect(failing.tried(run('d'), guard, 2)).toMatchObject({ kind: 'repeated', answer: undefined });
  });

  it('keeps the latest tries when a reload changes how many are allowed', () => {
    const loops = createLoopGuard();
    for (let time = 0; time < 3; time += 1) loops.tried(run('r'), guard, time);
    expect(loops.tried(run('r'), { ...guard, repeats: 5 }, 3).kind).toBe('pass');
    expect(loops.tried(run('r'), { ...guard, repeats: 5 }, 4).kind).toBe('pass');
    expect(loops.tried(run('r'), { ...guard, repeats: 5 }, 5).kind).toBe('repeated');
    expect(loops.tried(run('r'), { ...guard, repeats: 2 }, 6).kind).toBe('repeated');
    expect(loops.tried(run('r'), { ...guard, repeats: 2 }, 2000).kind).toBe('pass');
  });

  it('INV-14: remembers a bounded number of inputs; one that loops is not the one forgotten', () => {
    const loops = createLoopGuard(100);
    let passed = 0;
    for (let time = 0; time < 5000; time += 1) {
      loops.tried(run('r', `other${time}`), guard, time / 100);
      if (time % 50 === 0 && loops.tried(run('r'), guard, time / 100).kind === 'pass') passed += 1;
    }
    expect(passed).toBe(3);
  });
});
