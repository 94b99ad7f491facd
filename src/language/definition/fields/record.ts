// Records, maps and lists: how fields make up the language, and where a missing or unknown key is noticed.
import type { JsonSchema } from '../../../common/json.ts';
import { nearest } from '../../../common/nearest.ts';
import type { DocumentNode, MapNode } from '../../document/types.ts';
import type { Place } from '../../../errors/place.ts';
import type { Reader } from '../reader.ts';
import { translateKey } from './foreign-words.ts';
import { show } from './kind.ts';
import type { FieldInfo, Kind, RecordInfo, SharedSchemas } from './kind.ts';

/** One row of the field table. */
export interface Field<Value, Required extends boolean = boolean> {
  readonly kind: Kind<Value>;
  readonly required: Required;
  /** What it means, its unit, and the consequence; one or two sentences. */
  readonly doc: string;
  /** What holds when it is left out; null: nothing does. */
  readonly whenAbsent: string | null;
}

export function required<Value>(kind: Kind<Value>, doc: string): Field<Value, true> {
  return { kind, required: true, doc, whenAbsent: null };
}

export function optional<Value>(
  kind: Kind<Value>,
  doc: string,
  whenAbsent: string | null = null,
): Field<Value, false> {
  return { kind, required: false, doc, whenAbsent };
}

// `any` in the constraint only: a table holds fields of every type, and each keeps its own.
// oxlint-disable-next-line typescript/no-explicit-any
export type Fields = { readonly [key: string]: Field<any> };

export type RecordValue<Table extends Fields> = {
  readonly [Key in keyof Table]: Table[Key] extends Field<infer Value, infer Required>
    ? Required extends true
      ? Value
      : Value | null
    : never;
} & { readonly at: Place };

export interface RecordKind<Table extends Fields> extends Kind<RecordValue<Table>> {
  readonly fields: Table;
  readonly record: RecordInfo;
}

export interface RecordOptions {
  /** For the reference page, and the name under `$defs`. */
  readonly name: string;
  /** `A policy`, for `A policy has no key …`. */
  readonly noun: string;
  readonly summary: string;
  /** Where a key that stands here by mistake would belong. */
  readonly elsewhere?: (key: string) => string | undefined;
  /** What a value stands for that is written in place of the map: `1h` → `{ for: 1h }`. */
  readonly inPlace?: (text: string) => string | undefined;
  /** Further conditions of the JSON Schema. */
  readonly schema?: JsonSchema;
}

export function record<const Table extends Fields>(options: RecordOptions, fields: Table): RecordKind<Table> {
  return {
    label: `map, see ${options.name}`,
    fields,
    record: { name: options.name, summary: options.summary, fields: infoOf(fields) },
    schema: (shared) =>
      shared.reference(options.name, () => ({
        ...recordSchema(fields, options.summary, shared),
        ...options.schema,
      })),
    read(node, reader) {
      const map = expectMap(
        node,
        reader,
        options.noun,
        meantInPlace(node, options) ??
          `Write a map with: ${Object.keys(fields)
            .map((key) => `\`${key}\``)
            .join(', ')}.`,
      );
      if (!map) return undefined;
      reader.unknownKeys(map, Object.keys(fields), options.noun, options.elsewhere);
      return readFields(map, fields, options.noun, reader);
    },
  };
}

function meantInPlace(node: DocumentNode, { inPlace }: RecordOptions): string | undefined {
  const meant = node.kind === 'scalar' && node.value !== null ? inPlace?.(node.text) : undefined;
  return meant === undefined ? undefined : `Write \`${meant}\`.`;
}

function infoOf(fields: Fields): FieldInfo[] {
  return Object.entries(fields).map(([key, field]) => ({
    key,
    label: field.kind.label,
    required: field.required,
    doc: field.doc,
    whenAbsent: field.whenAbsent,
    record: field.kind.record ?? null,
  }));
}

export function recordSchema(fields: Fields, summary: string, shared: SharedSchemas): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, withDescription(field.kind.schema(shared), field)]),
  );
  const names = Object.entries(fields).flatMap(([key, field]) => (field.required ? [key] : []));
  return {
    type: 'object',
    description: summary,
    properties,
    ...(names.length > 0 ? { required: names } : {}),
    additionalProperties: false,
  };
}

function withDescription(schema: JsonSchema, field: Field<unknown>): JsonSchema {
  const absent = field.whenAbsent === null ? '' : ` Left out: ${field.whenAbsent}.`;
  return { ...schema, description: `${field.doc}${absent}` };
}

/** Every field of the table from the map; `undefined` when a required one is missing or wrong. */
export function readFields<Table extends Fields>(
  map: MapNode,
  fields: Table,
  noun: string,
  reader: Reader,
): RecordValue<Table> | undefined {
  const values: Record<string, unknown> = { at: map.at };
  let complete = true;
  for (const [key, field] of Object.entries(fields)) {
    const entry = map.entries.find((candidate) => candidate.key === key);
    const value: unknown = entry ? field.kind.read(entry.value, reader) : undefined;
    if (!entry && field.required && !misspelt(key, map, fields, noun))
      reader.report('missing-key', map.at, `${noun} needs \`${key}\`.`, `Add \`${key}:\`. ${field.doc}`);
    if (value === undefined && field.required) complete = false;
    values[key] = value ?? null;
  }
  return complete ? (values as RecordValue<Table>) : undefined;
}

