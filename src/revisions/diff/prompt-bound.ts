// How many tokens a step's prompt can have, as far as the workflow says it: no tokenizer gives more tokens than a text has bytes.
import { viewOf } from '../../common/json-schema.ts';
import { canonicalJson, type JsonSchema } from '../../common/json.ts';
import type { PlanModelStep, PlanTask, Template } from '../../language/plan/types.ts';

/** A character has at most four bytes in UTF-8. */
const BYTES_PER_CHARACTER = 4;
/** Roles, separators, and the instruction for structured output. */
const OVERHEAD_TOKENS = 700;
/** The longest text of a number, a boolean or null. */
const SCALAR_BYTES = 32;

/** Infinity: it has a part whose length nothing bounds; then the model's context window is the bound. */
export function promptBound(task: PlanTask, step: PlanModelStep): number {
  const texts = [step.prompt, ...(step.system === null ? [] : [step.system])];
  const schema = step.structured === null ? 0 : Buffer.byteLength(canonicalJson(step.structured)) * 2;
  return OVERHEAD_TOKENS + schema + texts.reduce((sum, text) => sum + templateBytes(text, task), 0);
}

function templateBytes(template: Template, task: PlanTask): number {
  switch (template.kind) {
    case 'literal':
      return Buffer.byteLength(
        typeof template.value === 'string' ? template.value : canonicalJson(template.value),
      );
    case 'expression':
      return expressionBytes(template.source, task);
    case 'text':
      return template.parts.reduce(
        (sum, part) =>
          sum + (typeof part === 'string' ? Buffer.byteLength(part) : expressionBytes(part.source, task)),
        0,
      );
    case 'object':
    case 'list':
      return Infinity;
  }
}

const INPUT_FIELD = /^\s*input\.([A-Za-z_]\w*)\s*$/;
const TRUNCATED = /\.truncate\(\s*(\d{1,9})\s*\)\s*$/;

/** `input.name` by its schema, and whatever ends in `.truncate(n)`. */
function expressionBytes(source: string, task: PlanTask): number {
  const truncated = TRUNCATED.exec(source)?.[1];
  // Only where the whole expression is one chain of calls: an operator outside would have another operand.
  if (truncated !== undefined && !/[?+|&]/.test(source.replace(/"[^"]*"|'[^']*'/g, '')))
    return Number(truncated) * BYTES_PER_CHARACTER;
  const field = INPUT_FIELD.exec(source)?.[1];
  const schema = field === undefined ? undefined : viewOf(task.inputSchema).properties[field];
  return schema === undefined ? Infinity : valueBytes(schema);
}

function valueBytes(schema: JsonSchema): number {
  const { types, choices, nullable, schema: said } = viewOf(schema);
  if (choices)
    return Math.max(
      nullable ? SCALAR_BYTES : 0,
      ...choices.map((value) => Buffer.byteLength(typeof value === 'string' ? value : canonicalJson(value))),
    );
  const [type, ...others] = types;
  if (others.length > 0) return Infinity;
  if (type === 'integer' || type === 'number' || type === 'boolean') return SCALAR_BYTES;
  if (type !== 'string') return Infinity;
  if (typeof said['maxLength'] === 'number') return said['maxLength'] * BYTES_PER_CHARACTER;
  return said['format'] === 'date' || said['format'] === 'date-time' ? SCALAR_BYTES * 2 : Infinity;
}
