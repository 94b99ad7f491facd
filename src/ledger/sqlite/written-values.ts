// Values on their way into a column. What a column cannot hold to the last digit is refused here, before anything is written down: a row that the
// tables would refuse must never be in the journal.
import { HeadgateError } from '../../errors/headgate-error.ts';

/** Of one row: ten million dollars. Sums of rows are kept in 64 bits, so that it takes nine hundred of the largest to fill one. */
const LARGEST_NANO_USD = 10_000_000_000_000_000n;

/** 64 bits. No sum of rows that a provider could cause comes near it; one that did would stay at it, rather than stop the writer. */
export const LARGEST_SUM = 2n ** 63n - 1n;

export function withinSum(sum: bigint): bigint {
  if (sum > LARGEST_SUM) return LARGEST_SUM;
  return sum < -LARGEST_SUM ? -LARGEST_SUM : sum;
}

export function digits(nanoUsd: bigint): `${bigint}` {
  if (nanoUsd > LARGEST_NANO_USD || nanoUsd < -LARGEST_NANO_USD)
    throw unwritable(`${nanoUsd} nano-dollars`, 'at most ten million dollars');
  return `${nanoUsd}`;
}

/** Tokens, milliseconds since 1970, numbers of things. */
export function count(value: number): number {
  if (!Number.isSafeInteger(value)) throw unwritable(String(value), 'whole, and within ±2^53');
  return value;
}

export function duration(ms: number): number {
  if (!Number.isFinite(ms)) throw unwritable(String(ms), 'a finite number of milliseconds');
  return ms;
}

export function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value);
}

export function nullable<Value, Result>(value: Value | null, write: (value: Value) => Result): Result | null {
  return value === null ? null : write(value);
}

function unwritable(value: string, limit: string): HeadgateError {
  return new HeadgateError(
    'LEDGER_VALUE',
    `The ledger cannot hold ${value}: one row's value has to be ${limit}.`,
    'Look at what the provider reported, or at the price or amount that was given; nothing was written.',
  );
}
