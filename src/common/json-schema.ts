// JSON Schemas, read once: a `$ref` gives way to what it leads to, `allOf` to what its members say together, so that who reads a schema finds all
// of it in one place. What leads into itself, and what would grow beyond measure, stays a reference to the `$defs` of the whole.
import { canonicalJson } from './json.ts';
import type { Json, JsonObject, JsonSchema } from './json.ts';
import { fail, succeed } from './outcome.ts';
import type { Outcome } from './outcome.ts';

/** The keywords that hold schemas, and how. */
export const SUBSCHEMAS = {
  items: 'schema',
  prefixItems: 'schemas',
  contains: 'schema',
  properties: 'schema map',
  additionalProperties: 'schema',
  propertyNames: 'schema',
  anyOf: 'schemas',
  oneOf: 'schemas',
  allOf: 'schemas',
  not: 'schema',
  $defs: 'schema map',
} as const;
type Subschemas = keyof typeof SUBSCHEMAS;
/** Of these, the ones that judge the same value as the schema that they stand in. */
const IN_PLACE: readonly Subschemas[] = ['anyOf', 'oneOf', 'allOf', 'not'];

export interface BadReference {
  /** As it is written. */
  readonly reference: string;
  /** nowhere: there is no schema; circle: it leads back to itself, and says nothing of any value. */
  readonly leads: 'nowhere' | 'circle';
}

/** Schemas that references may add to those that are written: a few lines can ask for more than a machine holds. */
const MAX_ADDED = 2_000;
/** How deep schemas stand in each other, what references lead to included. */
const MAX_DEPTH = 64;

/** `schema`, a part of `root` or all of it, without references: whole in itself. The same object where it has none. */
export function resolveReferences(
  root: JsonSchema,
  schema: JsonSchema = root,
): Outcome<JsonSchema, BadReference> {
  if (!anySchema(schema, (one) => '$ref' in one || 'allOf' in one)) return succeed(schema);
  const bad = badReference(root);
  return bad ? fail(bad) : succeed(new Resolver(root).whole(schema));
}

class Resolver {
  readonly #root: JsonSchema;
  readonly #open = new Set<JsonObject>();
  /** What stays a reference → its name in `$defs`. */
  readonly #names = new Map<JsonObject, string>();
  #depth = 0;
  #inside = 0;
  #added = 0;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  whole(schema: JsonSchema): JsonSchema {
    if (schema === this.#root) this.#open.add(schema);
    const { $defs: _, ...read } = this.#read(schema);
    const definitions: Record<string, JsonSchema> = {};
    // A map may grow while it is gone through.
    for (const [target, name] of this.#names) {
      this.#open.clear();
      this.#open.add(target);
      definitions[name] = this.#read(target);
    }
    return this.#names.size === 0 ? read : { ...read, $defs: definitions };
  }

