// What can be wrong with an expression.
import type { Diagnostic } from './diagnostic.ts';

export const expressionDiagnostics: readonly Diagnostic[] = [
  {
    code: 'expression-syntax',
    severity: 'error',
    title: 'An expression that cannot be read',
    why: 'It is not CEL.',
    remedy: 'Check brackets, quotes and operators.',
  },
  {
    code: 'expression-as-text',
    severity: 'warning',
    title: 'A text that looks like an expression',
    why: 'Without `${{ }}` around it, it goes out as it is written: the model reads `input.text`, not what stands in it.',
    remedy: 'Write `${{ … }}` around it.',
  },
  {
    code: 'expression-too-large',
    severity: 'error',
    title: 'An expression that is too large',
    why: 'It could not be read, or evaluated, in bounded time.',
    remedy: 'Split the work over several steps.',
  },
  {
    code: 'expression-type',
    severity: 'error',
    title: 'Values that do not go together',
    why: 'The expression would fail on every run, or never hold.',
    remedy: 'Compare and combine values of one type; convert with `string(x)` or `int(x)`.',
  },
  {
    code: 'expression-may-be-null',
    severity: 'error',
    title: 'A value that may be null where none can be used',
    why: 'The run would fail whenever an optional field is absent or a step was skipped.',
    remedy: 'Say what to use then: `default(x, "")`; or ask first: `x != null && …`.',
  },
  {
    code: 'unknown-name',
    severity: 'error',
    title: 'A name that is not known in this place',
    why: 'The expression would fail on every run.',
    remedy: 'Use one of the names that the message lists.',
  },
  {
    code: 'unknown-field',
    severity: 'error',
    title: 'A field that the value does not have',
    why: 'The expression would fail, or be null, on every run.',
    remedy: 'Use the field that is meant; the message names the nearest.',
  },
  {
    code: 'unknown-function',
    severity: 'error',
    title: 'A function that there is not',
    why: 'The expression would fail on every run.',
    remedy: 'docs/reference/expressions.md lists the functions.',
  },
  {
    code: 'invalid-pattern',
    severity: 'error',
    title: 'A regular expression that cannot be used',
    why: 'Patterns run in time linear to the text (RE2), which leaves out look-around and back-references.',
    remedy: 'Write the pattern without them.',
  },
];
