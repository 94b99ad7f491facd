// The keywords of JSON Schema 2020-12 that the language takes, and what each holds.
import { SUBSCHEMAS } from '../../../common/json-schema.ts';
import type { DocumentNode } from '../../document/types.ts';

export type KeywordShape =
  | 'schema'
  | 'schemas'
  | 'schema map'
  | 'value'
  | 'text'
  | 'count'
  | 'number'
  | 'flag'
  | 'texts'
  | 'values'
  | 'type'
  | 'format';

export const KEYWORDS: ReadonlyMap<string, KeywordShape> = new Map<string, KeywordShape>([
  ...Object.entries(SUBSCHEMAS),
  ['type', 'type'],
  ['enum', 'values'],
  ['const', 'value'],
  ['default', 'value'],
  ['title', 'text'],
  ['description', 'text'],
  ['examples', 'values'],
  ['deprecated', 'flag'],
  ['format', 'format'],
  ['pattern', 'text'],
  ['minLength', 'count'],
  ['maxLength', 'count'],
  ['contentMediaType', 'text'],
  ['contentEncoding', 'text'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['multipleOf', 'number'],
  ['minItems', 'count'],
  ['maxItems', 'count'],
  ['uniqueItems', 'flag'],
  ['required', 'texts'],
  ['minProperties', 'count'],
  ['maxProperties', 'count'],
  ['$ref', 'text'],
]);

const OF_TEXTS = ['minLength', 'maxLength', 'pattern', 'format', 'contentMediaType', 'contentEncoding'];
const OF_NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];
const OF_LISTS = ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains'];
const OF_OBJECTS = [
  'properties',
  'required',
  'additionalProperties',
  'minProperties',
  'maxProperties',
  'propertyNames',
];
const OF_ONE_TYPE = [OF_TEXTS, OF_NUMBERS, OF_LISTS, OF_OBJECTS];
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  string: OF_TEXTS,
  integer: OF_NUMBERS,
  number: OF_NUMBERS,
  boolean: [],
  array: OF_LISTS,
  object: OF_OBJECTS,
};

/** Whether the keyword says nothing of values of the type: JSON Schema passes over it in silence. */
export function isIdle(keyword: string, type: string): boolean {
  const own = Object.hasOwn(OF_TYPE, type) ? OF_TYPE[type] : undefined;
  return own !== undefined && !own.includes(keyword) && OF_ONE_TYPE.some((some) => some.includes(keyword));
}

const FORMATS = [
  'date',
  'date-time',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'regex',
  'json-pointer',
];
const TYPES = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'null'];

/** What the keyword takes, when the value is something else; `undefined` when it is right. */
export function wrongKeywordValue(key: string, node: DocumentNode): string | undefined {
  const scalar = node.kind === 'scalar' ? node.value : undefined;
  switch (KEYWORDS.get(key)) {
    case 'text':
      return typeof scalar === 'string' ? undefined : 'a text';
    case 'count':
      return typeof scalar === 'number' && Number.isSafeInteger(scalar) && scalar >= 0
        ? undefined
        : 'a whole number';
    case 'number':
      return typeof scalar === 'number' ? undefined : 'a number';
    case 'flag':
      return typeof scalar === 'boolean' ? undefined : '`true` or `false`';
    case 'texts':
      return node.kind === 'list' &&
        node.items.every((item) => item.kind === 'scalar' && typeof item.value === 'string')
        ? undefined
        : 'a list of texts';
    case 'values':
      return node.kind === 'list' && node.items.length > 0 ? undefined : 'a list of values';
    case 'schemas':
      return 'a list of schemas';
    case 'schema map':
      return 'a map of names to schemas';
    case 'type':
      return isType(node)
        ? undefined
        : `one of ${TYPES.map((type) => `\`${type}\``).join(', ')}, or a list of them`;
    case 'format':
      return typeof scalar === 'string' && FORMATS.includes(scalar)
        ? undefined
        : `one of ${FORMATS.map((format) => `\`${format}\``).join(', ')}`;
    default:
      return undefined;
  }
}

function isType(node: DocumentNode): boolean {
  if (node.kind === 'scalar') return typeof node.value === 'string' && TYPES.includes(node.value);
  return (
    node.kind === 'list' &&
    node.items.length > 0 &&
    node.items.every((item) => item.kind === 'scalar' && isType(item))
  );
}