/** An unknown key that is nearest to this one has been reported already. */
function misspelt(key: string, map: MapNode, fields: Fields, noun: string): boolean {
  return map.entries.some(
    ({ key: written, value }) =>
      misspells(written, key, Object.keys(fields)) ||
      (!Object.hasOwn(fields, written) && translateKey(noun, written, value)?.key === key),
  );
}

export function misspells(written: string, key: string, known: readonly string[]): boolean {
  return !known.includes(written) && nearest(written, known) === key;
}

export function expectMap(
  node: DocumentNode,
  reader: Reader,
  noun: string,
  remedy: string,
): MapNode | undefined {
  if (node.kind === 'map') return node;
  reader.report('wrong-shape', node.at, `${noun} is a map, not ${show(node).toLowerCase()}.`, remedy);
  return undefined;
}

export interface Named<Value> {
  readonly name: string;
  readonly nameAt: Place;
  readonly value: Value;
}

export interface MapOptions {
  /** `A provider`. */
  readonly noun: string;
  isName(name: string): boolean;
  /** `Use lower case letters, digits and dashes: …`. */
  readonly nameRemedy: string;
  readonly namePattern: string;
}

/** A map from names to values of one kind, in the order of the file. Entries that cannot be read are left out, and have been reported. */
export function mapOf<Value>(kind: Kind<Value>, options: MapOptions): Kind<readonly Named<Value>[]> {
  return {
    label: `map of names to: ${kind.label}`,
    ...(kind.record ? { record: kind.record } : {}),
    schema: (shared) => ({
      type: 'object',
      propertyNames: { pattern: options.namePattern },
      additionalProperties: kind.schema(shared),
    }),
    read(node, reader) {
      const map = expectMap(
        node,
        reader,
        `A group of these`,
        `Write one \`name:\` for each ${options.noun.replace(/^An? /, '')}.`,
      );
      if (!map) return undefined;
      return map.entries.flatMap(({ key, keyAt, value }) => {
        if (!options.isName(key))
          reader.report(
            'invalid-name',
            keyAt,
            `\`${key}\` cannot be the name of ${options.noun.toLowerCase()}.`,
            options.nameRemedy,
          );
        const read = kind.read(value, reader);
        return read === undefined ? [] : [{ name: key, nameAt: keyAt, value: read }];
      });
    },
  };
}

export function listOf<Value>(
  kind: Kind<Value>,
  options: { readonly least?: number; readonly noun: string; readonly example?: string },
): Kind<readonly Value[]> {
  const { least = 0 } = options;
  return {
    label: `list of: ${kind.label}`,
    ...(kind.record ? { record: kind.record } : {}),
    schema: (shared) => ({
      type: 'array',
      items: kind.schema(shared),
      ...(least > 0 ? { minItems: least } : {}),
    }),
    read(node, reader) {
      if (node.kind !== 'list') {
        reader.report(
          'wrong-shape',
          node.at,
          `${show(node)} stands where a list of ${options.noun} is needed.`,
          `Write a list: \`[${listExample(node, options.example)}]\`, or one \`- item\` a line.`,
        );
        return undefined;
      }
      if (node.items.length < least)
        reader.report(
          'invalid-value',
          node.at,
          `The list of ${options.noun} is empty.`,
          'Write at least one, or remove the key.',
        );
      return node.items.flatMap((item) => {
        const read = kind.read(item, reader);
        return read === undefined ? [] : [read];
      });
    },
  };
}

/** One value, or a list of them: what is written most often needs no brackets. */
export function oneOrMore<Value>(
  kind: Kind<Value>,
  options: { readonly noun: string; readonly most: number },
): Kind<readonly Value[]> {
  const { noun, most } = options;
  const list = listOf(kind, { noun, least: 1 });
  return {
    label: `${kind.label}; or a list of them`,
    ...(kind.record ? { record: kind.record } : {}),
    schema: (shared) => ({
      anyOf: [kind.schema(shared), { ...list.schema(shared), maxItems: most }],
    }),
    read(node, reader) {
      if (node.kind !== 'list') {
        const one = kind.read(node, reader);
        return one === undefined ? undefined : [one];
      }
      if (node.items.length > most)
        reader.report(
          'invalid-value',
          node.at,
          `The list of ${noun} has ${node.items.length} items; at most ${most} are allowed.`,
          'Leave out those that matter least.',
        );
      return list.read(node, reader);
    },
  };
}

/** What stands there, as the list's one item. */
function listExample(node: DocumentNode, example = 'a, b'): string {
  const text = node.kind === 'scalar' && node.value !== null ? node.text : '';
  return text !== '' && text.length <= 40 ? text : example;
}

/** Reads with `kind` and makes the value of the Definition from it. */
export function mapped<From, To>(
  kind: Kind<From>,
  make: (value: From, node: DocumentNode, reader: Reader) => To | undefined,
): Kind<To> {
  return {
    label: kind.label,
    ...(kind.record ? { record: kind.record } : {}),
    schema: (shared) => kind.schema(shared),
    read(node, reader) {
      const value = kind.read(node, reader);
      return value === undefined ? undefined : make(value, node, reader);
    },
  };
}
