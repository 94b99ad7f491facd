// What takes an expression rather than a value: has, default, and the walks over lists.
import type { Json } from '../../common/json.ts';
import { asCondition, refuseNull } from './analysis.ts';
import type { Analysed } from './analysis.ts';
import { EvaluationFailure, placed, spend } from './context.ts';
import type { Context, Run } from './context.ts';
import { Rejection, provenNotNull } from './scope.ts';
import type { Scope } from './scope.ts';
import type { SyntaxNode } from './syntax.ts';
import { ANY, BOOLEAN, STRING, describe, listOf, nonNull, unify } from './type.ts';
import type { Type } from './type.ts';
import { compare, isJsonObject, isList, kindOf } from './values.ts';

export type CallNode = SyntaxNode & { kind: 'call' };

/** `undefined`: the call is no macro. */
export function analyseMacro(node: CallNode, scope: Scope): Analysed | undefined {
  if (node.receiver === null) {
    if (node.name === 'has') return analyseHas(node, scope);
    return node.name === 'default' ? analyseDefault(node, scope) : undefined;
  }
  const walk = WALKS[node.name];
  if (!walk || !Object.hasOwn(WALKS, node.name)) return undefined;
  return analyseWalk(node, node.receiver, scope, walk);
}

function analyseHas(node: CallNode, scope: Scope): Analysed {
  const [argument] = node.args;
  if (node.args.length !== 1 || argument?.kind !== 'field')
    throw new Rejection(
      'expression-type',
      '`has` takes a field of an object.',
      'Write `has(input.note)`.',
      node,
    );
  const { run } = scope.analyse(argument);
  return { type: BOOLEAN, run: (context) => run(context) !== null };
}

function analyseDefault(node: CallNode, scope: Scope): Analysed {
  if (node.args.length < 2)
    throw new Rejection(
      'expression-type',
      '`default` takes a value and what to use when it is not there.',
      'Write `default(steps.verdict.text, "none")`.',
      node,
    );
  const parts = node.args.map((argument) => scope.analyse(argument));
  const last = parts.at(-1);
  const types = parts.map((part) => part.type);
  const united = types
    .map((type, index) => (index === types.length - 1 ? type : nonNull(type)))
    .reduce(unify);
  const type = last?.type.nullable ? united : nonNull(united);
  const runs = parts.map((part) => part.run);
  return { type, run: (context) => firstThere(runs, context) };
}

function firstThere(runs: readonly Run[], context: Context): Json {
  const last = runs.length - 1;
  for (const [index, run] of runs.entries()) {
    if (index === last) return run(context);
    try {
      const value = run(context);
      if (value !== null) return value;
    } catch (error) {
      if (!(error instanceof EvaluationFailure) || error.final) throw error;
    }
  }
  return null;
}

interface Walk {
  readonly args: readonly number[];
  analyse(parts: WalkParts): Analysed;
}
interface WalkParts {
  readonly items: (context: Context) => readonly Json[];
  readonly itemType: Type;
  readonly listType: Type;
  readonly slot: number;
  readonly scope: Scope;
  readonly bodies: readonly SyntaxNode[];
}

function analyseWalk(node: CallNode, receiver: SyntaxNode, scope: Scope, walk: Walk): Analysed {
  const list = scope.analyse(receiver);
  const [variable, ...bodies] = node.args;
  if (!walk.args.includes(node.args.length) || variable?.kind !== 'name')
    throw new Rejection(
      'expression-type',
      `\`${node.name}\` takes a name for the item and an expression over it.`,
      `Write \`list.${node.name}(item, …)\`.`,
      node,
    );
  const itemType = itemTypeOf(list.type, node);
  refuseNull(list.type, receiver, '[]');
  const inner = scope.withLocal(variable.name, itemType);
  const items = (context: Context): readonly Json[] => {
    const value = list.run(context);
    const found = isList(value) ? value : isJsonObject(value) ? Object.keys(value) : undefined;
    if (!found) throw new EvaluationFailure(`\`${node.name}\` walks over ${kindOf(value)}; it takes a list.`);
    spend(context, found.length);
    return found;
  };
  const analysed = walk.analyse({
    items,
    itemType,
    listType: list.type.kind === 'list' ? list.type : listOf(itemType),
    slot: inner.slot,
    scope: inner.scope,
    bodies,
  });
  return { type: analysed.type, run: placed(restoring(analysed.run, inner.slot), node.start, node.end) };
}

