// Thinking that a model writes into its text, in pieces.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WithoutThinking, withoutThinking } from '../../../../src/engine/providers/shared/thinking.ts';

function shown(pieces: readonly string[]): string {
  const filter = new WithoutThinking();
  return pieces.map((piece) => filter.push(piece)).join('') + filter.end();
}

describe('a text without its thinking', () => {
  it('is the same however it is cut', () => {
    const word = fc.constantFrom(' ', '\n', '<think>', '</think>', '<', 'a', '`', '{');
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const text = words.join('');
        expect(shown(text.split(''))).toBe(shown([text]));
      }),
    );
  });

  it('looks at each piece once where a model writes white space without end', () => {
    expect(shown(Array.from({ length: 300_000 }, () => '\n'))).toHaveLength(300_000);
    expect(withoutThinking(`${'\n'.repeat(300_000)}<think>no</think>yes`)).toBe('yes');
  });
});
