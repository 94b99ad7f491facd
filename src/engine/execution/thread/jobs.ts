// What a large text or input is worked on with: pure, and the same on this thread as on the other.
import type { ValidateFunction } from 'ajv';
import { canonicalJson, sha256Hex } from '../../../common/json.ts';
import type { Json, JsonObject, JsonSchema } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import type { PlanLoops, PlanStep } from '../../../language/plan/types.ts';
import type { LoopTrace } from '../../budget/guards/kinds/kind.ts';
import { loopTraces } from '../../budget/guards/loop.ts';
import { inputProblems, problemsLine } from '../input-problems.ts';
import type { Validators } from '../validators.ts';
import type { ChunkOptions } from '../steps/chunk.ts';
import { inexactCell, parseCsv } from '../steps/parse-csv.ts';
import { parseDiffText } from '../steps/parse-diff.ts';
import { parseEmail } from '../steps/parse-email.ts';
import { parseJsonText } from '../steps/parse-json.ts';

export type ParseFormat = Extract<PlanStep, { kind: 'parse' }>['format'];

export interface ParseJob {
  readonly kind: 'parse';
  readonly format: ParseFormat;
  readonly text: string;
  /** Of what a JSON or CSV text has to hold; null: anything. */
  readonly schema: JsonSchema | null;
}

/** What an input is known by: its hash, and what each loop guard compares of it. */
export interface IdentifyJob {
  readonly kind: 'identify';
  readonly input: JsonObject;
  readonly loops: PlanLoops | null;
}

export interface ChunkJob extends ChunkOptions {
  readonly kind: 'chunk';
  readonly text: string;
}

export interface CountJob {
  readonly kind: 'count';
  readonly texts: readonly string[];
}

export type Job = ParseJob | IdentifyJob | ChunkJob | CountJob;

export interface InputIdentity {
  readonly inputHash: string;
  readonly loopTraces: readonly LoopTrace[];
}

const PARSERS: {
  readonly [format in ParseFormat]: (text: string) => Outcome<Json, string> | Promise<Outcome<Json, string>>;
} = {
  email: parseEmail,
  diff: parseDiffText,
  json: parseJsonText,
  csv: parseCsv,
};

/** Fails with the reason, for people. `validate`: made of the schema; of texts where the cells of a CSV are to become what they are declared as. */
export async function parse(
  { format, text, schema }: Pick<ParseJob, 'format' | 'text' | 'schema'>,
  validate: ValidateFunction | null,
): Promise<Outcome<Json, string>> {
  const parsed = await PARSERS[format](text);
  if (!parsed.ok || schema === null || validate === null) return parsed;
  if (format === 'csv') {
    const inexact = inexactCell(parsed.value, schema);
    if (inexact !== undefined) return fail(inexact);
  }
  return validate(parsed.value) ? succeed(parsed.value) : fail(problemsLine(inputProblems(validate.errors)));
}

export function parseValidator(
  format: ParseFormat,
  schema: JsonSchema | null,
  validators: Validators,
): ValidateFunction | null {
  if (schema === null) return null;
  return format === 'csv' ? validators.texts(schema) : validators.output(schema);
}

export function identify({ input, loops }: Omit<IdentifyJob, 'kind'>): InputIdentity {
  const inputHash = sha256Hex(canonicalJson(input));
  return { inputHash, loopTraces: loopTraces(loops, input, inputHash) };
}
