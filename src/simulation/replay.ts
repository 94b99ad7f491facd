// What a change of the workflows would have done to recorded traffic: both plans replayed, and each changed line by itself.
import type { NanoUsd } from '../common/money.ts';
import type { Plan } from '../language/plan/types.ts';
import { profilesOf } from './profile.ts';
import type { Profiles } from './profile.ts';
import { simulate } from './simulate.ts';
import type { Simulated } from './simulate.ts';
import type { Traffic } from './traffic.ts';
import type { Assumption } from './unknowns.ts';

/** `low` and `high`: what it may be, by what cannot be known. */
export interface Interval {
  readonly likely: NanoUsd;
  readonly low: NanoUsd;
  readonly high: NanoUsd;
}

/** A plan with one change of many: a group of lines that stand together. */
export interface ChangeAlone {
  /** `headgate.yaml:12`. */
  readonly where: string;
  readonly text: string;
  /** null: alone it does not compile. */
  readonly plan: Plan | null;
}

export interface LineContribution {
  readonly where: string;
  readonly text: string;
  /** Against BASE; null: alone it does not compile. */
  readonly changeNanoUsd: NanoUsd | null;
}

export interface Replay {
  readonly fromMs: number;
  readonly toMs: number;
  readonly runs: number;
  /** As it was recorded. */
  readonly recordedNanoUsd: NanoUsd;
  readonly base: Simulated;
  readonly head: Simulated;
  readonly baseCost: Interval;
  readonly headCost: Interval;
  readonly change: Interval;
  readonly contributions: readonly LineContribution[];
  /** What the changes do together beyond the sum of what each does alone; null: one of them does not compile alone, or there are none. */
  readonly togetherNanoUsd: NanoUsd | null;
}

export interface ReplayOptions {
  readonly base: Plan;
  readonly head: Plan;
  readonly traffic: Traffic;
  readonly changes?: readonly ChangeAlone[];
  readonly seed?: number;
}

const ASSUMPTIONS = ['low', 'high'] as const satisfies readonly Assumption[];

type Scenarios = { readonly [assumption in Assumption]: Simulated };

/** Deterministic: the same plans, traffic and seed give the same answer. */
export async function replay({
  base,
  head,
  traffic,
  changes = [],
  seed = 1,
}: ReplayOptions): Promise<Replay> {
  const { profiles, costNanoUsd: recordedNanoUsd } = await profilesOf(traffic);
  const under = (plan: Plan): Promise<Scenarios> => scenariosOf({ plan, base, traffic, profiles, seed });
  const before = await under(base);
  const after = base.hash === head.hash ? before : await under(head);
  const contributions: LineContribution[] = [];
  for (const { where, text, plan } of changes) {
    const changeNanoUsd =
      plan === null
        ? null
        : (await simulate({ plan, recorded: base, traffic, profiles, assumption: 'likely', seed }))
            .costNanoUsd - before.likely.costNanoUsd;
    contributions.push({ where, text, changeNanoUsd });
  }
  const alone = contributions.map(({ changeNanoUsd }) => changeNanoUsd);
  const change = intervalOf([
    after.likely.costNanoUsd - before.likely.costNanoUsd,
    after.low.costNanoUsd - before.low.costNanoUsd,
    after.high.costNanoUsd - before.high.costNanoUsd,
  ]);
  return {
    fromMs: traffic.fromMs,
    toMs: traffic.toMs,
    runs: profiles.runs,
    recordedNanoUsd,
    base: before.likely,
    head: after.likely,
    baseCost: costOf(before),
    headCost: costOf(after),
    change,
    contributions,
    togetherNanoUsd:
      alone.length === 0 || alone.includes(null)
        ? null
        : change.likely - alone.reduce<NanoUsd>((sum, one) => sum + (one ?? 0n), 0n),
  };
}

interface Side {
  readonly plan: Plan;
  readonly base: Plan;
  readonly traffic: Traffic;
  readonly profiles: Profiles;
  readonly seed: number;
}

/** Three ways, where there is something that is not known. */
async function scenariosOf({ plan, base, traffic, profiles, seed }: Side): Promise<Scenarios> {
  const run = (assumption: Assumption): Promise<Simulated> =>
    simulate({ plan, recorded: base, traffic, profiles, assumption, seed });
  const likely = await run('likely');
  if (likely.unknowns.length === 0) return { likely, low: likely, high: likely };
  const [low, high] = [await run(ASSUMPTIONS[0]), await run(ASSUMPTIONS[1])];
  return { likely, low, high };
}

function costOf({ likely, low, high }: Scenarios): Interval {
  return intervalOf([likely.costNanoUsd, low.costNanoUsd, high.costNanoUsd]);
}

function intervalOf([likely, ...others]: readonly [NanoUsd, NanoUsd, NanoUsd]): Interval {
  let [low, high] = [likely, likely];
  for (const other of others) {
    if (other < low) low = other;
    if (other > high) high = other;
  }
  return { likely, low, high };
}
