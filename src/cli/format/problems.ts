// Problems for people: place, line, caret, remedy; and a closing count.
import type { Problem } from '../../errors/problem.ts';
import type { Colours } from './colours.ts';

const MAX_EXCERPT = 160;

/** One problem in five lines: where and what, the line, the caret, the remedy, a blank; in two where the line says nothing of it. */
export function problemText(problem: Problem, colours: Colours): string {
  const { file, line, column, severity, code, message, remedy } = problem;
  const paint = severity === 'error' ? colours.red : severity === 'warning' ? colours.yellow : colours.blue;
  const gutter = String(line);
  const margin = ' '.repeat(gutter.length);
  const { text, caretColumn, caretWidth } = shownExcerpt(problem);
  const caret = ' '.repeat(caretColumn) + '^'.repeat(caretWidth);
  // Of the environment, not of the line: it is one line.
  if (code === 'route-without-key')
    return `${colours.bold(`${file}:${line}:${column}`)} ${paint(severity)} ${message} ${remedy} ${colours.dim(`[${code}]`)}\n`;
  return [
    `${colours.bold(`${file}:${line}:${column}`)} ${paint(severity)} ${message} ${colours.dim(`[${code}]`)}`,
    `  ${colours.dim(`${gutter} |`)} ${text}`,
    `  ${colours.dim(`${margin} |`)} ${paint(caret)}`,
    `  ${margin}   ${remedy}`,
    '',
  ].join('\n');
}

/** The part of a long line around the place, with tabs as one column each so that the caret stands right. */
function shownExcerpt({ excerpt, column, endColumn }: Problem): {
  text: string;
  caretColumn: number;
  caretWidth: number;
} {
  const start = Math.max(0, column - 1 - (column > MAX_EXCERPT - 40 ? 60 : column));
  const text = excerpt.slice(start, start + MAX_EXCERPT).replaceAll('\t', ' ');
  const caretColumn = Math.min(column - 1 - start, text.length);
  const caretWidth = Math.max(1, Math.min(endColumn - column, text.length - caretColumn));
  return { text, caretColumn, caretWidth };
}

export function problemsText(problems: readonly Problem[], files: number, colours: Colours): string {
  const count = (severity: Problem['severity']): number =>
    problems.filter((problem) => problem.severity === severity).length;
  const parts = [
    plural(count('error'), 'error'),
    plural(count('warning'), 'warning'),
    ...(count('note') > 0 ? [plural(count('note'), 'note')] : []),
  ];
  const summary = `${plural(files, 'file')} checked: ${parts.join(', ')}`;
  return [...problems.map((problem) => problemText(problem, colours)), summary].join('\n');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
