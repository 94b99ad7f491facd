// A typed environment: what the roots of an expression are, from the JSON Schemas of their values.
import type { JsonSchema } from '../../common/json.ts';
import { analyse } from './analyse.ts';
import { typeFromSchema } from './from-schema.ts';
import { Scope } from './scope.ts';
import type { Type } from './type.ts';
import type { EnvironmentShape } from './types.ts';

export interface Environment {
  readonly scope: Scope;
}

export function createEnvironment(shape: EnvironmentShape): Environment {
  const roots = new Map<string, Type>();
  for (const [name, schema] of Object.entries(shape.roots)) roots.set(name, typeFromSchema(schema));
  return { scope: new Scope(analyse, roots) };
}

const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const text: JsonSchema = { type: 'string' };

/** Who calls: from the API key. `tags` holds what the key and the call say. */
export const callerSchema: JsonSchema = object({
  name: text,
  team: { type: ['string', 'null'] },
  tier: { type: ['string', 'null'] },
  tags: { type: 'object', additionalProperties: text },
});

/** The rendered prompt of the step whose route is being chosen. */
export const promptSchema: JsonSchema = object({ tokens: { type: 'integer' } });

/** Why the provider ended the answer that `accept` judges: `length` is the limit of output tokens. */
export const finishSchema: JsonSchema = { type: 'string', enum: ['stop', 'length', 'other'] };

/** The moment the run started, in UTC. */
export const nowSchema: JsonSchema = object({
  date: { type: 'string', format: 'date' },
  time: { type: 'string', description: 'hh:mm:ss' },
  timestamp: { type: 'string', format: 'date-time' },
  epochMs: { type: 'integer' },
  weekday: {
    type: 'string',
    enum: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
  },
});

/** Environment variables: any name; null where it is not set. */
export const envSchema: JsonSchema = { type: 'object', additionalProperties: text };

/** The values of `now` for a moment. */
export function nowValues(epochMs: number): {
  date: string;
  time: string;
  timestamp: string;
  epochMs: number;
  weekday: string;
} {
  const moment = new Date(epochMs);
  const timestamp = moment.toISOString();
  const weekday = moment.toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' });
  return {
    date: timestamp.slice(0, 10),
    time: timestamp.slice(11, 19),
    timestamp,
    epochMs: Math.floor(epochMs),
    weekday,
  };
}

/** An object schema as it is once `names` have been filled in: they are there. */
export function presentSchema(schema: JsonSchema, names: readonly string[]): JsonSchema {
  if (names.length === 0) return schema;
  const before = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  return { ...schema, required: [...new Set([...before, ...names])] };
}
