// The operators: comparison, arithmetic, membership, and logic that stops early.
import { decimalProduct, decimalSum } from '../../common/decimal.ts';
import type { Json } from '../../common/json.ts';
import { asCondition, capital, refuseNull } from './analysis.ts';
import type { Analysed } from './analysis.ts';
import { EvaluationFailure, boundedText, placed, spend, weightOf } from './context.ts';
import type { Context, Run } from './context.ts';
import { Rejection, provenNotNull } from './scope.ts';
import type { Scope } from './scope.ts';
import type { Operator, SyntaxNode } from './syntax.ts';
import { BOOLEAN, INTEGER, NUMBER, STRING, describe, isNumeric, unify } from './type.ts';
import type { Type } from './type.ts';
import { compare, equal, exactInteger, finite, isJsonObject, isList, kindOf } from './values.ts';

type BinaryNode = SyntaxNode & { kind: 'binary' };

/** As CEL has it: a side that decides alone makes the other side's failure not matter. */
export function analyseLogic(node: SyntaxNode & { kind: 'logic' }, scope: Scope): Analysed {
  const decisive = node.operator === '||';
  const left = asCondition(node.left, scope);
  const right = asCondition(node.right, scope.knowing(provenNotNull(node.left, !decisive)));
  const run: Run = (context) => {
    let value: boolean;
    try {
      value = left(context);
    } catch (error) {
      if (!(error instanceof EvaluationFailure) || error.final || right(context) !== decisive) throw error;
      return decisive;
    }
    return value === decisive ? decisive : right(context);
  };
  return { type: BOOLEAN, run };
}

export function analyseBinary(node: BinaryNode, scope: Scope): Analysed {
  const left = scope.analyse(node.left);
  const right = scope.analyse(node.right);
  const { operator } = node;
  if (operator === '==' || operator === '!=') return analyseEquality(node, left, right);
  if (operator === 'in') return analyseMembership(node, left, right);
  refuseNull(left.type, node.left, 'x');
  refuseNull(right.type, node.right, 'x');
  if (operator === '<' || operator === '<=' || operator === '>' || operator === '>=')
    return analyseOrder(node, left, right);
  return analyseArithmetic(node, left, right);
}

function analyseEquality(node: BinaryNode, left: Analysed, right: Analysed): Analysed {
  if (!comparable(left.type, right.type)) {
    throw new Rejection(
      'expression-type',
      `${capital(describe(left.type))} is compared with ${describe(right.type)}: they are never equal.`,
      'Compare values of one type; `string(x)` and `int(x)` convert.',
      node,
    );
  }
  refuseImpossibleChoice(node, left.type, node.right);
  refuseImpossibleChoice(node, right.type, node.left);
  const wanted = node.operator === '==';
  const run: Run = (context) => {
    const first = left.run(context);
    const second = right.run(context);
    spend(context, weightOf(first));
    return equal(first, second, context) === wanted;
  };
  return { type: BOOLEAN, run };
}

function comparable(left: Type, right: Type): boolean {
  if (left.kind === 'any' || right.kind === 'any' || left.kind === right.kind) return true;
  if (left.kind === 'null' || right.kind === 'null') return true;
  return isNumeric(left) && isNumeric(right);
}

/** `intent == "schedulin"` where the schema lists the choices: never true, so a slip. */
function refuseImpossibleChoice(node: BinaryNode, type: Type, literal: SyntaxNode): void {
  const choices = type.schema['enum'];
  if (
    type.kind !== 'string' ||
    !Array.isArray(choices) ||
    literal.kind !== 'literal' ||
    typeof literal.value !== 'string'
  )
    return;
  if (choices.includes(literal.value)) return;
  throw new Rejection(
    'expression-type',
    `This is never ${JSON.stringify(literal.value)}.`,
    `It can be: ${choices.map((choice) => JSON.stringify(choice)).join(', ')}.`,
    literal.kind === 'literal' ? literal : node,
  );
}

function analyseMembership(node: BinaryNode, left: Analysed, right: Analysed): Analysed {
  const { type } = right;
  if (type.kind !== 'list' && type.kind !== 'object' && type.kind !== 'any') {
    const remedy =
      type.kind === 'string'
        ? 'Write `text.contains(part)` for texts.'
        : "It takes a list, or an object's field names.";
    throw new Rejection('expression-type', `\`in\` looks into ${describe(type)}.`, remedy, node.right);
  }
  refuseNull(type, node.right, '[]');
  if (type.kind === 'list' && !comparable(left.type, type.items)) {
    throw new Rejection(
      'expression-type',
      `${capital(describe(left.type))} is never in ${describe(type)}.`,
      'Look for a value of the type of the items.',
      node,
    );
  }
  return {
    type: BOOLEAN,
    run: placed((context) => contains(right.run(context), left.run(context), context), node.start, node.end),
  };
}

