// --since, --until and the calendar: the span of time that a command asks about, and by what.
import { InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../common/clock.ts';
import { calendarWindow } from '../engine/budget/windows.ts';
import { parseDuration } from '../language/definition/fields/units.ts';
import { GROUP_DIMENSIONS } from '../ledger/rollup/dimensions.ts';
import type { StatsUnit, SpanRequest, StatsDimension } from '../ledger/stats/port.ts';
import { UsageError } from './io.ts';

const UNITS = ['hour', 'day', 'week', 'month'] as const satisfies readonly StatsUnit[];
/** Of TAG the key is named too. */
const DIMENSIONS: readonly StatsDimension[] = GROUP_DIMENSIONS.filter((name) => name !== 'TAG');

/** A time, or a date: midnight of it in the time zone. */
type Instant = number | string;

export interface SpanFlags {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly month?: { readonly year: number; readonly month: number };
  readonly calendar?: StatsUnit;
  readonly ago: number;
  readonly timeZone: string;
}

/** From one time to another. */
export const dateOptions = (): readonly Option[] => [
  new Option(
    '--since, --from <date>',
    'from then on: 2026-11-01, which is its midnight, a time in RFC 3339, or a duration before now: 36h',
  ).argParser(instant),
  new Option('--until, --to <date>', 'to then, exclusive').argParser(instant),
  new Option('--time-zone <zone>', 'of dates, months and calendar units: an IANA name').default('UTC'),
];

export const spanOptions = (): readonly Option[] => [
  ...dateOptions(),
  new Option('--month <month>', 'a calendar month: 2026-11').argParser(monthOf),
  new Option('--calendar <unit>', 'a whole hour, day, week or month').choices(UNITS),
  new Option('--ago <n>', 'of --calendar: 0 is the one that holds now, 1 the one before it')
    .default(0)
    .argParser(whole),
];

/** By what a command groups; `tagKey`: by TAG, the values of this tag alone. */
export interface Groups {
  readonly by: readonly StatsDimension[];
  readonly tagKey?: string;
}

export const byOption = (...absent: readonly StatsDimension[]): Option =>
  new Option(
    '--by <dimension>',
    'provider, model, task, caller, team, session, revision, status or tag:KEY; several with commas',
  )
    .default({ by: absent } satisfies Groups, absent.join(',').toLowerCase())
    .argParser((text): Groups => {
      const parts = text.split(',').map((part) => part.trim());
      const keys = parts.flatMap((part) => (/^tag:/i.test(part) ? [part.slice('tag:'.length)] : []));
      if (keys.length > 1 || keys.includes(''))
        throw new UsageError('--by tag: one tag by its key', 'Write --by tag:KEY, once.');
      return {
        by: parts.map((part) => (/^tag:/i.test(part) ? 'TAG' : dimensionOf(part))),
        ...(keys[0] === undefined ? {} : { tagKey: keys[0] }),
      };
    });

function dimensionOf(text: string): StatsDimension {
  const found = DIMENSIONS.find((dimension) => dimension === text.toUpperCase());
  if (found === undefined)
    throw new UsageError(
      `--by ${text}: not one of ${DIMENSIONS.join(', ').toLowerCase()}, tag:KEY`,
      'Choose one of them.',
    );
  return found;
}

/** Nothing given: `absent`. */
export function spanOfFlags(flags: SpanFlags, absent: SpanRequest): SpanRequest {
  const { from, to, month, calendar, ago, timeZone } = flags;
  const ways = [month, calendar, from ?? to].filter((way) => way !== undefined);
  if (ways.length > 1)
    throw new UsageError(
      'a span is a month, a calendar unit, or from one time to another; these are several',
      'Give --month, or --calendar, or --from and --to.',
    );
  if (month !== undefined) return wholeMonth(month, timeZone);
  if (calendar !== undefined) return { calendar, ago, timeZone };
  if (from === undefined && to === undefined) return absent;
  return {
    ...(from === undefined ? {} : { fromMs: msOf(from, timeZone) }),
    ...(to === undefined ? {} : { toMs: msOf(to, timeZone) }),
  };
}

/** Midnight to midnight in the time zone. */
function wholeMonth({ year, month }: { year: number; month: number }, timeZone: string): SpanRequest {
  // The middle of the month is in it everywhere on earth.
  const { startMs, endMs } = windowAt('month', timeZone, Date.UTC(year, month - 1, 15, 12));
  return { fromMs: startMs, toMs: endMs };
}

function msOf(instantOrDate: Instant, timeZone: string): number {
  if (typeof instantOrDate === 'number') return instantOrDate;
  // Noon in London is the same date in most of the world, and a day off at the most.
  const noonMs = Date.parse(`${instantOrDate}T12:00:00Z`);
  const local = new Intl.DateTimeFormat('en-CA', { timeZone: checkedZone(timeZone), dateStyle: 'short' });
  for (const days of [0, -1, 1]) {
    const { startMs } = windowAt('day', timeZone, noonMs + days * DAY_MS);
    if (local.format(startMs) === instantOrDate) return startMs;
  }
  throw new UsageError(`there is no ${instantOrDate} in ${timeZone}`, 'Give another date.');
}

const DAY_MS = 86_400_000;

function windowAt(unit: 'day' | 'month', timeZone: string, atMs: number): { startMs: number; endMs: number } {
  return calendarWindow(unit, checkedZone(timeZone), atMs);
}

function checkedZone(timeZone: string): string {
  try {
    void new Intl.DateTimeFormat('en', { timeZone });
    return timeZone;
  } catch {
    throw new UsageError(`--time-zone ${timeZone}: not a time zone`, 'Write an IANA name: Europe/Berlin.');
  }
}

function monthOf(text: string): { readonly year: number; readonly month: number } {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (year === undefined) throw new InvalidArgumentError('A month is written like 2026-11.');
  return { year: Number(year), month: Number(month) };
}

const isoOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** The same, as the API takes it. */
export function spanInput({ fromMs, toMs, calendar, ago, timeZone, window }: SpanRequest) {
  const unit = calendar?.toUpperCase() as 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | undefined;
  return {
    from: isoOf(fromMs),
    to: isoOf(toMs),
    calendar: unit ?? null,
    ago: ago ?? null,
    timeZone: timeZone ?? null,
    window: window ?? null,
  };
}

export const groupInput = ({ by, tagKey }: Groups) => ({ by: [...by], tagKey: tagKey ?? null });

function instant(text: string): Instant {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(Date.parse(text)).toJSON()?.startsWith(text)) return text;
  const ms = /^\d{4}-\d{2}-\d{2}T./.test(text) ? Date.parse(text) : before(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(
      'A date is written like 2026-11-01 or 2026-11-01T09:30:00Z, a duration before now like 36h or 7d.',
    );
  return ms;
}

function before(duration: string): number {
  const ms = parseDuration(duration);
  return ms === undefined ? Number.NaN : systemClock.nowMs() - ms;
}

function whole(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('A whole number from 0 is needed.');
  return Number(text);
}