/** A name may be used again inside: the outer item comes back afterwards. */
function restoring(run: Run, slot: number): Run {
  return (context) => {
    const outer = context.locals[slot] ?? null;
    try {
      return run(context);
    } finally {
      context.locals[slot] = outer;
    }
  };
}

function itemTypeOf(type: Type, node: CallNode): Type {
  if (type.kind === 'list') return type.items;
  if (type.kind === 'object') return STRING;
  if (type.kind === 'any') return ANY;
  throw new Rejection(
    'expression-type',
    `\`${node.name}\` walks over ${describe(type)}; it takes a list.`,
    'Name a list, or split a text: `text.lines()`.',
    node,
  );
}

function predicate({ slot, scope, bodies }: WalkParts): (context: Context, item: Json) => boolean {
  const [body] = bodies;
  if (!body) return () => false;
  const holds = asCondition(body, scope);
  return (context, item) => {
    context.locals[slot] = item;
    return holds(context);
  };
}

function transform(
  { slot, scope }: WalkParts,
  body: SyntaxNode | undefined,
  condition?: SyntaxNode,
): { readonly type: Type; readonly run: (context: Context, item: Json) => Json } {
  const analysed = body
    ? (condition ? scope.knowing(provenNotNull(condition, true)) : scope).analyse(body)
    : { type: ANY, run: () => null };
  return {
    type: analysed.type,
    run: (context, item) => {
      context.locals[slot] = item;
      return analysed.run(context);
    },
  };
}

const WALKS: Readonly<Record<string, Walk>> = {
  all: { args: [2], analyse: (parts) => quantifier(parts, false) },
  exists: { args: [2], analyse: (parts) => quantifier(parts, true) },
  exists_one: {
    args: [2],
    analyse: (parts) => {
      const holds = predicate(parts);
      return {
        type: BOOLEAN,
        run: (context) => parts.items(context).filter((item) => holds(context, item)).length === 1,
      };
    },
  },
  filter: {
    args: [2],
    analyse: (parts) => {
      const holds = predicate(parts);
      const [body] = parts.bodies;
      const type =
        body && parts.itemType.nullable && provenNotNull(body, true).length > 0
          ? narrowedList(parts, body)
          : parts.listType;
      return { type, run: (context) => parts.items(context).filter((item) => holds(context, item)) };
    },
  },
  map: { args: [2, 3], analyse: analyseMap },
  sortBy: {
    args: [2],
    analyse: (parts) => {
      const key = transform(parts, parts.bodies[0]);
      const run: Run = (context) => {
        const keyed = parts.items(context).map((item) => ({ item, key: key.run(context, item) }));
        return keyed.toSorted((left, right) => compare(left.key, right.key)).map(({ item }) => item);
      };
      return { type: parts.listType, run };
    },
  },
};

/** `list.filter(x, x != null)` leaves no nulls. */
function narrowedList(parts: WalkParts, body: SyntaxNode): Type {
  const local = [...parts.scope.locals].find(([, { slot }]) => slot === parts.slot)?.[0];
  return local !== undefined && provenNotNull(body, true).includes(local)
    ? listOf(nonNull(parts.itemType))
    : parts.listType;
}

function analyseMap(parts: WalkParts): Analysed {
  const [first, second] = parts.bodies;
  const holds = second ? predicate(parts) : undefined;
  const value = second ? transform(parts, second, first) : transform(parts, first);
  const run: Run = (context) => {
    const results: Json[] = [];
    for (const item of parts.items(context))
      if (!holds || holds(context, item)) results.push(value.run(context, item));
    return results;
  };
  return { type: listOf(value.type), run };
}

/** As CEL has it: an item that decides makes the failure of another not matter. */
function quantifier(parts: WalkParts, decisive: boolean): Analysed {
  const holds = predicate(parts);
  const run: Run = (context) => {
    let failure: EvaluationFailure | undefined;
    for (const item of parts.items(context)) {
      try {
        if (holds(context, item) === decisive) return decisive;
      } catch (error) {
        if (!(error instanceof EvaluationFailure) || error.final) throw error;
        failure ??= error;
      }
    }
    if (failure) throw failure;
    return !decisive;
  };
  return { type: BOOLEAN, run };
}
