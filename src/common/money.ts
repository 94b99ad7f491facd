// Money: an integer number of nano-dollars, and its decimal text.

/** An integer number of nano-dollars: 1 USD is 1,000,000,000. Never a float (INV-1). */
export type NanoUsd = bigint;

export const NANO_PER_USD: NanoUsd = 1_000_000_000n;

const USD_TEXT = /^(-?)\$?(\d{1,12})(?:\.(\d{1,9}))?$/;

/** `$0.05`, `0.05` or `-$3` → nano-dollars; `undefined` when it is not such a text, or has more than nine places. */
export function parseUsd(text: string): NanoUsd | undefined {
  const match = USD_TEXT.exec(text.trim());
  if (!match) return undefined;
  const [, sign, whole, fraction = ''] = match;
  const nano = BigInt(whole ?? '0') * NANO_PER_USD + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -nano : nano;
}

/** Nano-dollars → the shortest exact decimal text, without a currency sign: `0.05`, `400`, `0.000000001`. */
export function formatUsd(nano: NanoUsd): string {
  const sign = nano < 0n ? '-' : '';
  const absolute = nano < 0n ? -nano : nano;
  const fraction = (absolute % NANO_PER_USD).toString().padStart(9, '0').replace(/0+$/, '');
  return `${sign}${absolute / NANO_PER_USD}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The smallest integer that is not below `numerator / denominator`: what is owed is never rounded down. */
export function divideUp(numerator: bigint, denominator: bigint): bigint {
  return numerator <= 0n ? numerator / denominator : (numerator + denominator - 1n) / denominator;
}

/** A decimal text without sign or exponent (`0.0333`, of any number of places) → nano-dollars, rounded up; `undefined` when it is no such text. */
export function readUsdUp(text: string): NanoUsd | undefined {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, whole = '0', fraction = ''] = match;
  const nano = BigInt(whole) * NANO_PER_USD + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return /[1-9]/.test(fraction.slice(9)) ? nano + 1n : nano;
}
