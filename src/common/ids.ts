// Identifiers that sort by the time they were made: a prefix, 48 bits of time, 80 bits of randomness (after ULID).
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

export type IdPrefix = 'run' | 'stp' | 'att' | 'hld' | 'alr' | 'key' | 'clr' | 'nod';

/** A child's id is its parent's and the key of the step that it is: `run_01kb….tr[0]`. */
export function childRunId(parentId: string, stepKey: string): string {
  return `${parentId}.${stepKey}`;
}

/** The run that the outside asked for: itself, or its outermost parent. */
export function rootRunId(runId: string): string {
  const dot = runId.indexOf('.');
  return dot === -1 ? runId : runId.slice(0, dot);
}

/** `run_01kb…`: unique, and in the order of creation within the resolution of a millisecond. */
export function newId(prefix: IdPrefix, clock: Clock, random: Random): string {
  let tail = '';
  for (let index = 0; index < 16; index += 1) tail += DIGITS.charAt(Math.floor(random() * 32));
  return `${prefix}_${timeDigits(clock.nowMs())}${tail}`;
}

/** Ten digits that sort by time. */
export function timeDigits(atMs: number): string {
  let time = Math.floor(atMs);
  let digits = '';
  for (let index = 0; index < 10; index += 1) {
    digits = DIGITS.charAt(time % 32) + digits;
    time = Math.floor(time / 32);
  }
  return digits;
}
