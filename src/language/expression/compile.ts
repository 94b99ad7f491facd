// An expression, compiled once against its environment and evaluated many times.
import type { Json } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { analyse } from './analyse.ts';
import { EvaluationFailure, newContext } from './context.ts';
import type { Run } from './context.ts';
import type { Environment } from './environment.ts';
import { referencesOf } from './references.ts';
import { Rejection } from './scope.ts';
import { parseExpression } from './syntax.ts';
import { schemaOf } from './type.ts';
import type { Type } from './type.ts';
import type { CompiledExpression, EvaluationProblem, ExpressionProblem, ExpressionText } from './types.ts';

export interface TypedExpression extends CompiledExpression {
  readonly type: Type;
}

/** Fails with the first problem: its place in the source, and what to write instead. */
export function compileExpression(
  source: ExpressionText,
  environment: Environment,
): Outcome<TypedExpression, ExpressionProblem> {
  const parsed = parseExpression(source);
  if (!parsed.ok) return parsed;
  try {
    const { type, run } = analyse(parsed.value, environment.scope);
    return succeed({
      source,
      type,
      schema: schemaOf(type),
      references: referencesOf(parsed.value),
      evaluate: (values) => evaluateAt(run, values, source),
    });
  } catch (error) {
    if (error instanceof Rejection) return fail(error.problem);
    throw error;
  }
}

function evaluateAt(
  run: Run,
  values: Parameters<CompiledExpression['evaluate']>[0],
  source: ExpressionText,
): Outcome<Json, EvaluationProblem> {
  try {
    return succeed(run(newContext(values)));
  } catch (error) {
    const end = error instanceof EvaluationFailure && error.end >= 0 ? error.end : source.length;
    const start = error instanceof EvaluationFailure ? Math.max(0, error.start) : 0;
    return fail({ message: messageOf(error), source, start, end });
  }
}

/** A value that is not of the type that its schema gave it can make a function stumble: that is the run's failure, not the engine's. */
function messageOf(error: unknown): string {
  if (error instanceof EvaluationFailure) return error.message;
  return `A value is not of the type that its schema says (${error instanceof Error ? error.message : String(error)}).`;
}
