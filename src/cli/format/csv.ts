// CSV as RFC 4180 has it, for spreadsheets.

/** A spreadsheet takes what begins so for a formula; callers, sessions and tags are named by whoever calls. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** Lines end with CR LF, but for the last. A text that begins like a formula gets an apostrophe in front, which spreadsheets take for text. */
export function csv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((cells) => cells.map(cellText).join(',')).join('\r\n');
}

function cellText(value: string): string {
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
