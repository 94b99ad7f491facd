// A structured request in Anthropic's terms: natively, by a forced tool for older models, or in words.
import type { JsonSchema, PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest } from '../port.ts';
import { toStrict } from '../shared/strict-schema.ts';
import type { StrictDialect, StrictSchema } from '../shared/strict-schema.ts';

/** Optional properties stay optional; of the constraints none is accepted, so they are told in the description. */
const DIALECT: StrictDialect = {
  optional: 'keep',
  constraints: new Set(),
  formats: new Set([
    'date-time',
    'time',
    'date',
    'duration',
    'email',
    'hostname',
    'uri',
    'ipv4',
    'ipv6',
    'uuid',
  ]),
};

/** Models from before `output_config.format`: Claude 2, 3.x, Sonnet 4 and Opus 4.0. */
const BEFORE_NATIVE = /^claude-(?:instant|v?[123])|^claude-(?:sonnet|opus)-4(?:-0|-2025\d{4})?$/;

export type StructuredMode =
  | { readonly kind: 'native'; readonly schema: JsonSchema }
  | { readonly kind: 'tool'; readonly name: string; readonly schema: JsonSchema }
  | { readonly kind: 'words'; readonly schema: JsonSchema };

/** Keyed by the schema object itself: a plan's schemas are frozen and shared by all its requests. */
const known = new WeakMap<JsonSchema, StrictSchema | null>();

/** null: plain text. `byTool`: the host knows no formats, which every host's tools can say. */
export function structuredMode(
  request: ModelRequest,
  lacks: PlanProvider['lacks'],
  byTool: boolean,
): StructuredMode | null {
  if (request.structured === null) return null;
  const { schema, name } = request.structured;
  if (lacks.includes('structuredOutput')) return { kind: 'words', schema };
  let strict = known.get(schema);
  if (strict === undefined) {
    strict = toStrict(schema, DIALECT) ?? null;
    known.set(schema, strict);
  }
  if (strict !== null && !byTool && !BEFORE_NATIVE.test(request.model))
    return { kind: 'native', schema: strict.schema };
  // A tool's input schema may be any object schema.
  if (schema['type'] === 'object') return { kind: 'tool', name: toolName(name), schema };
  return { kind: 'words', schema };
}

function toolName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'answer';
}
