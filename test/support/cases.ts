// How large the property tests are.
/** How many cases a property is tried with: so many, times HEADGATE_CASES (`npm run test:cases` takes twenty). */
export function sized(count: number): number {
  return Math.ceil(count * Number(process.env['HEADGATE_CASES'] ?? 1));
}
