// Traffic: a seeded month of a team's calls, with its nights, mornings, weekends, bursts, growth and the rush at the end of the month.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, type Random } from '../../../../src/common/random.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface Call {
  readonly atMs: number;
  readonly task: string;
  readonly caller: string;
  readonly costNanoUsd: bigint;
}

export interface Month {
  readonly startMs: number;
  readonly days: number;
  /** Of an average month of 30 days, in dollars. */
  readonly usdPerMonth: number;
  readonly seed: number;
  /** What each day is multiplied with; day 0 is the first. */
  readonly growth?: (day: number) => number;
}

interface Member {
  readonly caller: string;
  readonly task: string;
  /** Share of the whole. */
  readonly weight: number;
  /** 0 to 24 UTC: relative rate at this hour of this weekday (0 is Sunday) of this day of the month. */
  readonly rate: (hour: number, weekday: number, dayOfMonth: number) => number;
}

/** People come at eight, eat at noon, leave at six, and hardly work on weekends. */
function office(hour: number, weekday: number): number {
  const isWeekend = weekday === 0 || weekday === 6;
  const shape =
    hour < 7 || hour >= 20
      ? 0.01
      : hour < 8 || hour >= 18
        ? 0.2
        : hour === 12
          ? 0.5
          : hour === 9 || hour === 14
            ? 1.3
            : 1;
  return shape * (isWeekend ? 0.06 : 1);
}

const team: readonly Member[] = [
  ...['ana', 'ben', 'cy', 'dee', 'eli', 'fay'].map((caller, index) => ({
    caller,
    task: index % 2 === 0 ? 'code-review' : 'summarize',
    weight: 1,
    rate: office,
  })),
  // Customers write at all hours, mostly by day, on weekends too.
  {
    caller: 'support-bot',
    task: 'email-parse',
    weight: 4,
    rate: (hour, weekday) => 0.15 + office(hour, weekday) + (hour > 6 && hour < 23 ? 0.2 : 0),
  },
  // Each night, a report, at no fixed minute.
  { caller: 'nightly', task: 'report', weight: 0.7, rate: (hour) => (hour === 2 || hour === 3 ? 3 : 0) },
  // Mondays at six: the week's digest.
  {
    caller: 'digest',
    task: 'summarize',
    weight: 0.3,
    rate: (hour, weekday) => (weekday === 1 && hour === 6 ? 8 : 0),
  },
  // Invoices: a trickle, and four times the usual on the last two days of a month.
  {
    caller: 'billing',
    task: 'email-parse',
    weight: 1.2,
    rate: (hour, weekday, day) => office(hour, weekday) * (day >= 29 ? 4 : 1),
  },
];

/** The sizes of calls: recorded ones where they are present, else drawn. A long tail either way. */
export type Sizes = (random: Random) => number;

/** Log-normal with mean 1. */
const drawnSizes: Sizes = (random) => {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(0.9 * normal - 0.405);
};

const tracesFolder = join(
  process.env['HEADGATE_SHARED_DATA'] ?? join(import.meta.dirname, '../../../../../shared/data'),
  'traces',
);
const traceFile = join(tracesFolder, 'azure-2023-conv.first1500.csv');
export const hasTraces = existsSync(traceFile);

/** Input and output tokens of recorded conversations, at $0.25 and $2 a million tokens, as multiples of their mean. */
export function recordedSizes(): Sizes {
  const lines = readFileSync(traceFile, 'utf8').trim().split('\n').slice(1);
  const costs = lines.map((line) => {
    const [, input, output] = line.split(',');
    return Number(input) * 0.25 + Number(output) * 2;
  });
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  return (random) => (costs[Math.floor(random() * costs.length)] ?? mean) / mean;
}

/** Calls in order of time. Each minute draws its number of calls; some of them come in bursts, as pipelines and impatient people make them. */
export function* month(given: Month, sizes: Sizes = drawnSizes): Generator<Call> {
  const random = seededRandom(given.seed);
  const callUsd = 0.004;
  const perMember = new Map(team.map((member) => [member, usualPerMinute(member, given.startMs)]));
  const total = [...perMember.values()].reduce((sum, rate) => sum + rate, 0);
  const callsPerMinute = given.usdPerMonth / 30 / 24 / 60 / callUsd;
  for (let minute = 0; minute < given.days * 24 * 60; minute += 1) {
    const atMs = given.startMs + minute * 60_000;
    const date = new Date(atMs);
    const day = Math.floor(minute / 1440);
    const grown = given.growth?.(day) ?? 1;
    const calls: Call[] = [];
    for (const member of team) {
      const rate = member.weight * member.rate(date.getUTCHours(), date.getUTCDay(), date.getUTCDate());
      const expected = (rate / total) * callsPerMinute * grown;
      // One in eight arrivals is a burst of up to twelve calls.
      let arrivals = poisson(random, expected / 1.7);
      while (arrivals > 0) {
        arrivals -= 1;
        const burst = random() < 0.125 ? 2 + Math.floor(random() * 10) : 1;
        for (let call = 0; call < burst; call += 1) {
          calls.push({
            atMs: atMs + Math.floor(random() * 60_000),
            task: member.task,
            caller: member.caller,
            costNanoUsd: BigInt(Math.max(1, Math.round(callUsd * sizes(random) * 1e9))),
          });
        }
      }
    }
    yield* calls.sort((a, b) => a.atMs - b.atMs);
  }
}

/** The mean of weight × rate over four weeks. */
function usualPerMinute(member: Member, startMs: number): number {
  let sum = 0;
  for (let hour = 0; hour < 24 * 28; hour += 1) {
    const date = new Date(startMs + hour * HOUR_MS);
    sum += member.weight * member.rate(date.getUTCHours(), date.getUTCDay(), date.getUTCDate());
  }
  return sum / (24 * 28);
}

/** Knuth's; expected values here are small. */
function poisson(random: Random, expected: number): number {
  const floor = Math.exp(-expected);
  let product = random();
  let count = 0;
  while (product > floor) {
    product *= random();
    count += 1;
  }
  return count;
}
