// The JSON Schema of a line of a traffic file; schema/traffic.json is this.
import type { JsonSchema } from '../common/json.ts';

export const TRAFFIC_VERSION = 1;

const NUMBER = { type: 'integer', minimum: 0 };
const TEXT = { type: 'string', maxLength: 1_024 };
const TEXT_OR_NULL = { type: ['string', 'null'], maxLength: 1_024 };

export const TRAFFIC_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A line of a Headgate traffic file, version 1',
  description:
    'The file is gzip of lines of JSON. The first is the header. Names, callers and models stand before the first line that refers to them, and are numbered from 0, each kind by itself. A list is a run.',
  oneOf: [
    {
      title: 'The header',
      type: 'object',
      properties: {
        headgate: { const: 'traffic' },
        version: { type: 'integer', minimum: 1 },
        fromMs: { type: 'number', description: 'Milliseconds since 1970; the first run counts from it.' },
        toMs: { type: 'number', description: 'Exclusive.' },
        hashed: { type: 'boolean', description: 'Callers, teams, tiers and tag values are hashes.' },
      },
      required: ['headgate', 'version', 'fromMs', 'toMs', 'hashed'],
      additionalProperties: false,
    },
    {
      title: 'The next name: of a task, a step, a rule or an outcome',
      type: 'object',
      properties: { name: TEXT },
      required: ['name'],
      additionalProperties: false,
    },
    {
      title: 'The next caller: name, team, tier, tags of the run',
      type: 'object',
      properties: {
        who: {
          type: 'array',
          prefixItems: [TEXT, TEXT_OR_NULL, TEXT_OR_NULL, { type: 'object', additionalProperties: TEXT }],
          minItems: 4,
          items: false,
        },
      },
      required: ['who'],
      additionalProperties: false,
    },
    {
      title: 'The next model: provider/model, and the start of the hash of its rates',
      type: 'object',
      properties: { model: { type: 'array', prefixItems: [TEXT, TEXT], minItems: 2, items: false } },
      required: ['model'],
      additionalProperties: false,
    },
    {
      title: 'A run',
      description:
        'Milliseconds since the run before; task; caller; input (0: a new one, n: equal to that of the run n lines before); outcome; latency in milliseconds; then its steps.',
      type: 'array',
      prefixItems: [{ type: 'integer' }, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER],
      minItems: 6,
      items: {
        title: 'A step',
        description:
          'Its path alone: its condition did not hold. Else the rule of its route (-1: nobody was called), and its attempts.',
        type: 'array',
        prefixItems: [NUMBER, { type: 'integer', minimum: -1 }],
        minItems: 1,
        items: {
          title: 'An attempt',
          description:
            'Model; outcome; input tokens; output tokens; latency in milliseconds; cost in nano-dollars; tokens held beyond those counted; milliseconds to the first token, plus 1 (0: not streamed); cached input tokens; cache write tokens; reasoning tokens. Zeros at the end are left out.',
          type: 'array',
          prefixItems: [
            NUMBER,
            NUMBER,
            NUMBER,
            NUMBER,
            NUMBER,
            { anyOf: [NUMBER, { type: 'string', pattern: '^[0-9]{1,19}$' }] },
            { type: 'integer' },
          ],
          minItems: 2,
          maxItems: 11,
          items: NUMBER,
        },
      },
    },
  ],
};
