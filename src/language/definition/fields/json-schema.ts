// Schema shorthand → JSON Schema 2020-12: `string`, `date?`, `[item]`, `{ name: type }`, `{ enum: [a, b] }`; JSON Schema as written passes through.
import type { Json, JsonSchema } from '../../../common/json.ts';
import { nearest } from '../../../common/nearest.ts';
import type { DocumentNode, MapEntry, MapNode, ScalarNode } from '../../document/types.ts';
import { compilePattern } from '../../expression/pattern.ts';
import { nullableSchema } from '../../expression/type.ts';
import type { Reader } from '../reader.ts';
import { translateType } from './foreign-types.ts';
import { show } from './kind.ts';
import { KEYWORDS, isIdle, wrongKeywordValue } from './schema-keywords.ts';
import { isIdentifier } from './scalars.ts';
import { misfit } from './value-fits.ts';

const TYPES: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  datetime: { type: 'string', format: 'date-time' },
  any: {},
};
const TYPE_NAMES = Object.keys(TYPES);
const JSON_TYPES = new Set(['string', 'integer', 'number', 'boolean', 'object', 'array', 'null']);

export interface ReadSchema {
  readonly schema: JsonSchema;
  readonly optional: boolean;
}

/** `undefined`: reported. */
export function readSchema(node: DocumentNode, reader: Reader): ReadSchema | undefined {
  if (node.kind === 'scalar') return readTypeName(node, reader);
  if (node.kind === 'list') return always(readListShorthand(node.items, node, reader));
  return always(isJsonSchema(node) ? readJsonSchema(node, reader) : readObject(node.entries, reader));
}

function always(schema: JsonSchema | undefined): ReadSchema | undefined {
  return schema && { schema, optional: false };
}

function readTypeName(node: ScalarNode, reader: Reader): ReadSchema | undefined {
  const { value } = node;
  const match = typeof value === 'string' ? /^([A-Za-z-]+)(\[\])?(\?)?$/.exec(value.trim()) : null;
  const type = match?.[1] !== undefined && Object.hasOwn(TYPES, match[1]) ? TYPES[match[1]] : undefined;
  if (match && type)
    return { schema: match[2] ? { type: 'array', items: type } : type, optional: match[3] !== undefined };
  const written = match?.[1] ?? '';
  if (written === 'object' || written === 'array') {
    const remedy =
      written === 'object'
        ? 'Write its fields as a map: `{ name: string }`; `any` takes every object.'
        : 'Write the type of its items in a list: `[string]`.';
    reader.report('unknown-type', node.at, `\`${written}\` alone does not say what is in it.`, remedy);
    return undefined;
  }
  const meant = typeof value === 'string' ? translateType(value) : undefined;
  if (meant !== undefined) {
    reader.report('unknown-type', node.at, `${show(node)} is not a type.`, meant);
    return undefined;
  }
  const near = nearest(written, TYPE_NAMES);
  reader.report(
    'unknown-type',
    node.at,
    `${show(node)} is not a type.`,
    `${near ? `Did you mean \`${near}\`? ` : ''}Types are: ${TYPE_NAMES.map((name) => `\`${name}\``).join(', ')}; a list of one, a map, \`{ enum: [a, b] }\`, or JSON Schema.`,
  );
  return undefined;
}

/** `[item]` is an array of it; `[low, high]` a choice. */
function readListShorthand(
  items: readonly DocumentNode[],
  node: DocumentNode,
  reader: Reader,
): JsonSchema | undefined {
  const [first] = items;
  if (items.length === 1 && first) {
    const item = readSchema(first, reader);
    return item && { type: 'array', items: item.schema };
  }
  const values = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : [],
  );
  if (items.length > 1 && values.length === items.length) {
    refuseTwice(items, reader);
    return { type: 'string', enum: values };
  }
  reader.report(
    'invalid-value',
    node.at,
    'This list is neither the type of a list nor a choice.',
    'Write one type for a list of it, `[string]`; two texts or more for a choice, `[low, high]`.',
  );
  return undefined;
}

/** A map is JSON Schema when its keys are JSON Schema's (`{}`: any value); a field that is called like one of them needs `properties:`. */
function isJsonSchema(node: MapNode): boolean {
  if (node.entries.length === 0) return true;
  const unknown = node.entries.filter(({ key }) => !KEYWORDS.has(key));
  if (unknown.length === 0)
    return node.entries.some(({ key, value }) => isAssertion(key, value) || isNumber(value));
  if (
    unknown.every(({ key, value }) => isSlipOfKeyword(key, value)) &&
    (node.entries.length === 1 || node.entries.some(({ key, value }) => KEYWORDS.has(key) && isNumber(value)))
  )
    return true;
  const type = node.entries.find(({ key }) => key === 'type')?.value;
  const typed = type?.kind === 'scalar' && typeof type.value === 'string' && JSON_TYPES.has(type.value);
  return typed && unknown.some(({ value }) => value.kind === 'scalar' && typeof value.value !== 'string');
}

