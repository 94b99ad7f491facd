// Problems as GitHub Actions workflow commands: annotations on the lines of a pull request.
import type { Problem } from '../../errors/problem.ts';

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

export function problemsGithub(problems: readonly Problem[]): string {
  return problems
    .map(
      ({ severity, file, line, column, endColumn, code, message, remedy }) =>
        `::${COMMANDS[severity]} file=${escapeProperty(file)},line=${line},col=${column},endColumn=${endColumn},title=${escapeProperty(code)}::${escapeData(`${message} ${remedy}`)}`,
    )
    .join('\n');
}
