// What a month of calls would have been at the gate: as it was, under caps and guards, and on another model; with the loop that it holds.
import type { NanoUsd } from '../common/money.ts';
import type { Plan } from '../language/plan/types.ts';
import { profilesOf } from './profile.ts';
import { simulate } from './simulate.ts';
import type { Simulated } from './simulate.ts';
import type { SpendingEvent } from './tally.ts';
import type { Traffic } from './traffic.ts';

export interface CurvePoint {
  readonly atMs: number;
  readonly costNanoUsd: NanoUsd;
}

export interface WhatIfSide {
  readonly costNanoUsd: NanoUsd;
  readonly low: NanoUsd;
  readonly high: NanoUsd;
  readonly runs: number;
  /** By what. */
  readonly refusals: Simulated['refusals'];
  readonly curve: readonly CurvePoint[];
  readonly events: readonly SpendingEvent[];
}

/** A stretch in which one caller spent far more than it does. */
export interface FoundLoop {
  readonly caller: string;
  readonly model: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly calls: number;
  readonly costNanoUsd: NanoUsd;
  /** Of its calls, those of the commonest size, 0 to 1. */
  readonly sameSize: number;
  /** Calls and dollars of the whole before it began. */
  readonly before: { readonly calls: number; readonly costNanoUsd: NanoUsd };
}

export interface WhatIf {
  readonly fromMs: number;
  readonly toMs: number;
  /** As it was. */
  readonly was: Omit<WhatIfSide, 'refusals' | 'events' | 'low' | 'high'>;
  readonly guarded: WhatIfSide;
  /** On another model, under the same terms; null: not asked for, or it has no price. */
  readonly moved: { readonly to: string; readonly side: WhatIfSide } | null;
  readonly loop: FoundLoop | null;
  /** What of the loop was spent at the gate; null: there is none. */
  readonly loopNanoUsd: NanoUsd | null;
  readonly byModel: ReadonlyMap<string, { readonly runs: number; readonly costNanoUsd: NanoUsd }>;
  readonly byCaller: ReadonlyMap<string, { readonly runs: number; readonly costNanoUsd: NanoUsd }>;
}

export interface WhatIfOptions {
  readonly traffic: Traffic;
  /** Of a project that serves the traffic as it was served, without caps and guards. */
  readonly plan: Plan;
  /** Whose budgets and guards are tried. */
  readonly terms: Pick<Plan, 'budgets' | 'guards'>;
  readonly moved?: { readonly to: string; readonly plan: Plan } | null;
  readonly resumedAfterMs: number;
}

/** The terms of another plan: its caps, and its guards for every task. */
function under(plan: Plan, { budgets, guards }: Pick<Plan, 'budgets' | 'guards'>, hash: string): Plan {
  const tasks = Object.values(plan.tasks).map((task) => [task.name, { ...task, loop: guards.loop }] as const);
  return { ...plan, budgets, guards, tasks: Object.fromEntries(tasks), hash };
}

const NO_TERMS: Pick<Plan, 'budgets' | 'guards'> = { budgets: [], guards: { loop: null, surge: null } };

