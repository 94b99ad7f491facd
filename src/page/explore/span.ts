// Spans of time as the address says them, and as the API takes them.
import type { CalendarUnit, SpanInput } from '../generated/graphql.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The spans that are offered by name; `compare` names the one before it. */
export const SPANS = [
  { value: 'hour', label: 'the last hour' },
  { value: 'day', label: 'the last 24 hours' },
  { value: 'week', label: 'the last 7 days' },
  { value: 'month', label: 'the last 30 days' },
  { value: 'today', label: 'today' },
  { value: 'yesterday', label: 'yesterday' },
  { value: 'this-week', label: 'this week' },
  { value: 'last-week', label: 'last week' },
  { value: 'this-month', label: 'this month' },
  { value: 'last-month', label: 'last month' },
  { value: 'custom', label: 'from … to …' },
] as const;

const ROLLING_MS: { readonly [span: string]: number } = {
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
};
const CALENDAR: { readonly [span: string]: readonly [CalendarUnit, number] } = {
  today: ['DAY', 0],
  yesterday: ['DAY', 1],
  'this-week': ['WEEK', 0],
  'last-week': ['WEEK', 1],
  'this-month': ['MONTH', 0],
  'last-month': ['MONTH', 1],
};

const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The moment that an address or a field says, whose time may be of no zone: then it is of this one; '' where it says none. */
export function instantOf(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}

/** As a field of a form has it: in the zone of who looks. */
export function fieldOf(instant: string): string {
  if (instant === '') return '';
  const at = new Date(instant);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
  return local.replace(/(?::00)?\.000$/, '');
}

/** A rolling span ends at `nowMs`, the same for all that is asked in one view. */
export function spanInput(span: string, from: string, to: string, nowMs: number): SpanInput {
  const rolling = ROLLING_MS[span];
  if (rolling !== undefined) return between(nowMs - rolling, nowMs);
  const calendar = CALENDAR[span];
  if (calendar !== undefined) return { calendar: calendar[0], ago: calendar[1], timeZone };
  if (from === '') return between(nowMs - DAY_MS, nowMs);
  return {
    from: new Date(from).toISOString(),
    ...(to === '' ? {} : { to: new Date(to).toISOString() }),
  };
}

/** The span of the same length that ends where this one begins; of a calendar's, the one before. */
export function spanBefore(span: string, from: string, to: string, nowMs: number): SpanInput {
  const rolling = ROLLING_MS[span];
  if (rolling !== undefined) return between(nowMs - 2 * rolling, nowMs - rolling);
  const calendar = CALENDAR[span];
  if (calendar !== undefined) return { calendar: calendar[0], ago: calendar[1] + 1, timeZone };
  const fromMs = from === '' ? nowMs - DAY_MS : new Date(from).getTime();
  const toMs = to === '' ? nowMs : new Date(to).getTime();
  return between(2 * fromMs - toMs, fromMs);
}

/** How finely a span is drawn. */
export function unitOf(span: string, from: string, to: string, nowMs: number): CalendarUnit {
  if (['hour', 'day', 'today', 'yesterday'].includes(span)) return 'HOUR';
  if (span !== 'custom') return 'DAY';
  const ms = (to === '' ? nowMs : new Date(to).getTime()) - new Date(from).getTime();
  return ms <= 3 * DAY_MS ? 'HOUR' : ms <= 120 * DAY_MS ? 'DAY' : 'MONTH';
}

function between(fromMs: number, toMs: number): SpanInput {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
