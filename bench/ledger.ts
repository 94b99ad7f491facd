// The ledger: attempts a second beside bare node:sqlite in both modes, the event loop meanwhile, and a database of a million attempts.
//
//   node bench/ledger.ts [tiny|usual|full]
import { DAY_BY_DAY, benchLedger } from './support/ledger.ts';
import { askedSize, give, held, numberText, sized } from './support/report.ts';
import type { Line } from './support/report.ts';

const size = askedSize();
const attempts = sized(size, { tiny: 100, usual: 50_000, full: 200_000 });
const many = sized(size, { tiny: 100, usual: 1_000_000, full: 1_000_000 });
const { rawAttemptsPerSecond: raw, ledger, large } = await benchLedger(attempts, many);

const lines: Line[] = [];
for (const mode of ['full', 'normal'] as const) {
  const measured = ledger[mode];
  lines.push(
    {
      what: `attempts a second, opened and closed, synchronous ${mode}`,
      value: measured.attemptsPerSecond,
      unit: '/s',
      note: `bare inserts and updates ${numberText(raw[mode])}; ${numberText(measured.attemptsPerCommit)} attempts a commit`,
    },
    held(`beside bare node:sqlite, ${mode}`, measured.ratio, '×', { atLeast: 0.5 }),
    held(`event-loop delay p99 meanwhile, ${mode}`, measured.eventLoopDelayP99Ms, 'ms', { atMost: 10 }),
    { what: `CPU of the main thread an attempt, ${mode}`, value: measured.cpuMicrosPerAttempt, unit: 'µs' },
  );
}
lines.push(
  held(
    `start with ${numberText(large.attempts)} attempts`,
    large.openMs,
    'ms',
    { atMost: 1_000 },
    `${numberText(large.bytes / 2 ** 20)} MB`,
  ),
  held('costStats of a month, by provider and caller', large.statsMs, 'ms', { atMost: 10 }),
  ...Object.entries(large.firstStatsMs).map(([window, ms]): Line => ({
    what: `costStats, the first of ${window}`,
    value: ms,
    unit: 'ms',
  })),
  ...Object.entries(large.spansMs).map(([question, ms]) =>
    held(question, ms, 'ms', { atMost: question === DAY_BY_DAY ? 60 : 20 }),
  ),
  { what: 'a page of 50 runs, filtered', value: large.pageMs, unit: 'ms' },
);
give('ledger', size, lines);