export async function whatIf({
  traffic,
  plan,
  terms,
  moved,
  resumedAfterMs,
}: WhatIfOptions): Promise<WhatIf> {
  const { profiles } = await profilesOf(traffic);
  const bare = under(plan, NO_TERMS, 'as it was');
  const run = async (of: Plan, assumption: 'likely' | 'low' | 'high') => {
    const curve: CurvePoint[] = [{ atMs: traffic.fromMs, costNanoUsd: 0n }];
    const found = await simulate({
      plan: of,
      recorded: bare,
      traffic,
      profiles,
      assumption,
      seed: 1,
      resumedAfterMs,
      onHour: (atMs, costNanoUsd) => curve.push({ atMs: Math.min(atMs, traffic.toMs), costNanoUsd }),
    });
    return { found, curve };
  };
  const side = async (of: Plan): Promise<WhatIfSide> => {
    const { found, curve } = await run(of, 'likely');
    const costs = [found.costNanoUsd];
    if (found.unknowns.length > 0)
      for (const assumption of ['low', 'high'] as const)
        costs.push((await run(of, assumption)).found.costNanoUsd);
    costs.sort((a, b) => (a < b ? -1 : 1));
    return {
      costNanoUsd: found.costNanoUsd,
      low: costs[0] ?? 0n,
      high: costs.at(-1) ?? 0n,
      runs: found.runs,
      refusals: found.refusals,
      curve,
      events: found.events,
    };
  };
  // Without caps and guards nothing is refused: what the engine settles is what it was, priced where there was no price.
  const was = await run(bare, 'likely');
  const loop = await loopIn(traffic, plan);
  const guarded = await side(under(plan, terms, 'guarded'));
  const movedSide = moved ? { to: moved.to, side: await side(under(moved.plan, terms, 'moved')) } : null;
  return {
    fromMs: traffic.fromMs,
    toMs: traffic.toMs,
    was: { costNanoUsd: was.found.costNanoUsd, runs: was.found.runs, curve: was.curve },
    guarded,
    moved: movedSide,
    loop,
    loopNanoUsd: loop && spentBetween(guarded.curve, loop),
    byModel: was.found.byModel,
    byCaller: was.found.byCaller,
  };
}

function spentBetween(
  curve: readonly CurvePoint[],
  { fromMs, toMs }: Pick<FoundLoop, 'fromMs' | 'toMs'>,
): NanoUsd {
  const at = (ms: number): NanoUsd => {
    let found = 0n;
    for (const { atMs, costNanoUsd } of curve) {
      if (atMs > ms) break;
      found = costNanoUsd;
    }
    return found;
  };
  return at(toMs + HOUR_MS) - at(fromMs);
}

const HOUR_MS = 3_600_000;
/** An hour is out of the ordinary that costs so many times the caller's usual one, and a dollar at least. */
const FACTOR = 8;
const LEAST_NANO_USD = 1_000_000_000n;
/** Hours that are no further apart are one stretch. */
const GAP_HOURS = 3;
/** Who was there for less than a fifth of the time is new. */
const SHORT = 5;
/** A stretch of less than a tenth of the whole is no story. */
const LEAST_SHARE = 10n;

interface Hour {
  calls: number;
  cost: NanoUsd;
  readonly sizes: Map<number, number>;
}

