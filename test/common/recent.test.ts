// Recent: what is kept and what is forgotten.
import { describe, expect, it } from 'vitest';
import { Recent } from '../../src/common/recent.ts';

describe('values by names of three levels', () => {
  it('are found by all three', () => {
    const recent = new Recent<number>(10);
    recent.add('a', 'b', 'c', 1);
    recent.add('a', 'b', 'd', 2);
    expect([recent.get('a', 'b', 'c'), recent.get('a', 'b', 'd'), recent.get('b', 'a', 'c')]).toEqual([
      1,
      2,
      undefined,
    ]);
  });

  it('INV-14: are kept as many as asked at least, and twice as many at most; one that is used is not forgotten', () => {
    const recent = new Recent<number>(100);
    recent.add('used', '', '', -1);
    for (let index = 0; index < 1_000; index += 1) {
      recent.add('many', String(index % 7), String(index), index);
      expect(recent.get('used', '', '')).toBe(-1);
    }
    const isKept = (index: number): boolean =>
      recent.get('many', String(index % 7), String(index)) !== undefined;
    const newestFirst = Array.from({ length: 1_000 }, (_, index) => 999 - index);
    expect(newestFirst.slice(0, 99).every(isKept)).toBe(true);
    expect(newestFirst.filter(isKept).length).toBeLessThanOrEqual(200);
  });
});
