// The catalogue of what can be wrong with workflow files: the reference page and the tests read it; every problem has its code from here.
import type { Severity } from '../../errors/problem.ts';
import type { Diagnostic } from './diagnostic.ts';
import { documentDiagnostics } from './diagnostics-document.ts';
import { expressionDiagnostics } from './diagnostics-expressions.ts';
import { fieldDiagnostics } from './diagnostics-fields.ts';
import { planDiagnostics } from './diagnostics-plan.ts';
import { ruleDiagnostics } from './diagnostics-rules.ts';

export const diagnostics: readonly Diagnostic[] = [
  ...documentDiagnostics,
  ...fieldDiagnostics,
  ...expressionDiagnostics,
  ...ruleDiagnostics,
  ...planDiagnostics,
];

const severities = new Map(diagnostics.map(({ code, severity }) => [code, severity]));

/** A code that is not in the catalogue is a mistake of this program. */
export function severityOf(code: string): Severity {
  const severity = severities.get(code);
  if (severity === undefined) throw new Error(`The diagnostic ${code} is not in the catalogue.`);
  return severity;
}