function contains(container: Json, value: Json, context: Context): boolean {
  spend(context, weightOf(container));
  if (isList(container)) return container.some((item) => equal(item, value, context));
  if (isJsonObject(container)) return typeof value === 'string' && Object.hasOwn(container, value);
  throw new EvaluationFailure(`\`in\` looks into ${kindOf(container)}.`);
}

function analyseOrder(node: BinaryNode, left: Analysed, right: Analysed): Analysed {
  const ordered = (type: Type): boolean =>
    isNumeric(type) || type.kind === 'string' || type.kind === 'any' || type.kind === 'boolean';
  if (!ordered(left.type) || !ordered(right.type) || !comparable(left.type, right.type)) {
    throw new Rejection(
      'expression-type',
      `${capital(describe(left.type))} cannot be ordered against ${describe(right.type)}.`,
      'Compare two numbers or two texts; `int(x)` and `size(x)` give numbers.',
      node,
    );
  }
  const holds = ORDER[node.operator as '<' | '<=' | '>' | '>='];
  return {
    type: BOOLEAN,
    run: placed((context) => holds(compare(left.run(context), right.run(context))), node.start, node.end),
  };
}

const ORDER = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

function analyseArithmetic(node: BinaryNode, left: Analysed, right: Analysed): Analysed {
  const type = arithmeticType(node.operator, left.type, right.type);
  if (type === undefined) {
    const mixed = node.operator === '+' && (left.type.kind === 'string' || right.type.kind === 'string');
    const remedy = mixed
      ? 'Convert it: `string(x)`; or write the text as a template.'
      : 'It takes two numbers; `+` also takes two texts or two lists.';
    throw new Rejection(
      'expression-type',
      `\`${node.operator}\` stands between ${describe(left.type)} and ${describe(right.type)}.`,
      remedy,
      node,
    );
  }
  const whole = left.type.kind === 'integer' && right.type.kind === 'integer';
  const run: Run = (context) => {
    const first = left.run(context);
    const second = right.run(context);
    if (typeof first === 'number' && typeof second === 'number')
      return calculate(node.operator, first, second, whole);
    if (node.operator === '+') return add(first, second, (items) => spend(context, items));
    throw new EvaluationFailure(
      `\`${node.operator}\` stands between ${kindOf(first)} and ${kindOf(second)}.`,
    );
  };
  return { type, run: placed(run, node.start, node.end) };
}

function arithmeticType(operator: Operator, left: Type, right: Type): Type | undefined {
  if (left.kind === 'any' || right.kind === 'any') {
    const known = left.kind === 'any' ? right : left;
    if (known.kind === 'any') return { ...left, nullable: true };
    if (isNumeric(known)) return NUMBER;
    return operator === '+' && (known.kind === 'string' || known.kind === 'list') ? known : undefined;
  }
  if (isNumeric(left) && isNumeric(right))
    return left.kind === 'integer' && right.kind === 'integer' ? INTEGER : NUMBER;
  if (operator !== '+') return undefined;
  if (left.kind === 'string' && right.kind === 'string') return STRING;
  return left.kind === 'list' && right.kind === 'list' ? unify(left, right) : undefined;
}

function add(left: Json, right: Json, spendItems: (items: number) => void): Json {
  if (typeof left === 'string' && typeof right === 'string') {
    boundedText(left.length + right.length);
    spendItems((left.length + right.length) / 64);
    return left + right;
  }
  if (isList(left) && isList(right)) {
    spendItems(left.length + right.length);
    return [...left, ...right];
  }
  throw new EvaluationFailure(`\`+\` stands between ${kindOf(left)} and ${kindOf(right)}.`);
}

/** Whole numbers stay whole: 7 / 2 is 3, as in CEL; 7.0 / 2 is 3.5. Sums and products are those of the decimals that are written: 0.1 + 0.2 is 0.3. */
function calculate(operator: Operator, left: number, right: number, whole: boolean): number {
  switch (operator) {
    case '+':
      return whole ? exactInteger(left + right) : finite(decimalSum([left, right]));
    case '-':
      return whole ? exactInteger(left - right) : finite(decimalSum([left, -right]));
    case '*':
      return whole ? exactInteger(left * right) : finite(decimalProduct(left, right));
    case '/':
      if (whole && right === 0) throw new EvaluationFailure('A number is divided by zero.');
      return checked(whole ? Math.trunc(left / right) : left / right, whole);
    default:
      if (right === 0) throw new EvaluationFailure('A number is divided by zero.');
      return checked(left % right, whole);
  }
}

function checked(value: number, whole: boolean): number {
  return whole ? exactInteger(value) : finite(value);
}
