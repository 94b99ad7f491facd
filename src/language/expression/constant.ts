// What a condition gives on every run, where that can be told from its text alone.
import { EvaluationFailure, newContext } from './context.ts';
import { createEnvironment } from './environment.ts';
import { referencesOf } from './references.ts';
import { Rejection } from './scope.ts';
import { parseExpression } from './syntax.ts';
import type { Operator, SyntaxNode } from './syntax.ts';
import type { ExpressionText } from './types.ts';

/** `undefined`: it depends on the run, or is no condition. */
export function constantCondition(source: ExpressionText): boolean | undefined {
  const parsed = parseExpression(source);
  return parsed.ok ? fold(parsed.value, source) : undefined;
}

/** Whether the second holds whenever the first does, as far as comparisons of one value with constants tell: `x < 10` implies `x < 20`. */
export function implies(first: ExpressionText, second: ExpressionText): boolean {
  const [left, right] = [parseExpression(first), parseExpression(second)];
  if (!left.ok || !right.ok) return false;
  const known = parts(left.value, '&&').flatMap((part) => comparisonOf(part, first) ?? []);
  return parts(right.value, '&&').every((part) => {
    const comparison = comparisonOf(part, second);
    return comparison !== undefined && cannotAllHold([...known, opposite(comparison)]);
  });
}

const nothing = createEnvironment({ roots: {} });

/** One side of `&&` and `||` may decide alone, whatever the other mentions. */
function fold(node: SyntaxNode, source: string): boolean | undefined {
  if (node.kind === 'logic') {
    const deciding = node.operator === '||';
    const left = fold(node.left, source);
    const right = fold(node.right, source);
    if (left === deciding || right === deciding) return deciding;
    if (left !== undefined && right !== undefined) return !deciding;
    const compared = parts(node, node.operator).flatMap((part) => comparisonOf(part, source) ?? []);
    return cannotAllHold(deciding ? compared.map(opposite) : compared) ? deciding : undefined;
  }
  if (node.kind === 'not') {
    const operand = fold(node.operand, source);
    return operand === undefined ? undefined : !operand;
  }
  if (node.kind === 'choice') {
    const condition = fold(node.condition, source);
    return condition === undefined ? undefined : fold(condition ? node.yes : node.no, source);
  }
  if (referencesOf(node).roots.length === 0) return evaluate(node);
  const comparison = comparisonOf(node, source);
  if (comparison === undefined) return undefined;
  if (cannotAllHold([comparison])) return false;
  return cannotAllHold([opposite(comparison)]) ? true : undefined;
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

/** `a && b && c` → a, b, c. */
function parts(node: SyntaxNode, operator: '&&' | '||'): readonly SyntaxNode[] {
  return node.kind === 'logic' && node.operator === operator
    ? [...parts(node.left, operator), ...parts(node.right, operator)]
    : [node];
}

/** A value against a constant: `x < 3`, `"a" == x`. */
interface Comparison {
  /** The value's text, without spaces: the same text is the same value within one evaluation. */
  readonly value: string;
  /** A size or a number of tokens: a whole number, never below 0. */
  readonly isCount: boolean;
  readonly operator: Comparing;
  readonly constant: number | string | boolean;
}
type Comparing = '==' | '!=' | '<' | '<=' | '>' | '>=';

const OPPOSITE: Readonly<Record<Comparing, Comparing>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};
const MIRRORED: Readonly<Record<Comparing, Comparing>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
};

function opposite(comparison: Comparison): Comparison {
  return { ...comparison, operator: OPPOSITE[comparison.operator] };
}

function isComparing(operator: Operator): operator is Comparing {
  return Object.hasOwn(OPPOSITE, operator);
}

function comparisonOf(node: SyntaxNode, source: string): Comparison | undefined {
  if (node.kind !== 'binary' || !isComparing(node.operator)) return undefined;
  const [left, right] = [constantOf(node.left), constantOf(node.right)];
  if (right !== undefined && left === undefined)
    return { ...valueOf(node.left, source), operator: node.operator, constant: right };
  if (left !== undefined && right === undefined)
    return { ...valueOf(node.right, source), operator: MIRRORED[node.operator], constant: left };
  return undefined;
}

function constantOf(node: SyntaxNode): number | string | boolean | undefined {
  if (node.kind === 'literal') return node.value ?? undefined;
  if (node.kind !== 'negate') return undefined;
  const inner = constantOf(node.operand);
  return typeof inner === 'number' ? -inner : undefined;
}

function valueOf(node: SyntaxNode, source: string): Pick<Comparison, 'value' | 'isCount'> {
  const tokens = node.kind === 'field' && node.field === 'tokens' && isName(node.object, 'prompt');
  return { value: textOf(node, source), isCount: tokens || (node.kind === 'call' && node.name === 'size') };
}

function isName(node: SyntaxNode, name: string): boolean {
  return node.kind === 'name' && node.name === name;
}

/** What the tree says, so that spaces do not matter; parts that are more than paths and calls by their source. */
function textOf(node: SyntaxNode, source: string): string {
  switch (node.kind) {
    case 'name':
      return node.name;
    case 'field':
      return `${textOf(node.object, source)}.${node.field}`;
    case 'index':
      return `${textOf(node.object, source)}[${textOf(node.index, source)}]`;
    case 'call':
      return `${node.receiver ? `${textOf(node.receiver, source)}.` : ''}${node.name}(${node.args.map((arg) => textOf(arg, source)).join(',')})`;
    default:
      return source.slice(node.start, node.end);
  }
}

/** Whether comparisons of one and the same value contradict each other. */
function cannotAllHold(comparisons: readonly Comparison[]): boolean {
  return [...Map.groupBy(comparisons, ({ value }) => value).values()].some(contradict);
}

function contradict(comparisons: readonly Comparison[]): boolean {
  const equal = new Set(
    comparisons.flatMap(({ operator, constant }) => (operator === '==' ? [constant] : [])),
  );
  const unequal = comparisons.flatMap(({ operator, constant }) => (operator === '!=' ? [constant] : []));
  if (equal.size > 1 || unequal.some((constant) => equal.has(constant))) return true;
  return isEmptyRange(comparisons);
}

function isEmptyRange(comparisons: readonly Comparison[]): boolean {
  const whole = comparisons.every(({ isCount }) => isCount);
  let [low, high] = [whole ? 0 : -Infinity, Infinity];
  let [aboveLow, belowHigh] = [false, false];
  for (const { operator, constant } of comparisons) {
    if (typeof constant !== 'number') continue;
    // Of whole numbers, more than 3 is 4 and more.
    const [step, strict] = whole ? [1, false] : [0, true];
    if (operator === '>' || operator === '>=' || operator === '==') {
      const least = operator === '>' ? (whole ? Math.floor(constant) + step : constant) : constant;
      const above = operator === '>' && strict;
      if (least > low || (least === low && above)) [low, aboveLow] = [least, above];
    }
    if (operator === '<' || operator === '<=' || operator === '==') {
      const most = operator === '<' ? (whole ? Math.ceil(constant) - step : constant) : constant;
      const below = operator === '<' && strict;
      if (most < high || (most === high && below)) [high, belowHigh] = [most, below];
    }
  }
  return low > high || (low === high && (aboveLow || belowHigh));
}