  #read(schema: JsonSchema): JsonSchema {
    if (this.#inside > 0) this.#added += 1;
    this.#depth += 1;
    const { $ref: reference, allOf, $defs: _, ...own } = schema;
    const parts = [
      ...(typeof reference === 'string' ? [this.#target(reference)] : []),
      ...(Array.isArray(allOf) ? allOf.filter(isObject).map((one) => this.#read(one)) : []),
    ];
    const rest = mapSchemas(own, (one) => this.#read(one));
    const refused = Array.isArray(allOf) && allOf.includes(false) ? [{ not: {} }] : [];
    this.#depth -= 1;
    return together(rest, [...parts, ...refused]);
  }

  #target(reference: string): JsonSchema {
    const target = follow(reference, this.#root) ?? {};
    if (this.#open.has(target) || this.#depth > MAX_DEPTH || this.#added > MAX_ADDED)
      return { $ref: `#/$defs/${this.#nameOf(target, reference)}` };
    this.#open.add(target);
    this.#inside += 1;
    const read = this.#read(target);
    this.#inside -= 1;
    this.#open.delete(target);
    return read;
  }

  #nameOf(target: JsonObject, reference: string): string {
    const known = this.#names.get(target);
    if (known !== undefined) return known;
    const last = /[A-Za-z0-9_-]+$/.exec(reference)?.[0] ?? 'whole';
    const taken = new Set(this.#names.values());
    let name = last;
    for (let count = 2; taken.has(name); count += 1) name = `${last}${count}`;
    this.#names.set(target, name);
    return name;
  }
}

/** What all of them say, in one schema where it can be said in one. */
function together(own: JsonSchema, parts: readonly JsonSchema[]): JsonSchema {
  let said: JsonSchema = {};
  const apart: JsonSchema[] = [];
  for (const part of parts) {
    const both = combine(said, part);
    if (both) said = both;
    else apart.push(part);
  }
  const all = combine(said, own);
  if (all && apart.length === 0) return all;
  return { ...own, allOf: [...(Object.keys(said).length > 0 ? [said] : []), ...apart] };
}

const LARGER: ReadonlySet<string> = new Set([
  'minimum',
  'exclusiveMinimum',
  'minLength',
  'minItems',
  'minProperties',
]);
const SMALLER: ReadonlySet<string> = new Set([
  'maximum',
  'exclusiveMaximum',
  'maxLength',
  'maxItems',
  'maxProperties',
]);
/** Of these the nearer one is meant. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
]);

/** One schema that takes exactly what both take; undefined where none can be written. */
function combine(far: JsonSchema, near: JsonSchema): JsonSchema | undefined {
  if (Object.keys(far).length === 0) return near;
  if (Object.keys(near).length === 0) return far;
  if (!speakApart(far, near)) return undefined;
  const result: Record<string, Json> = { ...far };
  for (const [keyword, value] of Object.entries(near)) {
    const other = far[keyword];
    const both = other === undefined ? value : combineKeyword(keyword, other, value);
    if (both === undefined) return undefined;
    result[keyword] = both;
  }
  return result;
}

/** Whether neither closes an object, or a list, to what the other lists beside it. */
function speakApart(far: JsonSchema, near: JsonSchema): boolean {
  if ('prefixItems' in far || 'prefixItems' in near)
    return (
      !['items', 'prefixItems'].some((one) => one in far) ||
      !['items', 'prefixItems'].some((one) => one in near)
    );
  return [[far, near] as const, [near, far] as const].every(([closed, other]) => {
    const more = closed['additionalProperties'];
    if (more === undefined || more === true) return true;
    const listed = propertiesOf(closed);
    return Object.keys(propertiesOf(other)).every((name) => Object.hasOwn(listed, name));
  });
}

function combineKeyword(keyword: string, far: Json, near: Json): Json | undefined {
  if (canonicalJson(far) === canonicalJson(near) || ANNOTATIONS.has(keyword)) return near;
  if (LARGER.has(keyword)) return Math.max(Number(far), Number(near));
  if (SMALLER.has(keyword)) return Math.min(Number(far), Number(near));
  switch (keyword) {
    case 'uniqueItems':
      return true;
    case 'required':
      return [...new Set([...listOf(far), ...listOf(near)])];
    case 'enum':
      return some(
        listOf(far).filter((one) => listOf(near).some((two) => canonicalJson(one) === canonicalJson(two))),
      );
    case 'type':
      return commonTypes([far].flat(), [near].flat());
    case 'additionalProperties':
      return far === true ? near : near === true ? far : undefined;
    case 'items':
      return isObject(far) && isObject(near) ? combine(far, near) : undefined;
    case 'properties':
      return isObject(far) && isObject(near) ? combineProperties(far, near) : undefined;
    default:
      return undefined;
  }
}

function combineProperties(far: JsonObject, near: JsonObject): Json | undefined {
  const result: Record<string, Json> = { ...far };
  for (const [name, schema] of Object.entries(near)) {
    const other = Object.hasOwn(far, name) ? far[name] : undefined;
    const both =
      other === undefined ? schema : isObject(other) && isObject(schema) ? combine(other, schema) : undefined;
    if (both === undefined) return undefined;
    result[name] = both;
  }
  return result;
}

function commonTypes(far: readonly Json[], near: readonly Json[]): Json | undefined {
  const takes = (types: readonly Json[], type: Json): boolean =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  const common = new Set([
    ...far.filter((one) => takes(near, one)),
    ...near.filter((one) => takes(far, one)),
  ]);
  const [first] = common;
  return common.size === 1 ? first : some([...common]);
}

function some(values: readonly Json[]): Json | undefined {
  return values.length === 0 ? undefined : values;
}

/** The first reference of the schema that leads to no schema, or back to itself. */
function badReference(root: JsonSchema): BadReference | undefined {
  const judged = new Map<JsonObject, 'open' | 'done'>();
  let bad: BadReference | undefined;
  /** Whether what judges the same value as this schema comes to an end; so many references have led here. */
  const ends = (schema: JsonSchema, chain: number): boolean => {
    const state = judged.get(schema);
    if (state === 'open' || chain > MAX_DEPTH) return false;
    if (state === 'done') return true;
    judged.set(schema, 'open');
    const { $ref: reference } = schema;
    if (typeof reference === 'string') {
      const target = follow(reference, root);
      if (target === undefined) bad ??= { reference, leads: 'nowhere' };
      else if (!ends(target, chain + 1)) bad ??= { reference, leads: 'circle' };
    }
    const isEnded = IN_PLACE.every((keyword) =>
      schemasUnder(keyword, schema[keyword]).every((member) => ends(member, chain)),
    );
    judged.set(schema, 'done');
    return isEnded;
  };
  anySchema(root, (schema) => {
    ends(schema, 0);
    return bad !== undefined;
  });
  return bad;
}

/** What `#/$defs/name` leads to in the schema; undefined: to no schema of it. */
export function follow(reference: string, root: JsonSchema): JsonSchema | undefined {
  const [start, ...path] = reference.split('/').map(decode);
  if (start !== '#') return undefined;
  let found: Json | undefined = root;
  while (path.length > 0) {
    const keyword = path.shift() ?? '';
    const holds = Object.hasOwn(SUBSCHEMAS, keyword) ? SUBSCHEMAS[keyword as Subschemas] : undefined;
    if (holds === undefined || !isObject(found)) return undefined;
    found = found[keyword];
    if (holds === 'schema') continue;
    const name = path.shift() ?? '';
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as { readonly [name: string]: Json })[name];
  }
  return found === true ? {} : isObject(found) ? found : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}

/** The schema where it stands among others: what still is a reference may be any value. */
export function withoutReferences(schema: JsonSchema): JsonSchema {
  if (!anySchema(schema, (one) => '$ref' in one || '$defs' in one)) return schema;
  const { $ref: _, $defs: __, ...rest } = schema;
  return mapSchemas(rest, withoutReferences);
}

function mapSchemas(schema: JsonSchema, map: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const mapped = (value: Json): Json => (isObject(value) ? map(value) : value);
  const result: Record<string, Json> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const holds = Object.hasOwn(SUBSCHEMAS, keyword) ? SUBSCHEMAS[keyword as Subschemas] : undefined;
    if (holds === 'schemas' && Array.isArray(value)) result[keyword] = value.map(mapped);
    else if (holds === 'schema map' && isObject(value))
      result[keyword] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapped(one)]));
    else result[keyword] = holds === 'schema' ? mapped(value) : value;
  }
  return result;
}

/** Whether any schema at or below this one is such; those below one that is are not asked. */
function anySchema(schema: JsonSchema, isSuch: (schema: JsonSchema) => boolean): boolean {
  return (
    isSuch(schema) ||
    Object.entries(schema).some(([keyword, value]) =>
      schemasUnder(keyword, value).some((one) => anySchema(one, isSuch)),
    )
  );
}

function schemasUnder(keyword: string, value: Json | undefined): readonly JsonSchema[] {
  const holds = Object.hasOwn(SUBSCHEMAS, keyword) ? SUBSCHEMAS[keyword as Subschemas] : undefined;
  if (holds === undefined || typeof value !== 'object' || value === null) return [];
  if (holds === 'schema') return isObject(value) ? [value] : [];
  return Object.values(value).filter(isObject);
}

/** What a schema says of a value, as whoever reads schemas asks it; `null` beside one other schema is read as that one, or null. */
export interface SchemaView {
  /** The keywords, without those of null. */
  readonly schema: JsonSchema;
  /** Names of JSON's types beside null; empty: not said. */
  readonly types: readonly string[];
  readonly nullable: boolean;
  /** The values that it lists, beside null. */
  readonly choices: readonly Json[] | null;
  /** One of these. */
  readonly variants: readonly JsonSchema[] | null;
  readonly properties: { readonly [name: string]: JsonSchema };
  readonly required: ReadonlySet<string>;
  /** null: not said. */
  readonly items: JsonSchema | null;
}

export function viewOf(schema: JsonSchema): SchemaView {
  const sole = soleVariant(schema);
  if (sole) return { ...viewOf(sole), nullable: true };
  const { enum: listed, const: constant, items } = schema;
  const values = 'const' in schema ? [constant ?? null] : Array.isArray(listed) ? listOf(listed) : null;
  const names = [schema['type'] ?? []].flat().filter((one) => typeof one === 'string');
  const variants = schema['anyOf'] ?? schema['oneOf'];
  const types = names.filter((name) => name !== 'null');
  return {
    schema: withoutNull(schema),
    types:
      names.length > 0
        ? types
        : values
          ? typesOfValues(values)
          : isObject(schema['properties'])
            ? ['object']
            : [],
    nullable: names.includes('null') || (names.length === 0 && values?.includes(null) === true),
    choices: values && values.filter((value) => value !== null),
    variants: Array.isArray(variants) ? variants.map((one: Json) => (isObject(one) ? one : {})) : null,
    properties: propertiesOf(schema),
    required: new Set(listOf(schema['required']).filter((one) => typeof one === 'string')),
    items: isObject(items) ? items : null,
  };
}

/** `anyOf: [that, { type: 'null' }]`, and words for people beside it. */
function soleVariant({ anyOf, oneOf, ...beside }: JsonSchema): JsonSchema | undefined {
  const members = listOf(anyOf ?? oneOf);
  const others = members.filter((one) => !isObject(one) || one['type'] !== 'null');
  const [sole] = others;
  if (members.length < 2 || others.length !== 1 || !isObject(sole)) return undefined;
  return Object.keys(beside).every((keyword) => ANNOTATIONS.has(keyword))
    ? { ...sole, ...beside }
    : undefined;
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const { type, enum: listed } = schema;
  if (![type].flat().includes('null') && !listOf(listed).includes(null)) return schema;
  const types = [type].flat().filter((name) => name !== 'null' && name !== undefined) as readonly Json[];
  return {
    ...schema,
    ...(types.length > 0 && Array.isArray(type)
      ? { type: types.length === 1 ? (types[0] ?? null) : types }
      : {}),
    ...(Array.isArray(listed) ? { enum: listOf(listed).filter((one) => one !== null) } : {}),
  };
}

function typesOfValues(values: readonly Json[]): readonly string[] {
  const types = new Set(values.filter((value) => value !== null).map(typeOfValue));
  if (types.has('number')) types.delete('integer');
  return [...types];
}

function typeOfValue(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value;
}

function propertiesOf({ properties }: JsonSchema): { readonly [name: string]: JsonSchema } {
  if (!isObject(properties)) return {};
  // `true` takes anything, `false` nothing: whoever reads the schema sees no more than that it is there.
  return Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, isObject(one) ? one : {}]),
  );
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
