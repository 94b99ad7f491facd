// US dollars as the API gives them: decimal text, exact to the nano-dollar. No float holds them, here either.

const NANO = 1_000_000_000n;

/** `"0.05"` → 50000000n nano-dollars. */
export function nanoUsd(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const nano = BigInt(whole) * NANO + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return negative ? -nano : nano;
}

/** For people: `$412.08`, `$0.0031`, `$0`. What is smaller than a cent keeps two digits that count. */
export function usd(nano: bigint): string {
  if (nano === 0n) return '$0';
  const sign = nano < 0n ? '−' : '';
  const size = nano < 0n ? -nano : nano;
  if (size >= NANO / 100n) {
    const cents = (size + NANO / 200n) / (NANO / 100n);
    return `${sign}$${(cents / 100n).toLocaleString('en-US')}.${String(cents % 100n).padStart(2, '0')}`;
  }
  const digits = String(size).padStart(9, '0');
  const first = digits.search(/[1-9]/);
  return `${sign}$0.${digits.slice(0, Math.min(9, first + 2))}`;
}

/** All of it: `$0.003120000` → `$0.00312`. */
export function exactUsd(nano: bigint): string {
  const size = nano < 0n ? -nano : nano;
  const fraction = String(size % NANO)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${nano < 0n ? '−' : ''}$${size / NANO}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A share of two amounts, 0 to 1, for drawing. */
export function share(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Math.max(0, Math.min(1, Number((part * 1_000_000n) / whole) / 1e6));
}