/** No field is described by a number. */
function isNumber(value: DocumentNode): boolean {
  return value.kind === 'scalar' && typeof value.value === 'number';
}

/** `tpye: string`, `enmu: [a, b]`: neighbours that changed places, or one letter for another; `menu` is a field. */
function isSlipOfKeyword(key: string, value: DocumentNode): boolean {
  const near = nearest(key, ['type', 'enum']);
  if (near === undefined || near.length !== key.length) return false;
  return near === 'enum' ? value.kind === 'list' && value.items.length > 1 : value.kind === 'scalar';
}

/** Whether the key could only be JSON Schema's here: `{ type: string, name: string }` is an object with a field called type. */
function isAssertion(key: string, value: DocumentNode): boolean {
  if (key === 'type')
    return (value.kind === 'scalar' && JSON_TYPES.has(String(value.value))) || value.kind === 'list';
  if (key === 'enum') return value.kind === 'list';
  return ['const', 'anyOf', 'oneOf', 'allOf', '$ref', 'properties', 'items', 'pattern', 'format'].includes(
    key,
  );
}

export function readObject(entries: readonly MapEntry[], reader: Reader): JsonSchema | undefined {
  const properties: Record<string, JsonSchema> = {};
  const names: string[] = [];
  let complete = true;
  for (const entry of entries) {
    const { name, optional } = propertyName(entry.key);
    if (Object.hasOwn(properties, name))
      reader.report(
        'invalid-name',
        entry.keyAt,
        `The field \`${name}\` stands twice.`,
        'Remove or rename one of the two.',
      );
    if (!isIdentifier(name))
      reader.report(
        'invalid-name',
        entry.keyAt,
        `\`${name}\` cannot be the name of a field.`,
        'Use letters, digits and `_`, so that expressions and GraphQL can name it.',
      );
    const read = readSchema(entry.value, reader);
    if (!read) {
      complete = false;
      continue;
    }
    const mayBeMissing = read.optional || optional;
    if (!mayBeMissing) checkNullDefault(read.schema, entry.value, reader);
    properties[name] = mayBeMissing ? nullableSchema(read.schema) : read.schema;
    if (!mayBeMissing && !('default' in read.schema)) names.push(name);
  }
  return complete
    ? {
        type: 'object',
        properties,
        ...(names.length > 0 ? { required: names } : {}),
        additionalProperties: false,
      }
    : undefined;
}

/** `note?: string` says the same as `note: string?`, and works with any schema: the field may be missing, or null. */
export function propertyName(key: string): { readonly name: string; readonly optional: boolean } {
  return key.endsWith('?') ? { name: key.slice(0, -1), optional: true } : { name: key, optional: false };
}

function readJsonSchema(node: MapNode, reader: Reader): JsonSchema | undefined {
  const schema: Record<string, Json> = {};
  let complete = true;
  for (const { key, keyAt, value } of node.entries) {
    if (!KEYWORDS.has(key)) {
      const near = nearest(key, KEYWORDS.keys());
      reader.report(
        'unknown-key',
        keyAt,
        `JSON Schema has no keyword \`${key}\`.`,
        near
          ? `Did you mean \`${near}\`?`
          : 'Fields of an object stand under `properties:`, or without any keyword beside them.',
      );
      continue;
    }
    const read = readKeyword(key, value, reader);
    if (read === undefined) complete = false;
    else schema[key] = read;
  }
  if (!complete) return undefined;
  checkIdle(schema, node, reader);
  checkRanges(schema, node, reader);
  checkDefault(schema, node, reader);
  return schema;
}

function checkIdle({ type }: JsonSchema, node: MapNode, reader: Reader): void {
  if (typeof type !== 'string') return;
  for (const { key, keyAt } of node.entries)
    if (isIdle(key, type))
      reader.report(
        'schema-keyword-idle',
        keyAt,
        `\`${key}\` says nothing of \`type: ${type}\`.`,
        'Remove it, write the keyword that is meant, or change the type.',
      );
}

