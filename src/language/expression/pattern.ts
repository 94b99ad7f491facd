// Regular expressions in time linear to the text (RE2): a hostile pattern or text cannot stall the engine.
import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';

/** UTF-16 code units: what a pattern's counted repetitions can grow to is bounded by it and by RE2's own limit of 1,000. */
const MAX_PATTERN = 500;
const MAX_REPETITION = 1000;
const compiled = new LRUCache<string, RE2JS>({ max: 200 });

/** The pattern, ready; or the sentence that says what is wrong with it. */
export function compilePattern(source: string): RE2JS | string {
  const known = compiled.get(source);
  if (known) return known;
  if (source.length > MAX_PATTERN)
    return `The pattern has ${source.length} characters; at most ${MAX_PATTERN} are read`;
  if (repetition(source) > MAX_REPETITION)
    return `The pattern's counted repetitions multiply to more than ${MAX_REPETITION}`;
  try {
    const pattern = RE2JS.compile(source);
    compiled.set(source, pattern);
    return pattern;
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return `The pattern cannot be read: ${reason}`;
  }
}

/** A pattern of so few steps comes to few states, whatever the text. */
const FEW_STEPS = 50;
/** Steps of a pattern times characters of a text, each some 15 ns at worst. */
const MAX_WORK = 15_000_000;

/** Whether the pattern is found in the text; undefined: looking could take so long that others would wait, and was left. */
export function isFound(pattern: RE2JS, text: string): boolean | undefined {
  const steps = pattern.programSize();
  return steps > FEW_STEPS && steps * text.length > MAX_WORK ? undefined : pattern.test(text);
}

/**
 * For ajv: patterns of schemas. One that cannot be read has been reported by the language's check, and stands in no plan: it says nothing.
 * A text that is too long for its pattern does not fit it.
 */
export const linearTime = Object.assign(
  (pattern: string): { readonly test: (text: string) => boolean } => {
    const ready = compilePattern(pattern);
    return { test: (text) => typeof ready === 'string' || isFound(ready, text) === true };
  },
  { code: 'linearTime' },
);

/** The product of all counted repetitions: `(a{30}){40}` is a program of 1,200 steps. */
function repetition(source: string): number {
  let product = 1;
  for (const [, low, high] of source.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    product *= Math.max(1, Number(low), Number(high ?? 0));
  return product;
}