/** The dearest stretch of hours in which one caller and model cost eight times what is usual for it. */
async function loopIn(traffic: Traffic, plan: Plan): Promise<FoundLoop | null> {
  const hours = new Map<string, Map<number, Hour>>();
  const totals = new Map<number, { calls: number; cost: NanoUsd }>();
  let whole = 0n;
  for await (const { atMs, who, steps } of traffic.runs()) {
    const attempt = steps[0]?.attempts[0];
    if (attempt === undefined) continue;
    const hour = Math.floor(atMs / HOUR_MS);
    const key = `${who.name}\n${attempt.model}`;
    let ofKey = hours.get(key);
    if (ofKey === undefined) hours.set(key, (ofKey = new Map<number, Hour>()));
    let sum = ofKey.get(hour);
    if (sum === undefined) ofKey.set(hour, (sum = { calls: 0, cost: 0n, sizes: new Map() }));
    const cost = attempt.rates === '' ? priced(plan, attempt) : attempt.costNanoUsd;
    sum.calls += 1;
    sum.cost += cost;
    whole += cost;
    if (sum.sizes.size < 200 || sum.sizes.has(attempt.inputTokens))
      sum.sizes.set(attempt.inputTokens, (sum.sizes.get(attempt.inputTokens) ?? 0) + 1);
    let total = totals.get(hour);
    if (total === undefined) totals.set(hour, (total = { calls: 0, cost: 0n }));
    total.calls += 1;
    total.cost += cost;
  }
  const median = (costs: readonly NanoUsd[], share: number): NanoUsd =>
    costs.toSorted((a, b) => (a < b ? -1 : 1))[Math.floor(costs.length * share)] ?? 0n;
  const costsOf = (ofKey: ReadonlyMap<number, Hour>): readonly NanoUsd[] =>
    [...ofKey.values()].map(({ cost }) => cost);
  const span = (keys: Iterable<number>): number => {
    const all = [...keys].sort((a, b) => a - b);
    return (all.at(-1) ?? 0) - (all[0] ?? 0) + 1;
  };
  const others = median([...hours.values()].flatMap(costsOf), 0.5);
  const wholeSpan = span(totals.keys());
  let best: FoundLoop | null = null;
  for (const [key, ofKey] of hours) {
    // A caller's name may be anything; a model's has no line break.
    const at = key.lastIndexOf('\n');
    const [caller, model] = [key.slice(0, at), key.slice(at + 1)];
    // Who was there for a short time only has no usual of its own: the others' is it.
    const usual = span(ofKey.keys()) * SHORT < wholeSpan ? others : median(costsOf(ofKey), 0.25);
    const out = [...ofKey].filter(([, { cost }]) => cost >= LEAST_NANO_USD && cost > usual * BigInt(FACTOR));
    out.sort(([a], [b]) => a - b);
    let stretch: (readonly [number, Hour])[] = [];
    const close = (): void => {
      const found = stretchOf(stretch, caller, model, totals);
      if (
        found !== null &&
        found.costNanoUsd * LEAST_SHARE >= whole &&
        found.costNanoUsd > (best?.costNanoUsd ?? 0n)
      )
        best = found;
      stretch = [];
    };
    for (const one of out) {
      const last = stretch.at(-1);
      if (last !== undefined && one[0] - last[0] > GAP_HOURS) close();
      stretch.push(one);
    }
    close();
  }
  return best;
}

function priced(
  plan: Plan,
  {
    model,
    inputTokens,
    cachedInputTokens,
    outputTokens,
  }: {
    readonly model: string;
    readonly inputTokens: number;
    readonly cachedInputTokens: number;
    readonly outputTokens: number;
  },
): NanoUsd {
  const price = plan.models[model]?.price;
  const rates = price?.kind === 'rates' ? price.tiers[0] : undefined;
  if (rates === undefined) return 0n;
  const of = (tokens: number, rate: NanoUsd): NanoUsd => (BigInt(tokens) * rate) / 1_000_000n;
  return (
    of(inputTokens - cachedInputTokens, rates.input) +
    of(cachedInputTokens, rates.cachedInput) +
    of(outputTokens, rates.output)
  );
}

function stretchOf(
  stretch: readonly (readonly [number, Hour])[],
  caller: string,
  model: string,
  totals: ReadonlyMap<number, { readonly calls: number; readonly cost: NanoUsd }>,
): FoundLoop | null {
  const [first, last] = [stretch[0]?.[0], stretch.at(-1)?.[0]];
  if (first === undefined || last === undefined) return null;
  const sizes = new Map<number, number>();
  let [calls, costNanoUsd] = [0, 0n];
  for (const [, hour] of stretch) {
    calls += hour.calls;
    costNanoUsd += hour.cost;
    for (const [size, count] of hour.sizes) sizes.set(size, (sizes.get(size) ?? 0) + count);
  }
  const before = { calls: 0, costNanoUsd: 0n };
  for (const [hour, total] of totals)
    if (hour < first) {
      before.calls += total.calls;
      before.costNanoUsd += total.cost;
    }
  return {
    caller,
    model,
    fromMs: first * HOUR_MS,
    toMs: (last + 1) * HOUR_MS,
    calls,
    costNanoUsd,
    sameSize: Math.max(0, ...sizes.values()) / calls,
    before,
  };
}
