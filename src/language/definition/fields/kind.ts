// What a field of the language can hold: one object that reads it, gives its JSON Schema, and names it on the reference page.
import type { JsonSchema } from '../../../common/json.ts';
import type { DocumentNode, ScalarNode } from '../../document/types.ts';
import type { Reader } from '../reader.ts';

export interface Kind<Value> {
  /** For the reference page: `a duration such as 30s`. */
  readonly label: string;
  /** `undefined`: the value is wrong, and the reader has been told why. */
  read(node: DocumentNode, reader: Reader): Value | undefined;
  schema(shared: SharedSchemas): JsonSchema;
  /** The record it is made of, for a table of its own on the reference page. */
  readonly record?: RecordInfo;
}

/** Schemas by name, so that each record stands once under `$defs`. */
export interface SharedSchemas {
  reference(name: string, schema: () => JsonSchema): JsonSchema;
}

/** What the reference page says of a record. */
export interface RecordInfo {
  readonly name: string;
  readonly summary: string;
  readonly fields: readonly FieldInfo[];
}
export interface FieldInfo {
  readonly key: string;
  readonly label: string;
  readonly required: boolean;
  /** What it means, its unit, and the consequence. */
  readonly doc: string;
  /** What holds when it is left out. */
  readonly whenAbsent: string | null;
  readonly record: RecordInfo | null;
}

export interface ScalarOptions<Value> {
  readonly label: string;
  /** `a duration`, for `… is not a duration`. */
  readonly noun: string;
  readonly schema: JsonSchema;
  /** What to write instead; of the very value, where that can be said. */
  readonly remedy: string | ((node: DocumentNode) => string);
  parse(node: ScalarNode): Value | undefined;
}

/** A kind that is one scalar; `parse` gives `undefined` for what it does not take. */
export function scalar<Value>(options: ScalarOptions<Value>): Kind<Value> {
  return {
    label: options.label,
    schema: () => options.schema,
    read(node, reader) {
      const value = node.kind === 'scalar' ? options.parse(node) : undefined;
      if (value === undefined)
        reader.report(
          'invalid-value',
          node.at,
          `${show(node)} is not ${options.noun}.`,
          remedyFor(node, options),
        );
      return value;
    },
  };
}

function remedyFor<Value>(node: DocumentNode, { remedy }: ScalarOptions<Value>): string {
  return typeof remedy === 'string' ? remedy : remedy(node);
}

/** A value as it stands in the file, for messages. */
export function show(node: DocumentNode): string {
  if (node.kind === 'map') return 'A map';
  if (node.kind === 'list') return 'A list';
  if (node.value === null) return 'Nothing';
  const text = typeof node.value === 'string' ? quotedWhereItMatters(node.value) : node.text;
  return `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}

/** `"2"` is a text because of its quotes: without them it would look right. */
function quotedWhereItMatters(value: string): string {
  return /^(?:-?\d+(?:\.\d+)?|true|false|null)$/.test(value) ? `"${value}"` : value;
}
