// What a condition gives on every run, where that can be told from its text alone.
import { EvaluationFailure, newContext } from './context.ts';
import { createEnvironment } from './environment.ts';
import { referencesOf } from './references.ts';
import { Rejection } from './scope.ts';
import { parseExpression } from './syntax.ts';
import type { SyntaxNode } from './syntax.ts';
import type { ExpressionText } from './types.ts';

/** `undefined`: it depends on the run, or is no condition. */
export function constantCondition(source: ExpressionText): boolean | undefined {
  const parsed = parseExpression(source);
  return parsed.ok ? fold(parsed.value) : undefined;
}

const nothing = createEnvironment({ roots: {} });

/** One side of `&&` and `||` may decide alone, whatever the other mentions. */
function fold(node: SyntaxNode): boolean | undefined {
  if (node.kind === 'logic') {
    const deciding = node.operator === '||';
    const sides = [fold(node.left), fold(node.right)];
    if (sides.includes(deciding)) return deciding;
    return sides.includes(undefined) ? undefined : !deciding;
  }
  if (node.kind === 'not') {
    const operand = fold(node.operand);
    return operand === undefined ? undefined : !operand;
  }
  if (node.kind === 'choice') {
    const condition = fold(node.condition);
    return condition === undefined ? undefined : fold(condition ? node.yes : node.no);
  }
  return referencesOf(node).roots.length === 0 ? evaluate(node) : undefined;
}

function evaluate(node: SyntaxNode): boolean | undefined {
  try {
    const value = nothing.scope.analyse(node).run(newContext({}));
    return typeof value === 'boolean' ? value : undefined;
  } catch (error) {
    // What cannot be read or evaluated is reported as that, elsewhere.
    if (error instanceof Rejection || error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}
