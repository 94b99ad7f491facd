// A parse step: text → a value, in this process, at no cost.
import type { Json } from '../../../common/json.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { failed } from '../failure.ts';
import { inputProblems, problemsLine } from '../input-problems.ts';
import type { LinkedParseStep } from '../link.ts';
import { asText, valueOf } from '../values.ts';
import type { RunValues } from '../values.ts';
import { parseCsv } from './parse-csv.ts';
import { parseDiffText } from './parse-diff.ts';
import { parseEmail } from './parse-email.ts';
import { parseJsonText } from './parse-json.ts';

const PARSERS: {
  readonly [format in LinkedParseStep['step']['format']]: (
    text: string,
  ) => Outcome<Json, string> | Promise<Outcome<Json, string>>;
} = {
  email: parseEmail,
  diff: parseDiffText,
  json: parseJsonText,
  csv: parseCsv,
};

export async function runParseStep(
  { step, from, validate }: LinkedParseStep,
  stepKey: string,
  values: RunValues,
): Promise<Json> {
  const text = asText(valueOf(from.evaluate(values), `from of step "${stepKey}"`, stepKey));
  const parsed = await PARSERS[step.format](text);
  if (parsed.ok && (validate === null || validate(parsed.value))) return parsed.value;
  const reason = parsed.ok ? problemsLine(inputProblems(validate?.errors)) : parsed.error;
  throw failed(
    'PARSE_FAILED',
    { step: stepKey, format: step.format, reason },
    { step: stepKey, details: { format: step.format } },
  );
}
