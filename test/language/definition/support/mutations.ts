// Texts made of real ones: a piece left out, doubled, swapped, or something odd put in.
import fc from 'fast-check';

const ODD = [
  '${{',
  '}}',
  '"',
  "'",
  '|',
  '>-',
  '&a ',
  '*a',
  '<<: ',
  '!!str ',
  '\t',
  '- ',
  '? ',
  ': ',
  '{',
  '}',
  '[',
  ']',
  '#',
  '\n',
  '\n  ',
  '\r\n',
  '\u0000',
  '\uFEFF',
  '---\n',
  '...\n',
  '%TAG ! x\n',
  '__proto__: ',
  'constructor: ',
  '\ud83d',
  '9'.repeat(400),
  '~',
  '0x',
  '.inf',
  '$-1',
  '1e999',
];

interface Change {
  readonly at: number;
  readonly length: number;
  readonly put: string;
}

/** Between 0 and 1: where in the text, whatever its length. */
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 40 }),
  put: fc.oneof(fc.constantFrom('', ...ODD), fc.string({ maxLength: 6 })),
});

export function mutatedText(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 5 }))
    .map(([text, changes]) => changes.reduce(apply, text));
}

function apply(text: string, { at, length, put }: Change): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + put + text.slice(start + length);
}
