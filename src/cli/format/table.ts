// A plain table: columns as wide as their widest cell, numbers to the right.

/** Of an amount as the API gives it: `-$0.02` where it is below nothing. */
export const dollars = (amount: string): string =>
  amount.startsWith('-') ? `-$${amount.slice(1)}` : `$${amount}`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const numeric = head.map(
    (_title, column) =>
      rows.length > 0 && rows.every((row) => /^[-$]?[\d.,]*(ms|%|)$/.test(row[column] ?? '')),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}
