// Whether a written value fits a schema: a default, the input of a test.
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { resolveReferences } from '../../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../../common/json.ts';
import { createAjv } from '../ajv.ts';

/** The library keeps a little of each schema even when it is told to forget it: a fresh one now and then bounds that (INV-14). */
const MAX_USES = 250;
let shared: Ajv2020 | undefined;
let uses = 0;

function validator(): Ajv2020 {
  uses += 1;
  if (!shared || uses > MAX_USES) {
    uses = 1;
    shared = createAjv();
  }
  return shared;
}

/** What is wrong with the value, to follow "it"; `undefined` when it fits. `root`: the whole that references of the schema start at. */
export function misfit(part: JsonSchema, value: Json, root: JsonSchema = part): string | undefined {
  const resolved = resolveReferences(root, part);
  if (!resolved.ok) return undefined; // it is told where it stands
  const schema = resolved.value;
  const key = JSON.stringify([schema, value]);
  const known = judged.get(key);
  if (known) return known.problem;
  const problem = judge(schema, value);
  if (judged.size >= MAX_JUDGED) judged.clear();
  judged.set(key, { problem });
  return problem;
}

/** A reload reads the same defaults again: compiling their schemas again would cost time and code that the process keeps (INV-14). */
const MAX_JUDGED = 2000;
const judged = new Map<string, { readonly problem: string | undefined }>();

function judge(schema: JsonSchema, value: Json): string | undefined {
  const ajv = validator();
  const own = { ...schema };
  try {
    const validate = ajv.compile(own);
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    const at = error?.instancePath ? `${error.instancePath.slice(1).replaceAll('/', '.')}: ` : '';
    return `${at}${error?.message ?? 'does not fit'}${choices(error?.params)}`;
  } finally {
    ajv.removeSchema(own);
  }
}

function choices(params: unknown): string {
  const { allowedValues } = (params ?? {}) as { readonly allowedValues?: readonly Json[] };
  return allowedValues ? `: ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}` : '';
}
