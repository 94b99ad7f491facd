// Nesting: cycles and depth of tasks that call tasks.
import { describe, expect, it } from 'vitest';
import { checkNesting } from '../../../../src/engine/budget/guards/nesting.ts';

describe('tasks that call tasks', () => {
  it('may be as deep as the guard says, and no deeper', () => {
    expect(checkNesting(['a', 'b'], 'c', { depth: 2 }).ok).toBe(true);
    expect(checkNesting(['a', 'b', 'c'], 'd', { depth: 2 })).toEqual({
      ok: false,
      error: { kind: 'depth', depth: 3, limit: 2 },
    });
    expect(checkNesting([], 'a', { depth: 0 }).ok).toBe(true);
  });

  it('may not come back to one that is waiting for them, and the way round is named', () => {
    expect(checkNesting(['a', 'b'], 'a', { depth: 8 })).toEqual({
      ok: false,
      error: { kind: 'cycle', path: ['a', 'b', 'a'] },
    });
    expect(checkNesting(['root', 'a'], 'a', { depth: 8 })).toEqual({
      ok: false,
      error: { kind: 'cycle', path: ['a', 'a'] },
    });
  });
});
