// How many pages a PDF has, whoever wrote it.
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pdfPages } from '../../../../src/engine/execution/exchange/pdf-pages.ts';

const base64 = (...parts: readonly (string | Buffer)[]): string =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString('base64');
const group = (objects: string): readonly (string | Buffer)[] => [
  '/Type /ObjStm >> stream\n',
  zlib.deflateSync(objects),
  'endstream\n',
];

describe('the pages of a PDF', () => {
  it('are those of its plain objects and of those that are packed, or what it says', () => {
    expect(
      pdfPages(base64('%PDF /Type /Page x ', ...group('/Type /Page /Type/Page'), ...group('/Type /Page'))),
    ).toBe(4);
    expect(pdfPages(base64('%PDF /Type /Pages /Count 7 '))).toBe(7);
  });

  it('INV-14: are counted in bounded time, where groups begin without end, unpack without end, or counts are many', () => {
    expect(pdfPages(base64('/Type /ObjStm stream\n'.repeat(100_000)))).toBe(1_000);
    const packed = group(' '.repeat(4_000_000));
    const bomb = base64(...Array.from({ length: 700 }, () => packed).flat());
    expect(pdfPages(bomb)).toBeGreaterThan(0);
    expect(pdfPages(base64('/Count 12 '.repeat(200_000)))).toBe(12);
  });
});
