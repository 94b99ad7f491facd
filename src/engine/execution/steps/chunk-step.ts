// A chunk step: long text → pieces by tokens.
import type { Json } from '../../../common/json.ts';
import { failed } from '../failure.ts';
import type { LinkedChunkStep } from '../link.ts';
import type { EngineParts } from '../engine-parts.ts';
import { asText, valueOf } from '../values.ts';
import type { RunValues } from '../values.ts';

/** `signal`: of the step; a large text is worked on no longer than that. */
export async function runChunkStep(
  { thread }: Pick<EngineParts, 'thread'>,
  { step, from }: LinkedChunkStep,
  stepKey: string,
  values: RunValues,
  signal?: AbortSignal,
): Promise<Json> {
  const text = asText(valueOf(from.evaluate(values), `from of step "${stepKey}"`, stepKey));
  const { tokens, overlapTokens } = step;
  const cut = await thread.chunk({ text, tokens, overlapTokens }, signal);
  if (cut.ok) return cut.value;
  throw failed(
    'PARSE_FAILED',
    { step: stepKey, format: 'chunks', reason: cut.error },
    { step: stepKey, details: { format: 'chunks' } },
  );
}
