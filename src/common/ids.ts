// Identifiers that sort by the time they were made: a prefix, 48 bits of time, 80 bits of randomness (after ULID).
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const CODES = Buffer.from(DIGITS);
const TIME_DIGITS = 10;
const ID_DIGITS = 26;
/** Each is written over the one before: a text that grows by a digit is a text each time. */
const written = Buffer.alloc(ID_DIGITS);

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
  writeTime(clock.nowMs());
  for (let index = TIME_DIGITS; index < ID_DIGITS; index += 1)
    written[index] = CODES[Math.floor(random() * 32)] ?? 0;
  return `${prefix}_${written.toString('latin1')}`;
}

/** Ten digits that sort by time. */
export function timeDigits(atMs: number): string {
  writeTime(atMs);
  return written.toString('latin1', 0, TIME_DIGITS);
}

function writeTime(atMs: number): void {
  let time = Math.floor(atMs);
  for (let index = TIME_DIGITS - 1; index >= 0; index -= 1) {
    written[index] = CODES[time % 32] ?? 0;
    time = Math.floor(time / 32);
  }
}
