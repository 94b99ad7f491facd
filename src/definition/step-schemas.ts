// What parse and chunk steps give: the schemas that expressions are typed with, beside the engine's own step code.
import type { JsonSchema } from '../common/json.ts';

const object = (properties: { readonly [name: string]: JsonSchema }): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const nullable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });

const text: JsonSchema = { type: 'string' };
const nullableText: JsonSchema = { type: ['string', 'null'] };
const integer: JsonSchema = { type: 'integer' };
const boolean: JsonSchema = { type: 'boolean' };

const address = object({
  /** '' where none is given. */
  name: text,
  /** '' where it cannot be read. */
  address: text,
});

const email = object({
  from: nullable(address),
  to: list(address),
  cc: list(address),
  replyTo: list(address),
  subject: text,
  /** null: none, or none that can be read. */
  date: { type: ['string', 'null'], format: 'date-time' },
  messageId: nullableText,
  inReplyTo: nullableText,
  /** The plain text; made of the HTML where there is no other. */
  text,
  attachments: list(object({ filename: nullableText, contentType: text, sizeBytes: integer })),
});

const diffFile = object({
  path: text,
  /** Before a rename, a copy or a deletion; else the same as `path`. */
  oldPath: text,
  status: { type: 'string', enum: ['added', 'deleted', 'modified', 'renamed', 'copied'] },
  /** The file's part of the diff. */
  patch: text,
  additions: integer,
  deletions: integer,
  binary: boolean,
  /** A lock file, minified, built, vendored, or marked as generated. */
  generated: boolean,
});

/** By `parse:` format. */
export const parseOutputSchemas: { readonly [format in 'email' | 'diff' | 'json' | 'csv']: JsonSchema } = {
  email,
  diff: list(diffFile),
  json: {},
  /** A record for each row, by the names of the first row. */
  csv: list({ type: 'object', additionalProperties: text }),
};

/** Pieces in order. `tokens` is the count of this piece; `start` is where it begins in the text, in UTF-16 code units. */
export const chunkOutputSchema: JsonSchema = list(
  object({ text, index: integer, start: integer, tokens: integer }),
);

/** A model step without `output:`. */
export const textOutputSchema: JsonSchema = object({ text });
