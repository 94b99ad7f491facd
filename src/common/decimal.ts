// Sums and products of numbers as they are written: 0.1 + 0.2 is 0.3. A JSON number is a decimal; its nearest double is only how it is stored.

interface Decimal {
  readonly digits: bigint;
  /** Places behind the point; never negative. */
  readonly places: number;
}

/** Numbers that are further apart than this are added as doubles: no decimal that is meant has so many places. */
const MOST_PLACES = 60;

/** The double nearest to the exact decimal sum. */
export function decimalSum(values: readonly number[]): number {
  const rounded = values.reduce((sum, value) => sum + value, 0);
  if (Number.isSafeInteger(rounded) && values.every(Number.isSafeInteger)) return rounded;
  const decimals = values.map(decimalOf);
  const places = Math.max(0, ...decimals.map((one) => one?.places ?? 0));
  let digits = 0n;
  for (const one of decimals) {
    if (one === undefined) return rounded;
    digits += one.digits * 10n ** BigInt(places - one.places);
  }
  return numberOf({ digits, places });
}

/** The double nearest to the exact decimal product. */
export function decimalProduct(left: number, right: number): number {
  const rounded = left * right;
  if (Number.isSafeInteger(rounded) && Number.isSafeInteger(left) && Number.isSafeInteger(right))
    return rounded;
  const a = decimalOf(left);
  const b = decimalOf(right);
  if (a === undefined || b === undefined) return rounded;
  return numberOf({ digits: a.digits * b.digits, places: a.places + b.places });
}

/** As the number is written; undefined where that takes too many digits, or it is none. */
function decimalOf(value: number): Decimal | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (!match) return undefined;
  const [, sign, whole = '0', fraction = '', exponent = '0'] = match;
  const places = fraction.length - Number(exponent);
  if (Math.abs(places) > MOST_PLACES) return undefined;
  const digits = BigInt(`${whole}${fraction}`) * 10n ** BigInt(Math.max(0, -places));
  return { digits: sign === '-' ? -digits : digits, places: Math.max(0, places) };
}

function numberOf({ digits, places }: Decimal): number {
  const value = Number(`${digits}e-${places}`);
  return value === 0 ? 0 : value;
}