/** The least that is more than the most leaves no value at all. */
const RANGES = [
  ['minLength', 'maxLength'],
  ['minimum', 'maximum'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const;

function checkRanges(schema: JsonSchema, node: MapNode, reader: Reader): void {
  for (const [least, most] of RANGES) {
    const [low, high] = [schema[least], schema[most]];
    if (typeof low !== 'number' || typeof high !== 'number' || low <= high) continue;
    reader.report(
      'invalid-schema',
      node.entries.find(({ key }) => key === most)?.value.at ?? node.at,
      `\`${most}: ${high}\` is less than \`${least}: ${low}\`: no value fits.`,
      `Write \`${most}\` of ${low} or more.`,
    );
  }
}

/** A run without the field would be refused for a value that its caller never wrote. */
function checkDefault(schema: JsonSchema, node: MapNode, reader: Reader): void {
  const written = node.entries.find(({ key }) => key === 'default')?.value;
  const { default: value, ...rest } = schema;
  if (!written || value === undefined || value === null) return; // null: see readObject
  reader.onceWhole.push((root) => {
    const problem = misfit(rest, value, root);
    if (problem !== undefined)
      reader.report(
        'default-mismatch',
        written.at,
        `The default does not fit its own schema: it ${problem}.`,
        meantDefault(schema, value) ?? 'Write a value that the schema takes, or change the schema.',
      );
  });
}

/** `default: yes`, which is a text in YAML 1.2, and `default: "5"`. */
function meantDefault({ type }: JsonSchema, value: Json): string | undefined {
  if (typeof value !== 'string') return undefined;
  const meant =
    type === 'boolean'
      ? BOOLEAN_WORDS.get(value.trim().toLowerCase())
      : (type === 'integer' || type === 'number') && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value)
        ? value.trim()
        : undefined;
  return meant === undefined ? undefined : `Write \`${meant}\`.`;
}

const BOOLEAN_WORDS: ReadonlyMap<string, string> = new Map([
  ...['yes', 'y', 'on', 'true', '1'].map((word) => [word, 'true'] as const),
  ...['no', 'n', 'off', 'false', '0'].map((word) => [word, 'false'] as const),
]);

/** `default:` with nothing behind it, in a field that may not be null. */
function checkNullDefault({ default: value, ...rest }: JsonSchema, node: DocumentNode, reader: Reader): void {
  const written = node.kind === 'map' ? node.entries.find(({ key }) => key === 'default')?.value : undefined;
  if (!written || value !== null) return;
  reader.onceWhole.push((root) => {
    if (misfit(rest, null, root) !== undefined)
      reader.report(
        'default-mismatch',
        written.at,
        'The default is null, which the field does not take.',
        'Write a value; or let the field be missing: `name?:`.',
      );
  });
}

function readKeyword(key: string, value: DocumentNode, reader: Reader): Json | undefined {
  const shape = KEYWORDS.get(key);
  if (shape === 'schema')
    return value.kind === 'scalar' && typeof value.value === 'boolean'
      ? value.value
      : readSchema(value, reader)?.schema;
  if (shape === 'schemas' && value.kind === 'list')
    return collect(value.items.map((item) => readSchema(item, reader)?.schema));
  if (shape === 'schema map' && value.kind === 'map') return readSchemaMap(value.entries, reader);
  const problem = wrongKeywordValue(key, value);
  if (problem !== undefined) {
    reader.report(
      'invalid-schema',
      value.at,
      `\`${key}\` takes ${problem}.`,
      'See JSON Schema 2020-12 for what the keyword takes.',
    );
    return undefined;
  }
  const json = toJson(value);
  if (key === 'enum' && value.kind === 'list') refuseTwice(value.items, reader);
  if (key === 'pattern' && typeof json === 'string') {
    const pattern = compilePattern(json);
    if (typeof pattern === 'string')
      reader.report(
        'invalid-pattern',
        value.at,
        `${pattern}.`,
        'Patterns are RE2: no look-around, no back-references.',
      );
  }
  return json;
}

/** A choice that is there twice is a slip for another one; some vendors refuse such a schema. */
function refuseTwice(items: readonly DocumentNode[], reader: Reader): void {
  const seen = new Set<string>();
  for (const item of items) {
    const text = JSON.stringify(toJson(item));
    if (seen.has(text))
      reader.report(
        'invalid-schema',
        item.at,
        `${show(item)} stands twice among the choices.`,
        'Remove or change one of the two.',
      );
    seen.add(text);
  }
}

function readSchemaMap(entries: readonly MapEntry[], reader: Reader): Json | undefined {
  for (const { key, keyAt } of entries) {
    if (key === '__proto__')
      reader.report('invalid-name', keyAt, '`__proto__` cannot be the name of a field.', 'Use another name.');
  }
  const read = entries.map(({ key, value }) => [key, readSchema(value, reader)?.schema] as const);
  return read.some(([, schema]) => schema === undefined) ? undefined : (Object.fromEntries(read) as Json);
}

function collect(items: readonly (JsonSchema | undefined)[]): Json | undefined {
  return items.some((item) => item === undefined) ? undefined : (items as readonly Json[]);
}

export function toJson(node: DocumentNode): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toJson);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, toJson(value)]));
}
