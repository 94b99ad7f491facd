// A parse step: text → a value, in this process, at no cost.
import type { Json } from '../../../common/json.ts';
import { failed } from '../failure.ts';
import type { LinkedParseStep } from '../link.ts';
import type { EngineParts } from '../engine-parts.ts';
import { asText, valueOf } from '../values.ts';
import type { RunValues } from '../values.ts';

/** `signal`: of the step; a large text is worked on no longer than that. */
export async function runParseStep(
  { thread }: Pick<EngineParts, 'thread'>,
  { step, from, schema, validate }: LinkedParseStep,
  stepKey: string,
  values: RunValues,
  signal?: AbortSignal,
): Promise<Json> {
  const { format } = step;
  const text = asText(valueOf(from.evaluate(values), `from of step "${stepKey}"`, stepKey));
  const parsed = await thread.parse({ format, text, schema }, validate, signal);
  if (parsed.ok) return parsed.value;
  throw failed(
    'PARSE_FAILED',
    { step: stepKey, format, reason: parsed.error },
    { step: stepKey, details: { format } },
  );
}
