// What an expression mentions: the step graph and the list of environment variables come from it.
import type { SyntaxNode } from './syntax.ts';
import { parseExpression } from './syntax.ts';
import type { ExpressionText, References } from './types.ts';

export const NO_REFERENCES: References = { roots: [], steps: [], env: [], moment: [] };

export function referencesOf(node: SyntaxNode): References {
  let references = known.get(node);
  if (references === undefined) {
    const found = new Collector();
    found.visit(node, new Set());
    known.set(node, (references = found.result()));
  }
  return references;
}

/** Of an expression's text; of a text that cannot be read: nothing. */
export function references(source: ExpressionText): References {
  const parsed = parseExpression(source);
  return parsed.ok ? referencesOf(parsed.value) : NO_REFERENCES;
}

/** By tree: the parser gives the same tree for the same text. */
const known = new WeakMap<SyntaxNode, References>();

export function mergeReferences(all: readonly References[]): References {
  return {
    roots: sorted(all.flatMap(({ roots }) => roots)),
    steps: sorted(all.flatMap(({ steps }) => steps)),
    env: sorted(all.flatMap(({ env }) => env)),
    moment: sorted(all.flatMap(({ moment }) => moment)),
  };
}

function sorted(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].toSorted();
}

class Collector {
  readonly #roots = new Set<string>();
  readonly #steps = new Set<string>();
  readonly #env = new Set<string>();
  readonly #moment = new Set<string>();

  result(): References {
    return {
      roots: sorted(this.#roots),
      steps: sorted(this.#steps),
      env: sorted(this.#env),
      moment: sorted(this.#moment),
    };
  }

  visit(node: SyntaxNode, locals: ReadonlySet<string>): void {
    switch (node.kind) {
      case 'literal':
        return;
      case 'name':
        if (locals.has(node.name)) return;
        this.#roots.add(node.name);
        // No member of it: all of it.
        if (MOMENT.has(node.name)) this.#moment.add(node.name);
        return;
      case 'field':
        return this.#member(node.object, node.field, locals);
      case 'index':
        this.visit(node.index, locals);
        if (node.index.kind === 'literal' && typeof node.index.value === 'string')
          return this.#member(node.object, node.index.value, locals);
        return this.visit(node.object, locals);
      case 'call':
        return this.#call(node, locals);
      case 'list':
        return this.#all(node.items, locals);
      case 'map':
        return this.#all(node.entries.flat(), locals);
      case 'choice':
        return this.#all([node.condition, node.yes, node.no], locals);
      case 'logic':
      case 'binary':
        return this.#all([node.left, node.right], locals);
      case 'not':
      case 'negate':
        return this.visit(node.operand, locals);
    }
  }

  #all(nodes: readonly SyntaxNode[], locals: ReadonlySet<string>): void {
    for (const node of nodes) this.visit(node, locals);
  }

  #member(object: SyntaxNode, field: string, locals: ReadonlySet<string>): void {
    if (object.kind !== 'name' || locals.has(object.name)) {
      this.visit(object, locals);
      return;
    }
    this.#roots.add(object.name);
    if (MOMENT.has(object.name)) this.#moment.add(`${object.name}.${field}`);
    if (object.name === 'steps') this.#steps.add(field);
    if (object.name === 'env') this.#env.add(field);
  }

  #call(node: SyntaxNode & { kind: 'call' }, locals: ReadonlySet<string>): void {
    if (node.receiver) this.visit(node.receiver, locals);
    const [variable, ...bodies] = node.args;
    const isWalk = node.receiver !== null && variable?.kind === 'name' && WALKS.has(node.name);
    if (isWalk) this.#all(bodies, new Set([...locals, variable.name]));
    else this.#all(node.args, locals);
  }
}

/** What differs from one request to the next without being in its input. */
const MOMENT = new Set(['caller', 'now']);
const WALKS = new Set(['all', 'exists', 'exists_one', 'filter', 'map', 'sortBy']);
