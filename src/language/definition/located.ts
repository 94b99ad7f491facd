// Where the parts of an expression stand in its file: kept beside the Definition, so that the Definition stays data.
import type { DocumentNode } from '../document/types.ts';
import type { Place } from '../../errors/place.ts';
import type { Expression, LocatedTemplate } from './types.ts';

type Locate = (start: number, end: number) => Place;

/** Beside the values and not in them: two that say the same are equal wherever they stand, and what goes with a Definition is forgotten with it. */
const locators = new WeakMap<Expression, Locate>();
const placeholders = new WeakMap<LocatedTemplate, readonly Expression[]>();

export function locatedExpression(source: string, at: Place, locate: Locate): Expression {
  const expression: Expression = { source, at };
  locators.set(expression, locate);
  return expression;
}

/** The place of a part of the expression's source; of the whole expression where it was not read from a file. */
export function placeIn(expression: Expression, start: number, end: number): Place {
  return locators.get(expression)?.(start, end) ?? expression.at;
}

export function keepPlaceholders(
  template: LocatedTemplate,
  expressions: readonly Expression[],
): LocatedTemplate {
  placeholders.set(template, expressions);
  return template;
}

/** The expressions of a template, each with its own place. */
export function expressionsIn(template: LocatedTemplate): readonly Expression[] {
  return placeholders.get(template) ?? [];
}

const members = new WeakMap<object, ReadonlyMap<string, Place>>();

/** Where the names of a value's members stand: of an input, a template that is a map, a test's input. */
export function keepMemberPlaces<Owner extends object>(
  owner: Owner,
  node: DocumentNode,
  nameOf: (key: string) => string = (key) => key,
): Owner {
  if (node.kind === 'map')
    members.set(owner, new Map(node.entries.map(({ key, keyAt }) => [nameOf(key), keyAt])));
  return owner;
}

/** The place of a member's name; `otherwise` where it was not read from a file. */
export function memberPlace(owner: object, name: string, otherwise: Place): Place {
  return members.get(owner)?.get(name) ?? otherwise;
}

/** The same places for what was made of a value. */
export function passMemberPlaces<Made extends object>(from: object, made: Made): Made {
  const places = members.get(from);
  if (places) members.set(made, places);
  return made;
}
