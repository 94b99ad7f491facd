// Spans as people ask for them: a calendar day, week or month in a time zone, a rolling window, or any two instants.
import { HeadgateError } from '../../errors/headgate-error.ts';
import { calendarWindow, earlierWindow } from '../../engine/budget/windows.ts';
import type { TimeSpan } from '../rollup/span.ts';
import type { StatsUnit, SpanRequest } from './port.ts';
import { windowStartMs } from './window.ts';

/** Beyond every row: what is open is read to the end, not to this millisecond, so that its edge falls on whole buckets. */
const END_MS = Number.MAX_SAFE_INTEGER;
const BEGINNING_MS = 0;
/** Four centuries, but for hours: of years before the first no zone tells anything. */
const MOST_AGO: { readonly [unit in StatsUnit]: number } = {
  hour: 150_000,
  day: 150_000,
  week: 20_000,
  month: 4_800,
};
const MOST_PARTS = 1000;

/** Throws SPAN_INVALID for what is no span. */
export function spanOf(request: SpanRequest, nowMs: number): TimeSpan {
  const { fromMs, toMs, calendar, ago, window, timeZone = 'UTC' } = request;
  const ways = [calendar, window, fromMs ?? toMs].filter((way) => way !== undefined);
  if (ways.length > 1)
    throw invalid(
      'A span is a calendar unit, or a window, or an instant from and one to; these are several.',
      'Ask for one of them.',
    );
  checkZone(timeZone);
  if (calendar !== undefined) {
    return calendarSpan(calendar, timeZone, ago ?? 0, nowMs);
  }
  if (ago !== undefined && ago !== 0)
    throw invalid('`ago` counts calendar units, and no unit is asked for.', 'Ask for one: `calendar: DAY`.');
  if (window !== undefined)
    return { fromMs: Math.max(BEGINNING_MS, windowStartMs(window, nowMs)), toMs: END_MS };
  const span = { fromMs: fromMs ?? BEGINNING_MS, toMs: toMs ?? END_MS };
  if (span.fromMs >= span.toMs)
    throw invalid('The span ends before it begins.', 'Write the earlier instant as `from`.');
  return span;
}

function calendarSpan(unit: StatsUnit, timeZone: string, ago: number, nowMs: number): TimeSpan {
  if (!Number.isInteger(ago) || ago < 0 || ago > MOST_AGO[unit])
    throw invalid(
      `\`ago\` is a whole number from 0 to ${MOST_AGO[unit]} ${unit}s.`,
      'Write 1 for the one before this.',
    );
  // Not one after the other: a hundred thousand months back took the process twenty seconds.
  const { startMs, endMs } = earlierWindow(unit, timeZone, nowMs, ago);
  return { fromMs: startMs, toMs: ago === 0 ? END_MS : endMs };
}

/** Each calendar unit that has a part in the span, cut at its ends and at now. */
export function partsOf(
  span: TimeSpan,
  unit: StatsUnit,
  timeZone: string,
  nowMs: number,
): readonly TimeSpan[] {
  checkZone(timeZone);
  const parts: TimeSpan[] = [];
  for (let atMs = span.fromMs; atMs < span.toMs && atMs <= nowMs;) {
    const { endMs } = calendarWindow(unit, timeZone, atMs);
    // What goes on is read to its end, as the whole is.
    const toMs = endMs > nowMs ? span.toMs : Math.min(endMs, span.toMs);
    parts.push({ fromMs: atMs, toMs });
    atMs = endMs;
    if (parts.length > MOST_PARTS)
      throw invalid(
        `The span has more than ${MOST_PARTS} parts of one ${unit} each.`,
        'Ask for a shorter span, or for longer parts.',
      );
  }
  return parts;
}

/** What is read to the end is shown to now. */
export function shownSpan({ fromMs, toMs }: TimeSpan, nowMs: number): TimeSpan {
  return { fromMs, toMs: Math.max(fromMs, Math.min(toMs, nowMs)) };
}

function checkZone(timeZone: string): void {
  if (timeZone === 'UTC') return;
  try {
    Intl.DateTimeFormat('en-US', { timeZone });
  } catch {
    throw invalid(
      `There is no time zone "${timeZone}".`,
      'Write its IANA name, such as Europe/Berlin, or UTC.',
    );
  }
}

function invalid(message: string, remedy: string): HeadgateError {
  return new HeadgateError('SPAN_INVALID', message, remedy);
}
