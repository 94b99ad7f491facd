// Time zones: the offset from UTC at an instant, and the first instant of a local date, across every kind of clock change.

const HOUR_MS = 3_600_000;
/** Offsets reach from -12 h to +14 h; this far on each side of a UTC midnight lies at most one clock change. */
const SPAN_MS = 26 * HOUR_MS;

/** There are some six hundred, but a name may be spelt in many ways, and each offset is one too (INV-14). */
const MOST_FORMATS = 600;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size >= MOST_FORMATS) formats.clear();
    formats.set(timeZone, format);
  }
  return format;
}

/** What has to be added to UTC to get local time, in milliseconds, at this instant. Throws a RangeError for a zone that Intl does not know. */
export function offsetMs(timeZone: string, atMs: number): number {
  if (timeZone === 'UTC') return 0;
  const wholeSecondMs = Math.floor(atMs / 1000) * 1000;
  const field: Record<string, number> = {};
  for (const part of formatOf(timeZone).formatToParts(wholeSecondMs)) field[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecondMs;
}

/** The instant in (fromMs, toMs] at which the zone's offset becomes what it is at `toMs`; the offsets at both ends must differ. */
export function offsetChangeMs(timeZone: string, fromMs: number, toMs: number): number {
  const after = offsetMs(timeZone, toMs);
  let low = Math.floor(fromMs);
  let high = Math.ceil(toMs);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(timeZone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The first instant at which the local date is `dateMs` (a UTC midnight standing for a local date) or later. A midnight that a clock
 * change skips begins with the change; one that happens twice begins with the first. So days follow each other without gap or overlap.
 */
export function startOfLocalDateMs(timeZone: string, dateMs: number): number {
  const before = offsetMs(timeZone, dateMs - SPAN_MS);
  const after = offsetMs(timeZone, dateMs + SPAN_MS);
  if (before === after) return dateMs - before;
  const changeMs = offsetChangeMs(timeZone, dateMs - SPAN_MS, dateMs + SPAN_MS);
  return dateMs - before < changeMs ? dateMs - before : Math.max(changeMs, dateMs - after);
}
