// Calls: the overload that fits the types, found before the run; by the values where types are unknown.
import type { Json } from '../../common/json.ts';
import { foreignCall } from './foreign-names.ts';
import { nearest } from '../../common/nearest.ts';
import { capital, refuseNull } from './analysis.ts';
import type { Analysed } from './analysis.ts';
import { EvaluationFailure, placed, spend, weightOf } from './context.ts';
import type { Context, Run } from './context.ts';
import { signatureOf, typeMatches, valueMatches, wordFor } from './functions/entry.ts';
import type { FunctionEntry, Pattern } from './functions/entry.ts';
import { macroTable } from './functions/macros.ts';
import { functionNames, overloads } from './functions/registry.ts';
import { analyseMacro } from './macros.ts';
import type { CallNode } from './macros.ts';
import { compilePattern } from './pattern.ts';
import { Rejection } from './scope.ts';
import type { Scope } from './scope.ts';
import type { SyntaxNode } from './syntax.ts';
import { describe, unify } from './type.ts';
import type { Type } from './type.ts';
import { kindOf } from './values.ts';

export function analyseCall(node: CallNode, scope: Scope): Analysed {
  const macro = analyseMacro(node, scope);
  if (macro) return macro;
  const isMethod = node.receiver !== null;
  const candidates = overloads(node.name, isMethod);
  if (candidates.length === 0) throw unknownFunction(node, isMethod);
  const operands = [...(node.receiver ? [node.receiver] : []), ...node.args];
  const parts = operands.map((operand) => scope.analyse(operand));
  const types = parts.map((part) => part.type);
  const fitting = candidates.filter((entry) => fits(entry, types));
  if (fitting.length === 0) throw noOverload(node, candidates, types, operands);
  if (node.name !== 'string' && node.name !== 'toJson' && node.name !== 'dyn') {
    const patterns = patternsOf(fitting[0]);
    for (const [index, type] of types.entries())
      if (patterns[index] !== 'any') refuseNull(type, operands[index] ?? node, instead(type));
  }
  refuseBadPattern(node);
  return {
    type: resultOf(fitting, types),
    run: placed(runOf(fitting, parts, node.name), node.start, node.end),
  };
}

function patternsOf(entry: FunctionEntry | undefined): readonly Pattern[] {
  if (!entry) return [];
  const params = entry.params.map((param) => param.pattern);
  return entry.receiver === null ? params : [entry.receiver, ...params];
}

function fits(entry: FunctionEntry, types: readonly Type[]): boolean {
  const patterns = patternsOf(entry);
  const required = patterns.length - entry.params.filter((param) => param.optional).length;
  if (types.length < required || types.length > patterns.length) return false;
  return types.every((type, index) => typeMatches(patterns[index] ?? 'any', type) !== false);
}

function resultOf(fitting: readonly FunctionEntry[], types: readonly Type[]): Type {
  const results = fitting.map(({ result }) => (typeof result === 'function' ? result(types) : result));
  return results.reduce(unify);
}

function runOf(fitting: readonly FunctionEntry[], parts: readonly Analysed[], name: string): Run {
  const runs = parts.map((part) => part.run);
  const [only] = fitting;
  const certain =
    fitting.length === 1 &&
    only &&
    parts.every(
      (part, index) =>
        typeMatches(patternsOf(only)[index] ?? 'any', part.type) === true &&
        (!part.type.nullable || patternsOf(only)[index] === 'any'),
    );
  if (certain) return (context) => charge(context, runs, (args) => only.call(args, context));
  return (context) =>
    charge(context, runs, (args) => {
      const entry = fitting.find((candidate) =>
        args.every((value, index) => valueMatches(patternsOf(candidate)[index] ?? 'any', value)),
      );
      if (entry) return entry.call(args, context);
      throw new EvaluationFailure(`\`${name}\` does not take ${args.map(kindOf).join(', ')}.`);
    });
}

function charge(context: Context, runs: readonly Run[], call: (args: readonly Json[]) => Json): Json {
  const args = runs.map((run) => run(context));
  let weight = 1;
  for (const value of args) weight += weightOf(value);
  spend(context, weight);
  const result = call(args);
  spend(context, weightOf(result));
  return result;
}

function unknownFunction(node: CallNode, isMethod: boolean): Rejection {
  const names = [
    ...functionNames(isMethod),
    ...macroTable.filter((macro) => macro.isMethod === isMethod).map((macro) => macro.name),
  ];
  const near = nearest(node.name, names);
  const otherWay = overloads(node.name, !isMethod)[0];
  const foreign = foreignCall(node.name);
  const remedy =
    foreign ??
    (otherWay
      ? `Write \`${signatureOf(otherWay)}\`.`
      : near
        ? `Did you mean \`${near}\`?`
        : 'docs/reference/expressions.md lists the functions.');
  return new Rejection(
    'unknown-function',
    `There is no function \`${node.name}\`${isMethod ? ' of a value' : ''}.`,
    remedy,
    node,
  );
}

function noOverload(
  node: CallNode,
  candidates: readonly FunctionEntry[],
  types: readonly Type[],
  operands: readonly SyntaxNode[],
): Rejection {
  const [only] = candidates;
  const shapes = candidates.map((entry) => `\`${signatureOf(entry)}\``).join(' or ');
  if (candidates.length === 1 && only) {
    const patterns = patternsOf(only);
    const wrong = types.findIndex((type, index) => typeMatches(patterns[index] ?? 'any', type) === false);
    const type = types[wrong];
    const operand = operands[wrong];
    if (type && operand)
      return new Rejection(
        'expression-type',
        `\`${node.name}\` is given ${describe(type)} where ${wordFor(patterns[wrong] ?? 'any')} is needed.`,
        `It is called as ${shapes}.`,
        wrong === 0 && node.receiver ? node : operand,
      );
  }
  const given = types.map(describe).join(', ') || 'nothing';
  return new Rejection(
    'expression-type',
    `\`${node.name}\` does not take ${given}.`,
    `${capital('it is called as')} ${shapes}.`,
    node,
  );
}

function instead(type: Type): string {
  return {
    string: '""',
    list: '[]',
    integer: '0',
    number: '0',
    boolean: 'false',
    object: '{}',
    any: 'x',
    null: 'x',
  }[type.kind];
}

/** A pattern that stands in the text is compiled before the run, so that a slip in it is an error of the file. */
function refuseBadPattern(node: CallNode): void {
  const [pattern] = node.args;
  if (node.name !== 'matches' || pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return;
  const compiled = compilePattern(pattern.value);
  if (typeof compiled === 'string')
    throw new Rejection(
      'invalid-pattern',
      `${compiled}.`,
      'Patterns are RE2: no look-around, no back-references; write r"…" so that backslashes stay.',
      pattern,
    );
}
