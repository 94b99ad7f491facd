// Syntax tree → its type and a function that runs it, in one walk: what is checked and what is run cannot differ.
import { foreignConstant, foreignField } from './foreign-names.ts';
import { nearest } from '../../common/nearest.ts';
import type { Json } from '../../common/json.ts';
import { asCondition, refuseNull } from './analysis.ts';
import type { Analysed } from './analysis.ts';
import { EvaluationFailure, placed, spend } from './context.ts';
import type { Run } from './context.ts';
import { analyseCall } from './calls.ts';
import { analyseBinary, analyseLogic } from './operators.ts';
import { Rejection, provenNotNull } from './scope.ts';
import type { Scope } from './scope.ts';
import type { SyntaxNode } from './syntax.ts';
import {
  ANY,
  BOOLEAN,
  EMPTY_LIST,
  INTEGER,
  NULL,
  NUMBER,
  STRING,
  describe,
  isNumeric,
  listOf,
  nullable,
  objectOf,
  unify,
} from './type.ts';
import type { Type } from './type.ts';
import { finite, isJsonObject, isList, kindOf, member } from './values.ts';

/** Throws a Rejection at the first place that cannot be right. */
export function analyse(node: SyntaxNode, scope: Scope): Analysed {
  switch (node.kind) {
    case 'literal':
      return analyseLiteral(node);
    case 'name':
      return analyseName(node, scope);
    case 'field':
      return analyseField(node, scope);
    case 'index':
      return analyseIndex(node, scope);
    case 'call':
      return analyseCall(node, scope);
    case 'list':
      return analyseList(node, scope);
    case 'map':
      return analyseMap(node, scope);
    case 'choice':
      return analyseChoice(node, scope);
    case 'logic':
      return analyseLogic(node, scope);
    case 'binary':
      return analyseBinary(node, scope);
    case 'not':
      return analyseNot(node, scope);
    case 'negate':
      return analyseNegate(node, scope);
  }
}

function analyseLiteral(node: SyntaxNode & { kind: 'literal' }): Analysed {
  const { value } = node;
  const run: Run = () => value;
  if (value === null) return { type: NULL, run };
  if (typeof value === 'string') return { type: STRING, run };
  if (typeof value === 'boolean') return { type: BOOLEAN, run };
  return { type: node.integer ? INTEGER : NUMBER, run };
}

function analyseName(node: SyntaxNode & { kind: 'name' }, scope: Scope): Analysed {
  const { name } = node;
  const local = scope.locals.get(name);
  if (local) {
    const { slot } = local;
    return { type: scope.narrow(node, local.type), run: (context) => context.locals[slot] ?? null };
  }
  const type = scope.roots.get(name);
  if (type)
    return {
      type: scope.narrow(node, type),
      run: ({ values }) =>
        Object.hasOwn(values, name) ? ((values[name] as Json | undefined) ?? null) : null,
    };
  const known = scope.names();
  const near = nearest(name, known);
  const constant = foreignConstant(name);
  const remedy =
    constant ??
    (near
      ? `Did you mean \`${near}\`?`
      : `What is known here: ${known.map((root) => `\`${root}\``).join(', ') || 'nothing'}. Put a text in quotes.`);
  throw new Rejection('unknown-name', `\`${name}\` is not known here.`, remedy, node);
}

function analyseField(node: SyntaxNode & { kind: 'field' }, scope: Scope): Analysed {
  const object = scope.analyse(node.object);
  const { field } = node;
  const type = fieldType(object.type, node);
  return {
    type: scope.narrow(node, type),
    run: placed((context) => member(object.run(context), field), node.start, node.end),
  };
}

/** The type of a field; null for all that is asked of null: an absent field's fields are absent. */
function fieldType(object: Type, node: SyntaxNode & { kind: 'field' }): Type {
  if (object.kind === 'any' || object.kind === 'null') return ANY;
  if (object.kind !== 'object') {
    const remedy =
      foreignField(node.field) ??
      (object.kind === 'list'
        ? 'Ask its items: `list[0].field`, or `list.map(item, item.field)`.'
        : 'Remove it, or see whether another value was meant.');
    throw new Rejection(
      'unknown-field',
      `\`${node.field}\` is asked of ${describe(object)}, which has no fields.`,
      remedy,
      node,
    );
  }
  const type = object.members.get(node.field) ?? object.rest;
  if (type) return object.nullable ? nullable(type) : type;
  const known = [...object.members.keys()];
  const near = nearest(node.field, known);
  const remedy = near
    ? `Did you mean \`${near}\`?`
    : known.length > 0
      ? `It has: ${known
          .slice(0, 12)
          .map((name) => `\`${name}\``)
          .join(', ')}${known.length > 12 ? ', …' : ''}.`
      : 'It has no fields.';
  throw new Rejection('unknown-field', `There is no field \`${node.field}\` here.`, remedy, node);
}

