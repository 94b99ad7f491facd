// --since, --until and the calendar: the span of time that a command asks about, and by what.
import { InvalidArgumentError, Option } from 'commander';
import type { CalendarUnit, SpanRequest, StatsDimension } from '../ledger/stats/port.ts';
import { UsageError } from './io.ts';

const UNITS = ['hour', 'day', 'week', 'month'] as const satisfies readonly CalendarUnit[];
const DIMENSIONS: readonly StatsDimension[] = [
  'PROVIDER',
  'MODEL',
  'TASK',
  'CALLER',
  'TEAM',
  'SESSION',
  'REVISION',
  'STATUS',
];

export interface SpanFlags {
  readonly since?: number;
  readonly until?: number;
  readonly calendar?: CalendarUnit;
  readonly ago: number;
  readonly timeZone: string;
}

export const spanOptions = (): readonly Option[] => [
  new Option('--since <date>', 'from then on: 2026-11-01, or a time in RFC 3339').argParser(instant),
  new Option('--until <date>', 'to then, exclusive').argParser(instant),
  new Option('--calendar <unit>', 'a whole hour, day, week or month').choices(UNITS),
  new Option('--ago <n>', 'of --calendar: 0 is the one that holds now, 1 the one before it')
    .default(0)
    .argParser(whole),
  new Option('--time-zone <zone>', 'of --calendar: an IANA name').default('UTC'),
];

export const byOption = (absent: readonly StatsDimension[]): Option =>
  new Option(
    '--by <dimension>',
    'provider, model, task, caller, team, session, revision or status; several with commas',
  )
    .default(absent, absent.join(',').toLowerCase())
    .argParser((text) =>
      text.split(',').map((part) => {
        const found = DIMENSIONS.find((dimension) => dimension === part.trim().toUpperCase());
        if (found === undefined)
          throw new UsageError(
            `--by ${part}: not one of ${DIMENSIONS.join(', ').toLowerCase()}`,
            'Choose one of them.',
          );
        return found;
      }),
    );

/** Nothing given: `absent`. */
export function spanOfFlags(flags: SpanFlags, absent: SpanRequest): SpanRequest {
  const { since, until, calendar, ago, timeZone } = flags;
  if (calendar !== undefined) return { calendar, ago, timeZone };
  if (since === undefined && until === undefined) return absent;
  return {
    ...(since === undefined ? {} : { fromMs: since }),
    ...(until === undefined ? {} : { toMs: until }),
  };
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

function instant(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('A date is written like 2026-11-01, or 2026-11-01T09:30:00Z.');
  return ms;
}

function whole(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('A whole number from 0 is needed.');
  return Number(text);
}
