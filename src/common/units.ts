// Durations and counts as people write them: `250ms`, `30s`, `24h`, `128k`.

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** Milliseconds as the shortest exact text: `24h`, `1m30s`, `250ms`. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size);
    // A day is written as one only where it is whole: "1d6h" reads worse than "30h".
    if (count === 0 || (unit === 'd' && rest % size !== 0)) continue;
    text += `${count}${unit}`;
    rest -= count * size;
  }
  return rest > 0 || text === '' ? `${text}${rest}ms` : text;
}

/** A count as the shortest exact text with a decimal multiplier: `128k`, `1.05M`, `4096`. */
export function formatCount(count: number): string {
  for (const [suffix, size] of [
    ['M', 1_000_000],
    ['k', 1_000],
  ] as const) {
    const scaled = count / size;
    if (scaled >= 1 && Math.round(scaled * 100) / 100 === scaled) return `${scaled}${suffix}`;
  }
  return String(count);
}

/** `1,234,567`, as `toLocaleString('en-US')` says it; without loading ICU's tables, which takes 25 ms of a start. */
export function formatThousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
