// The date of an e-mail, after RFC 5322, 3.3 and 4.3, and as it is written in life. The time zone of this machine plays no part.
import { withoutComments } from './headers.ts';

/** Longer ones are none. */
const MAX_LENGTH = 1_000;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MINUTE_MS = 60_000;

/** Minutes east of Greenwich. A name that is not here counts as +0000, as the RFC has it. */
const ZONES: { readonly [name: string]: number } = {
  edt: -240,
  est: -300,
  cdt: -300,
  cst: -360,
  mdt: -360,
  mst: -420,
  pdt: -420,
  pst: -480,
  akdt: -480,
  akst: -540,
  hst: -600,
  adt: -180,
  ast: -240,
  ndt: -150,
  nst: -210,
  brt: -180,
  art: -180,
  wet: 0,
  west: 60,
  bst: 60,
  cet: 60,
  met: 60,
  mez: 60,
  cest: 120,
  mest: 120,
  mesz: 120,
  eet: 120,
  eest: 180,
  sast: 120,
  msk: 180,
  msd: 240,
  trt: 180,
  ist: 330,
  pkt: 300,
  wib: 420,
  ict: 420,
  sgt: 480,
  hkt: 480,
  pht: 480,
  awst: 480,
  jst: 540,
  kst: 540,
  aest: 600,
  aedt: 660,
  acst: 570,
  acdt: 630,
  nzst: 720,
  nzdt: 780,
};

const WEEKDAY = /^[a-z]{3,9}\.?,?\s*/i;
const TIME = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d{1,9})?)?(?:\s?([ap])\.?m\.?)?(?![\d:])\s*/i;
const ZONE = /^(?:(?:gmt|utc|ut)?\s?([+-])(\d{1,2}):?(\d{2})\b|([a-z]{1,5})\b)/i;
const DAY_FIRST = /^(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{2,4})\b,?\s*/i;
const MONTH_FIRST = /^([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+/i;
const YEAR_FIRST = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:t|\s+|$)/i;

/** Milliseconds since 1970; null: it is no date, or one that the calendar does not have. */
export function readDate(written: string): number | null {
  if (written.length > MAX_LENGTH) return null;
  // Blanks around the colons of a time do not count (RFC 5322, 4.3).
  const text = withoutComments(written).replaceAll(/\s+/g, ' ').replaceAll(/ ?: ?/g, ':').trim();
  return dated(text) ?? dated(text.replace(WEEKDAY, ''));
}

function dated(text: string): number | null {
  const iso = YEAR_FIRST.exec(text);
  if (iso !== null)
    return timed(text.slice(iso[0].length), Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]));
  const first = DAY_FIRST.exec(text);
  if (first !== null)
    return timed(
      text.slice(first[0].length),
      yearOf(first[3] ?? ''),
      monthOf(first[2] ?? ''),
      Number(first[1]),
    );
  // asctime: the year stands behind the time, or before it.
  const named = MONTH_FIRST.exec(text);
  if (named === null) return null;
  const rest = text.slice(named[0].length);
  const [month, day] = [monthOf(named[1] ?? ''), Number(named[2])];
  const before = /^(\d{4})\b,?\s*/.exec(rest);
  if (before !== null) return timed(rest.slice(before[0].length), Number(before[1]), month, day);
  const behind = /^(\d{1,2}:\d{2}(?::\d{2})?)\s+(?:([a-z]{1,5}|[+-]\d{4})\s+)?(\d{4})\b\s*(.*)$/i.exec(rest);
  if (behind === null) return null;
  return timed(`${behind[1]} ${behind[2] ?? behind[4] ?? ''}`, Number(behind[3]), month, day);
}

function timed(rest: string, year: number, month: number, day: number): number | null {
  if (month < 0 || month > 11 || day < 1 || day > daysIn(year, month)) return null;
  const time = TIME.exec(rest);
  if (time === null) return /^\S/.test(rest) ? null : Date.UTC(year, month, day);
  const [hours, minutes, seconds] = [
    hoursOf(Number(time[1]), time[4]),
    Number(time[2]),
    Number(time[3] ?? 0),
  ];
  if (hours > 23 || minutes > 59 || seconds > 60) return null;
  const zone = zoneMinutes(rest.slice(time[0].length));
  return zone === null
    ? null
    : Date.UTC(year, month, day, hours, minutes, Math.min(seconds, 59)) - zone * MINUTE_MS;
}

function hoursOf(hours: number, half: string | undefined): number {
  if (half === undefined) return hours;
  return (hours % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** null: a number that is no zone. */
function zoneMinutes(text: string): number | null {
  const [, sign, hours, minutes, name] = ZONE.exec(text) ?? [];
  if (sign === undefined) return ZONES[name?.toLowerCase() ?? ''] ?? 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function monthOf(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase());
}

/** Two digits: of this century below 50, else of the last. Three: since 1900. */
function yearOf(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year + (year < 50 ? 2000 : 1900);
  return digits.length === 3 ? year + 1900 : year;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}
