// What an expression can name where it stands, and what is known not to be null there.
import type { Run } from './context.ts';
import type { SyntaxNode } from './syntax.ts';
import { nonNull } from './type.ts';
import type { Type } from './type.ts';
import type { ExpressionProblem, ExpressionProblemCode } from './types.ts';

interface Local {
  readonly type: Type;
  readonly slot: number;
}

export interface Analysed {
  readonly type: Type;
  readonly run: Run;
}

/** Gives the type and the function of a part; throws a Rejection. */
export type Analyser = (node: SyntaxNode, scope: Scope) => Analysed;

export class Scope {
  readonly roots: ReadonlyMap<string, Type>;
  readonly locals: ReadonlyMap<string, Local>;
  readonly #notNull: ReadonlySet<string>;

  readonly #analyser: Analyser;

  constructor(
    analyser: Analyser,
    roots: ReadonlyMap<string, Type>,
    locals: ReadonlyMap<string, Local> = new Map(),
    notNull: ReadonlySet<string> = new Set(),
  ) {
    this.#analyser = analyser;
    this.roots = roots;
    this.locals = locals;
    this.#notNull = notNull;
  }

  analyse(node: SyntaxNode): Analysed {
    return this.#analyser(node, this);
  }

  withLocal(name: string, type: Type): { readonly scope: Scope; readonly slot: number } {
    const slot = this.locals.size;
    const locals = new Map(this.locals).set(name, { type, slot: this.locals.get(name)?.slot ?? slot });
    const notNull = new Set(
      [...this.#notNull].filter((path) => path !== name && !path.startsWith(`${name}.`)),
    );
    return {
      scope: new Scope(this.#analyser, this.roots, locals, notNull),
      slot: locals.get(name)?.slot ?? slot,
    };
  }

  knowing(paths: readonly string[]): Scope {
    return paths.length === 0
      ? this
      : new Scope(this.#analyser, this.roots, this.locals, new Set([...this.#notNull, ...paths]));
  }

  narrow(node: SyntaxNode, type: Type): Type {
    if (!type.nullable || this.#notNull.size === 0) return type;
    const path = pathOf(node);
    return path !== undefined && this.#notNull.has(path) ? nonNull(type) : type;
  }

  names(): string[] {
    return [...this.locals.keys(), ...this.roots.keys()];
  }
}

/** `steps.verdict.text` for a chain of names, else `undefined`. */
function pathOf(node: SyntaxNode): string | undefined {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'field') return undefined;
  const parent = pathOf(node.object);
  return parent === undefined ? undefined : `${parent}.${node.field}`;
}

/** The paths that are not null when `condition` has the value `holds`. */
export function provenNotNull(condition: SyntaxNode, holds: boolean): readonly string[] {
  switch (condition.kind) {
    case 'not':
      return provenNotNull(condition.operand, !holds);
    case 'logic': {
      const both = (condition.operator === '&&') === holds;
      return both ? [...provenNotNull(condition.left, holds), ...provenNotNull(condition.right, holds)] : [];
    }
    case 'binary':
      return provenByComparison(condition, holds);
    case 'call': {
      const [argument] = condition.args;
      const path =
        condition.name === 'has' && condition.receiver === null && argument && holds
          ? pathOf(argument)
          : undefined;
      return path === undefined ? [] : [path];
    }
    default:
      return [];
  }
}

function provenByComparison(condition: SyntaxNode & { kind: 'binary' }, holds: boolean): readonly string[] {
  const { operator, left, right } = condition;
  const isNull = (node: SyntaxNode): boolean => node.kind === 'literal' && node.value === null;
  const other = isNull(right) ? left : isNull(left) ? right : undefined;
  const path = other && pathOf(other);
  if (path !== undefined)
    return (operator === '!=') === holds && (operator === '!=' || operator === '==') ? [path] : [];
  if (operator !== '==' || !holds) return [];
  // Equal to a literal that is not null: not null either.
  const compared =
    right.kind === 'literal' ? pathOf(left) : left.kind === 'literal' ? pathOf(right) : undefined;
  return compared === undefined ? [] : [compared];
}

/** Thrown while an expression is compiled, caught in compile.ts. */
export class Rejection extends Error {
  readonly problem: ExpressionProblem;

  constructor(
    code: ExpressionProblemCode,
    message: string,
    remedy: string,
    node: { readonly start: number; readonly end: number },
  ) {
    super(message);
    this.problem = { code, message, remedy, start: node.start, end: Math.max(node.end, node.start + 1) };
  }
}
