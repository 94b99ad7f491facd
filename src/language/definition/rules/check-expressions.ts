// Compiles an expression or a template where it stands, and says what is wrong at the exact place.
import { compileExpression } from '../../expression/compile.ts';
import type { TypedExpression } from '../../expression/compile.ts';
import type { EnvironmentShape, ExpressionProblem } from '../../expression/types.ts';
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
    const { code, message, remedy, start, end } = this.#inContext(compiled.error, expression, shape);
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

  /** What the expression alone cannot know: that a field of `steps` is a step, that `secrets` means something elsewhere. */
  #inContext(problem: ExpressionProblem, { source }: Expression, shape: EnvironmentShape): Finding {
    const wrong = source.slice(problem.start, problem.end);
    if (problem.code === 'unknown-field' && /\bsteps\s*\.\s*$/.test(source.slice(0, problem.start)))
      return { ...problem, code: 'unknown-step', message: `There is no step \`${wrong}\`.` };
    if (problem.code !== 'unknown-name') return problem;
    const elsewhere = Object.hasOwn(shape.roots, 'run') ? IN_EXPECT[wrong] : ELSEWHERE[wrong];
    return elsewhere === undefined || Object.hasOwn(shape.roots, wrong)
      ? problem
      : { ...problem, message: `\`${wrong}\` cannot be read here.`, remedy: elsewhere };
  }
}

type Finding = Omit<ExpressionProblem, 'code'> & { readonly code: string };

/** Roots that `expect` of a test does not know. */
const IN_EXPECT: Readonly<Record<string, string>> = {
  steps: 'A test sees what the task gives: `output`, beside `input` and `run`.',
  secrets: 'A secret is named only as the `apiKey` of a provider: `apiKey: ${{ secrets.NAME }}`.',
};

/** Roots that other places know. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  secrets: 'A secret is named only as the `apiKey` of a provider: `apiKey: ${{ secrets.NAME }}`.',
  input:
    'It is known in the steps and the output of a task. A route or budget of the project serves every task; write such a rule on the step.',
  steps:
    'They are known in the steps and the output of a task. A route or budget of the project serves every task; write such a rule on the step.',
  prompt: 'The size of the prompt is known only to the rules of a route.',
  output: 'The output is known only to `accept` and to `expect`.',
  run: 'The run is known only to `expect` of a test.',
};