function analyseIndex(node: SyntaxNode & { kind: 'index' }, scope: Scope): Analysed {
  const object = scope.analyse(node.object);
  const index = scope.analyse(node.index);
  const { index: indexNode } = node;
  if (object.type.kind === 'object' && indexNode.kind === 'literal' && typeof indexNode.value === 'string') {
    const { value: field } = indexNode;
    return {
      type: fieldType(object.type, {
        kind: 'field',
        start: indexNode.start,
        end: indexNode.end,
        object: node.object,
        field,
      }),
      run: placed((context) => member(object.run(context), field), node.start, node.end),
    };
  }
  return {
    type: indexedType(object.type, index.type, node),
    run: placed((context) => itemAt(object.run(context), index.run(context)), node.start, node.end),
  };
}

function indexedType(object: Type, index: Type, node: SyntaxNode & { kind: 'index' }): Type {
  if (object.kind === 'any' || object.kind === 'null') return ANY;
  if (object.kind === 'list') {
    if (index.kind !== 'integer' && index.kind !== 'any')
      throw new Rejection(
        'expression-type',
        `A list is asked for an item by ${describe(index)}.`,
        'Ask by position: the first item is `[0]`.',
        node.index,
      );
    return object.nullable ? nullable(object.items) : object.items;
  }
  if (object.kind !== 'object')
    throw new Rejection(
      'expression-type',
      `${describe(object)} cannot be asked with \`[ ]\`.`,
      object.kind === 'string'
        ? 'Write `text.substring(0, 1)` for a part of a text.'
        : 'Only lists and objects have items.',
      node,
    );
  if (index.kind !== 'string' && index.kind !== 'any')
    throw new Rejection(
      'expression-type',
      `An object is asked for a field by ${describe(index)}.`,
      'Ask by name: `object["name"]`.',
      node.index,
    );
  const types = [...object.members.values(), ...(object.rest ? [object.rest] : [])];
  return nullable(types.length === 0 ? ANY : types.reduce(unify));
}

function itemAt(object: Json, index: Json): Json {
  if (object === null) return null;
  if (isList(object) && typeof index === 'number') {
    if (!Number.isInteger(index) || index < 0 || index >= object.length)
      throw new EvaluationFailure(`There is no item ${index} in a list of ${object.length}.`);
    return object[index] ?? null;
  }
  if (isJsonObject(object) && typeof index === 'string') return member(object, index);
  throw new EvaluationFailure(`${kindOf(object)} cannot be asked by ${kindOf(index)}.`);
}

function analyseList(node: SyntaxNode & { kind: 'list' }, scope: Scope): Analysed {
  const items = node.items.map((item) => scope.analyse(item));
  const types = items.map((item) => item.type);
  const runs = items.map((item) => item.run);
  return {
    type: types.length === 0 ? EMPTY_LIST : listOf(types.reduce(unify)),
    run: (context) => {
      spend(context, runs.length);
      return runs.map((run) => run(context));
    },
  };
}

function analyseMap(node: SyntaxNode & { kind: 'map' }, scope: Scope): Analysed {
  const members = new Map<string, Type>();
  const runs = node.entries.map(([key, value]) => {
    if (key.kind !== 'literal' || typeof key.value !== 'string')
      throw new Rejection(
        'expression-type',
        'A field of an object needs a name in quotes.',
        'Write `{"name": value}`.',
        key,
      );
    const analysed = scope.analyse(value);
    members.set(key.value, analysed.type);
    return [key.value, analysed.run] as const;
  });
  return {
    type: objectOf(members),
    run: (context) => Object.fromEntries(runs.map(([name, run]) => [name, run(context)])),
  };
}

function analyseChoice(node: SyntaxNode & { kind: 'choice' }, scope: Scope): Analysed {
  const condition = asCondition(node.condition, scope);
  const yes = scope.knowing(provenNotNull(node.condition, true)).analyse(node.yes);
  const no = scope.knowing(provenNotNull(node.condition, false)).analyse(node.no);
  return {
    type: unify(yes.type, no.type),
    run: (context) => (condition(context) ? yes.run(context) : no.run(context)),
  };
}

function analyseNot(node: SyntaxNode & { kind: 'not' | 'negate' }, scope: Scope): Analysed {
  const operand = asCondition(node.operand, scope);
  return { type: BOOLEAN, run: (context) => !operand(context) };
}

function analyseNegate(node: SyntaxNode & { kind: 'not' | 'negate' }, scope: Scope): Analysed {
  const operand = scope.analyse(node.operand);
  if (!isNumeric(operand.type) && operand.type.kind !== 'any')
    throw new Rejection(
      'expression-type',
      `\`-\` stands before ${describe(operand.type)}.`,
      'It takes a number.',
      node.operand,
    );
  refuseNull(operand.type, node.operand, '0');
  const run: Run = (context) => {
    const value = operand.run(context);
    if (typeof value !== 'number') throw new EvaluationFailure(`\`-\` stands before ${kindOf(value)}.`);
    return finite(value === 0 ? 0 : -value);
  };
  return { type: operand.type, run: placed(run, node.start, node.end) };
}
