// What steps without a model give: the schemas that expressions over them are checked against.
import { withoutReferences } from '../../common/json-schema.ts';
import type { JsonSchema } from '../../common/json.ts';
import type { ParseStepDefinition } from './types.ts';

const text: JsonSchema = { type: 'string' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const textOrNull: JsonSchema = { type: ['string', 'null'] };

function object(properties: { readonly [name: string]: JsonSchema }): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const address = object({ name: text, address: text });
const addresses: JsonSchema = { type: 'array', items: address };

export const emailSchema: JsonSchema = object({
  from: { anyOf: [address, { type: 'null' }] },
  to: addresses,
  cc: addresses,
  replyTo: addresses,
  subject: text,
  date: { type: ['string', 'null'], format: 'date-time' },
  messageId: textOrNull,
  inReplyTo: textOrNull,
  text: { type: 'string', description: 'Plain text; of HTML-only mail, the text of the HTML.' },
  attachments: {
    type: 'array',
    items: object({ filename: textOrNull, contentType: text, sizeBytes: count }),
  },
});

/** One of a diff's files. */
export const diffFileSchema: JsonSchema = object({
  path: text,
  oldPath: text,
  status: { enum: ['added', 'deleted', 'modified', 'renamed', 'copied'] },
  patch: { type: 'string', description: "This file's part of the diff." },
  additions: count,
  deletions: count,
  binary: { type: 'boolean' },
  generated: { type: 'boolean', description: 'Lock files, build output, and files that say so themselves.' },
});

/** One piece of a long text. */
export const chunkSchema: JsonSchema = object({ index: count, text, start: count, tokens: count });

/** What a model step without `output` gives. */
export const answerTextSchema: JsonSchema = object({ text });

export function parseStepSchema(step: ParseStepDefinition): JsonSchema {
  switch (step.format) {
    case 'email':
      return emailSchema;
    case 'diff':
      return { type: 'array', items: diffFileSchema };
    case 'json':
      return step.output?.schema ?? {};
    case 'csv':
      return {
        type: 'array',
        items: step.output
          ? withoutReferences(step.output.schema)
          : { type: 'object', additionalProperties: text },
      };
  }
}
