// Compiles an expression or a template where it stands, and says what is wrong at the exact place.
import { compileExpression } from '../../expression/compile.ts';
import type { TypedExpression } from '../../expression/compile.ts';
import type { EnvironmentShape } from '../../expression/types.ts';
import { expressionsIn, placeIn } from '../located.ts';
import type { Expression, LocatedTemplate } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report } from './rule.ts';

export class ExpressionChecker {
  readonly #workspace: Workspace;
  readonly #report: Report;

  constructor(workspace: Workspace, report: Report) {
    this.#workspace = workspace;
    this.#report = report;
  }

  /** `undefined`: reported. */
  check(expression: Expression, shape: EnvironmentShape): TypedExpression | undefined {
    const compiled = compileExpression(expression.source, this.#workspace.environment(shape));
    if (compiled.ok) return compiled.value;
    const { code, message, remedy, start, end } = compiled.error;
    this.#report(code, placeIn(expression, start, end), message, remedy);
    return undefined;
  }

  /** An expression that decides something. */
  condition(expression: Expression | null, shape: EnvironmentShape): void {
    const compiled = expression && this.check(expression, shape);
    if (!compiled || !expression) return;
    const { kind, nullable } = compiled.type;
    if (kind === 'any' || (kind === 'boolean' && !nullable)) return;
    if (kind === 'boolean')
      this.#report(
        'expression-may-be-null',
        expression.at,
        'The condition may be null.',
        'Say what holds then: `default(…, false)`.',
      );
    else
      this.#report(
        'condition-not-boolean',
        expression.at,
        'The condition is neither true nor false.',
        'Compare the value with something: `size(x) > 0`, `x == "value"`, `x != null`.',
      );
  }

  template(template: LocatedTemplate | null, shape: EnvironmentShape): void {
    if (!template) return;
    for (const expression of expressionsIn(template)) this.check(expression, shape);
  }
}
