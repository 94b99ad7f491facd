// Redaction takes out what names a person or opens a door, and stays quick on hostile text.
import { describe, expect, it } from 'vitest';
import { redactJson, redactText } from '../../src/common/redact-text.ts';

describe('redaction', () => {
  it.each([
    ['write to ana@example.com today', 'write to [email] today'],
    ['call +1 (555) 010-4477 now', 'call [number] now'],
    ['card 4111 1111 1111 1111.', 'card [number].'],
    ['pay DE89 3704 0044 0532 0130 00', 'pay [account]'],
    [`key sk-${'a1'.repeat(12)}`, 'key [secret]'],
    ['Authorization: Bearer abc.def-ghi_jkl', 'Authorization: Bearer [secret]'],
    ['from 192.168.10.24', 'from [address]'],
    ['on 2026-11-22 at 10:30, 42 items for $19.99', 'on 2026-11-22 at 10:30, 42 items for $19.99'],
  ])('%s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it('keeps the shape of a value', () => {
    expect(redactJson({ to: ['a@b.co', 3, null], deep: { text: 'x' } })).toEqual({
      to: ['[email]', 3, null],
      deep: { text: 'x' },
    });
  });

  it('takes time in proportion to the text, whatever the text', () => {
    for (const piece of ['a', '1', '1 ', 'a.', 'AB12 ', '1.', 'sk-', '@', 'eyJ']) {
      const text = piece.repeat(200_000 / piece.length);
      expect(redactText(text).length).toBeLessThan(2 * text.length);
    }
  });
});
