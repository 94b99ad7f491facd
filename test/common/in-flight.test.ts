import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InFlight } from '../../src/common/in-flight.ts';

const step = fc.record({
  does: fc.constantFrom('set', 'take', 'takeOldest'),
  key: fc.integer({ min: 0, max: 7 }),
  value: fc.string(),
});

describe('values in flight', () => {
  it('are those of a Map, in its order, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const inFlight = new InFlight<number, string>();
        const map = new Map<number, string>();
        for (const { does, key, value } of steps) {
          if (does === 'set') {
            inFlight.set(key, value);
            map.set(key, value);
          } else if (does === 'take') {
            expect(inFlight.take(key)).toBe(map.get(key));
            map.delete(key);
          } else {
            inFlight.takeOldest();
            for (const oldest of map.keys()) {
              map.delete(oldest);
              break;
            }
          }
          expect(inFlight.size).toBe(map.size);
          expect(inFlight.values()).toEqual([...map.values()]);
          expect([inFlight.has(key), inFlight.get(key)]).toEqual([map.has(key), map.get(key)]);
        }
      }),
    );
  });
});
