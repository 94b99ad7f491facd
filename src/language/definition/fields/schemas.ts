// The fields that hold schemas: a task's input, a step's output.
import { resolveReferences } from '../../../common/json-schema.ts';
import type { JsonSchema } from '../../../common/json.ts';
import { PLACEHOLDER_START } from '../../../common/placeholder.ts';
import type { DocumentNode, MapEntry, MapNode } from '../../document/types.ts';
import { keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { InputDefinition, LocatedSchema, LocatedTemplate } from '../types.ts';
import { valueTemplate } from './expressions.ts';
import { propertyName, readObject, readSchema } from './json-schema.ts';
import { show } from './kind.ts';
import type { Kind, SharedSchemas } from './kind.ts';

/** Shorthand for editors: what a person may write; the loader says the rest. */
function shorthandSchema(shared: SharedSchemas): JsonSchema {
  return shared.reference('Schema', () => ({
    description:
      'A type: string, integer, number, boolean, date, datetime, any; `?` after it: optional. A map is an object, a list of one an array of it, a list of texts a choice; or JSON Schema.',
    anyOf: [
      { type: 'string', pattern: '^(string|integer|number|boolean|date|datetime|any)(\\[\\])?\\??$' },
      { type: 'array', minItems: 1 },
      { type: 'object' },
    ],
  }));
}

export const outputSchema: Kind<LocatedSchema> = {
  label: 'schema: shorthand or JSON Schema',
  schema: shorthandSchema,
  read(node, reader) {
    const read = readSchema(node, reader);
    if (!read) return judgeDefaults({}, reader);
    if (read.optional)
      reader.report(
        'invalid-schema',
        node.at,
        'The whole output cannot be optional.',
        'Remove the `?`; a step that is skipped gives null.',
      );
    return { schema: wholeSchema(read.schema, node, reader), at: node.at };
  },
};

export const inputSchema: Kind<InputDefinition> = {
  label: 'map of fields to their schema: shorthand or JSON Schema',
  schema: (shared) => ({ type: 'object', additionalProperties: shorthandSchema(shared) }),
  read(node, reader) {
    if (node.kind === 'map') return readInput(node, reader);
    reader.report(
      'wrong-shape',
      node.at,
      `${show(node)} stands where the fields of the input are needed.`,
      'Write `input:` and, below it, `name: type` for each field.',
    );
    return undefined;
  },
};

function readInput(node: MapNode, reader: Reader): InputDefinition | undefined {
  const defaults: Record<string, LocatedTemplate> = {};
  const entries = node.entries.map((entry) => withoutComputedDefault(entry, defaults, reader));
  const schema = readObject(entries, reader);
  if (!schema) return judgeDefaults({}, reader);
  const names = Object.keys(defaults);
  const required = Array.isArray(schema['required'])
    ? (schema['required'] as readonly string[]).filter((name) => !names.includes(name))
    : [];
  const { required: _, ...rest } = schema;
  const written = { ...rest, ...(required.length > 0 ? { required } : {}) };
  const definition = { schema: wholeSchema(written, node, reader), defaults, at: node.at };
  return keepMemberPlaces(definition, node, (key) => propertyName(key).name);
}

/** What its references lead to stands in their place: nobody who reads the schema after this has to follow one. */
function wholeSchema(written: JsonSchema, node: DocumentNode, reader: Reader): JsonSchema {
  judgeDefaults(written, reader);
  const resolved = resolveReferences(written);
  if (resolved.ok) return resolved.value;
  const { reference, leads } = resolved.error;
  reader.report(
    'invalid-schema',
    referenceIn(node, reference)?.at ?? node.at,
    leads === 'nowhere'
      ? `\`$ref: ${reference}\` leads nowhere.`
      : `\`$ref: ${reference}\` leads back to itself and says nothing.`,
    'Write the schema out where it is needed; a reference starts at the whole schema, `#/properties/NAME`.',
  );
  return written;
}

function judgeDefaults(whole: JsonSchema, reader: Reader): undefined {
  for (const judge of reader.onceWhole.splice(0)) judge(whole);
}

function referenceIn(node: DocumentNode, wanted: string): DocumentNode | undefined {
  if (node.kind === 'scalar') return undefined;
  if (node.kind === 'list') return first(node.items.map((item) => referenceIn(item, wanted)));
  return first(
    node.entries.map(({ key, value }) =>
      key === '$ref' && value.kind === 'scalar' && value.value === wanted
        ? value
        : referenceIn(value, wanted),
    ),
  );
}

function first(nodes: readonly (DocumentNode | undefined)[]): DocumentNode | undefined {
  return nodes.find((node) => node !== undefined);
}

/** A default with `${{ }}` is computed for each run; JSON Schema knows only fixed ones. */
function withoutComputedDefault(
  entry: MapEntry,
  defaults: Record<string, LocatedTemplate>,
  reader: Reader,
): MapEntry {
  const { value } = entry;
  if (value.kind !== 'map') return entry;
  const found = value.entries.find(({ key }) => key === 'default');
  if (!found || !mentionsExpression(found.value)) return entry;
  const template = valueTemplate.read(found.value, reader);
  if (template) defaults[propertyName(entry.key).name] = template;
  return { ...entry, value: { ...value, entries: value.entries.filter(({ key }) => key !== 'default') } };
}

function mentionsExpression(node: DocumentNode): boolean {
  if (node.kind === 'scalar') return typeof node.value === 'string' && node.value.includes(PLACEHOLDER_START);
  return node.kind === 'list'
    ? node.items.some(mentionsExpression)
    : node.entries.some(({ value }) => mentionsExpression(value));
}
