// What analysing a part of an expression gives, and what is asked of it again and again.
import { EvaluationFailure } from './context.ts';
import type { Run } from './context.ts';
import { Rejection } from './scope.ts';
import type { Scope } from './scope.ts';
import type { SyntaxNode } from './syntax.ts';
import { describe } from './type.ts';
import type { Type } from './type.ts';
import { kindOf } from './values.ts';

export type { Analysed } from './scope.ts';

/** A part that has to be true or false. */
export function asCondition(node: SyntaxNode, scope: Scope): (context: Parameters<Run>[0]) => boolean {
  const { type, run } = scope.analyse(node);
  if (type.kind !== 'boolean' && type.kind !== 'any') {
    const remedy =
      type.kind === 'list' || type.kind === 'string'
        ? 'Compare it: `size(x) > 0`, `x != ""`.'
        : 'Compare it with something: `x != null`, `x > 0`.';
    throw new Rejection(
      'expression-type',
      `${capital(describe(type))} stands where true or false is needed.`,
      remedy,
      node,
    );
  }
  refuseNull(type, node, 'false');
  return (context) => {
    const value = run(context);
    if (typeof value === 'boolean') return value;
    const failure = new EvaluationFailure(`${capital(kindOf(value))} stands where true or false is needed.`);
    failure.start = node.start;
    failure.end = node.end;
    throw failure;
  };
}

/** A value that may be null where none can be used: said before the run. */
export function refuseNull(type: Type, node: SyntaxNode, instead: string): void {
  if (!type.nullable || type.kind === 'any') return;
  if (type.kind === 'null')
    throw new Rejection('expression-type', 'Null stands where a value is needed.', 'Write a value.', node);
  throw new Rejection(
    'expression-may-be-null',
    'This may be null here: an optional field that is absent, or a step that was skipped.',
    `Say what to use then: \`default(…, ${instead})\`; or ask first: \`x != null && …\`.`,
    node,
  );
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
