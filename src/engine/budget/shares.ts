// Shares of a limit, computed in integers.
import { divideUp } from '../../common/money.ts';

const PARTS = 1_000_000;

/** `share` (0 to 1, to the millionth) of an amount, rounded up: never announced too early. */
export function shareOf(amount: bigint, share: number): bigint {
  return divideUp(amount * BigInt(Math.round(share * PARTS)), BigInt(PARTS));
}

/** What part of `whole` an amount is, to the millionth; for people, not for arithmetic. */
export function ratioOf(amount: bigint, whole: bigint): number {
  if (whole <= 0n) return amount > 0n ? 1 : 0;
  return Number((amount * BigInt(PARTS)) / whole) / PARTS;
}
