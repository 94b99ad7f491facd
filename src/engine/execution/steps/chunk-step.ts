// A chunk step: long text → pieces by tokens.
import type { Json } from '../../../common/json.ts';
import type { LinkedChunkStep } from '../link.ts';
import { loadTokenizer } from '../tokens.ts';
import { asText, valueOf } from '../values.ts';
import type { RunValues } from '../values.ts';
import { chunkText } from './chunk.ts';

export async function runChunkStep(
  { step, from }: LinkedChunkStep,
  stepKey: string,
  values: RunValues,
): Promise<Json> {
  const text = asText(valueOf(from.evaluate(values), `from of step "${stepKey}"`, stepKey));
  await loadTokenizer();
  return chunkText(text, { tokens: step.tokens, overlapTokens: step.overlapTokens });
}
