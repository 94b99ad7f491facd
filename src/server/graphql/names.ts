// Names: from YAML's kebab-case to GraphQL's, and the claim on each so that two things never share one.

/** `email-parse` → `emailParse`; what is not a letter or digit parts words. */
export function camelName(text: string): string {
  const pascal = pascalName(text);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

/** `email-parse` → `EmailParse`. Capitals inside a word stay: `requestId` → `RequestId`. */
export function pascalName(text: string): string {
  const joined = text
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

const GRAPHQL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Can it stand in a document as it is? Names that begin with two underscores belong to introspection. */
function isGraphqlName(text: string): boolean {
  return GRAPHQL_NAME.test(text) && !text.startsWith('__');
}

/** A property's field name: as written where GraphQL allows it, else in camelCase; undefined where nothing is left of it. */
export function fieldName(property: string): string | undefined {
  if (isGraphqlName(property)) return property;
  const name = camelName(property);
  return isGraphqlName(name) ? name : undefined;
}

/** An enum value's name: as written where GraphQL allows it, else with `_` for what it does not. */
export function enumValueName(value: string): string | undefined {
  const name = isGraphqlName(value)
    ? value
    : value.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/^(?=[0-9])/, '_');
  return isGraphqlName(name) && !['true', 'false', 'null'].includes(name) ? name : undefined;
}

export interface NameCollision {
  readonly name: string;
  /** What claimed it first, and what claims it too: `task "email-parse"`. */
  readonly holders: readonly [string, string];
}

/** Who holds which type name. */
export class NameRegistry {
  readonly #holders = new Map<string, string>();
  readonly collisions: NameCollision[] = [];

  constructor(reserved: Iterable<string> = []) {
    for (const name of reserved) this.#holders.set(name, 'the API itself');
  }

  /** true: it is the claimer's from now on; false: it was taken, and the collision is noted. */
  claim(name: string, claimer: string): boolean {
    const holder = this.#holders.get(name);
    if (holder === undefined) {
      this.#holders.set(name, claimer);
      return true;
    }
    this.collisions.push({ name, holders: [holder, claimer] });
    return false;
  }
}
