// A structured request in OpenAI's terms: its strict dialect, made once per schema, or the schema in words.
import type { Json } from '../../../common/json.ts';
import type { JsonSchema, PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { toStrict } from '../shared/strict-schema.ts';
import type { StrictDialect, StrictSchema } from '../shared/strict-schema.ts';

const DIALECT: StrictDialect = {
  optional: 'nullable',
  constraints: new Set([
    'pattern',
    'multipleOf',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'minItems',
    'maxItems',
  ]),
  formats: new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']),
};

/** Keyed by the schema object itself: a plan's schemas are frozen and shared by all its requests. */
const known = new WeakMap<JsonSchema, StrictSchema | null>();

/** null: asked for in words, because the server lacks structured output or the schema cannot be said strictly. */
export function strictSchema(request: ModelRequest, lacks: PlanProvider['lacks']): StrictSchema | null {
  if (request.structured === null || lacks.includes('structuredOutput')) return null;
  const { schema } = request.structured;
  let strict = known.get(schema);
  if (strict === undefined) {
    strict = toStrict(schema, DIALECT) ?? null;
    known.set(schema, strict);
  }
  return strict;
}

export function restoreJson(request: ModelRequest, lacks: PlanProvider['lacks'], json: Json): Json {
  return strictSchema(request, lacks)?.undo(json) ?? json;
}

/** OpenAI allows letters, digits, dashes and underscores, 64 at most. */
export function schemaName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'answer';
}
