// Dates of e-mails mean the same on every machine.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDate } from '../../../../src/engine/execution/steps/email/date.ts';

const iso = (written: string): string | null => {
  const atMs = readDate(written);
  return atMs === null ? null : new Date(atMs).toISOString();
};

describe('the date of an e-mail', () => {
  test.each([
    ['Mon, 2 Mar 2026 10:00:00 +0100', '2026-03-02T09:00:00.000Z'],
    ['Fri, 21 Nov 97 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z'],
    ['2 Mar 26 10:00 EST', '2026-03-02T15:00:00.000Z'],
    ['Mon, 2 Mar 2026 10:00:00', '2026-03-02T10:00:00.000Z'],
    ['Mon, 2 Mar 2026 10:00:00 GMT+0100 (CET (summer))', '2026-03-02T09:00:00.000Z'],
    ['Mon Mar  2 10:00:00 2026', '2026-03-02T10:00:00.000Z'],
    ['Mon Mar  2 10:00:00 CET 2026', '2026-03-02T09:00:00.000Z'],
    ['Mar 2, 2026 10:00:00 PM', '2026-03-02T22:00:00.000Z'],
    ['2026-03-02T10:00:00.250Z', '2026-03-02T10:00:00.000Z'],
    ['2026-03-02 10:00:00 -05:30', '2026-03-02T15:30:00.000Z'],
    ['Tue, 31 Dec 99 23:59:60 -0000', '1999-12-31T23:59:59.000Z'],
    ['Sat, 29 Feb 2028 00:00:00 XYZ', '2028-02-29T00:00:00.000Z'],
    ['Mon, 30 Feb 2026 10:00:00 +0000', null],
    ['Mon, 2 Mar 2026 25:00:00 +0000', null],
    ['Mon, 2 Mar 2026 10:00:00 +9900', null],
    ['see 2026', null],
    ['soon', null],
    ['', null],
    ['('.repeat(60_000), null],
  ])('%s', (written, right) => {
    expect(iso(written)).toBe(right);
  });

  test('is read back from what every program writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, zone) => {
          const seconds = new Date(Math.floor(date.getTime() / 1000) * 1000);
          const local = new Date(seconds.getTime() + zone * 60_000).toUTCString().replace(' GMT', '');
          const sign = zone < 0 ? '-' : '+';
          const hours = String(Math.floor(Math.abs(zone) / 60)).padStart(2, '0');
          const minutes = String(Math.abs(zone) % 60).padStart(2, '0');
          expect(iso(`${local} ${sign}${hours}${minutes}`)).toBe(seconds.toISOString());
        },
      ),
    );
  });

  test('is a date or none, of any text', () => {
    const sign = fc.constantFrom(
      'Mon',
      ',',
      ' ',
      '2',
      'Mar',
      '2026',
      ':',
      '+',
      '-',
      '(',
      ')',
      '\\',
      'T',
      'Z',
      '10:00',
      'pm',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(sign).map((signs) => signs.join('')),
        ),
        (written) => {
          const atMs = readDate(written);
          expect(atMs === null || Number.isFinite(atMs)).toBe(true);
        },
      ),
    );
  });
});
