// One replay: the engine that serves, with its real router, budgets, guards, breakers, gates and cache, over recorded traffic on a clock that does not wait.
import { LRUCache } from 'lru-cache';
import { seededRandom } from '../common/random.ts';
import { createBudgets } from '../engine/budget/budgets.ts';
import { createGuards } from '../engine/budget/guards/guards.ts';
import type { Accounts } from '../engine/budget/port.ts';
import { budgetAlert, circuitAlert, guardAlert } from '../engine/execution/alert-records.ts';
import { createBudgetMatcher } from '../engine/execution/budget-matcher.ts';
import { createEngine } from '../engine/execution/create-engine.ts';
import type { RunResult } from '../engine/execution/port.ts';
import { LearntBounds } from '../engine/execution/learnt-bounds.ts';
import { PromptCaches } from '../engine/execution/prompt-cache.ts';
import { UsageAlerts } from '../engine/execution/usage-alerts.ts';
import type { WorkThread } from '../engine/execution/thread/work-thread.ts';
import { createPolicies } from '../engine/resilience/policies.ts';
import { createRateGates } from '../engine/resilience/rate-gates.ts';
import { createSignals } from '../engine/routing/signals.ts';
import { createEmbeddedRuntime } from '../engine/runtime/embedded.ts';
import type { Plan, PlanTask } from '../language/plan/types.ts';
import { createSimulatedClock } from './clock.ts';
import { knownPlan } from './known-executors.ts';
import { modelledProviders } from './modelled-providers.ts';
import type { Basis } from './modelled-providers.ts';
import type { Profiles } from './profile.ts';
import { ReplayedRun, asInput, inputOf } from './replayed-run.ts';
import { Durations, Tally } from './tally.ts';
import type { RefusalSums, RunSums, SpendingEvent } from './tally.ts';
import type { Traffic, TrafficStep } from './traffic.ts';
import { Unknowns } from './unknowns.ts';
import type { Assumption, Unknown } from './unknowns.ts';

export interface SimulateOptions {
  readonly plan: Plan;
  /** The plan that the traffic is taken to have been served by. */
  readonly recorded: Plan;
  readonly traffic: Traffic;
  readonly profiles: Profiles;
  readonly assumption: Assumption;
  readonly seed: number;
  /** What has been spent so far, at most so often a simulated hour; for a curve. */
  readonly onHour?: (atMs: number, costNanoUsd: bigint) => void;
  /** After so long a person lets go on what a guard has paused; left out: nobody does. */
  readonly resumedAfterMs?: number;
}

export interface Simulated {
  readonly runs: number;
  readonly succeeded: number;
  /** Runs that did not succeed, by the code of why. */
  readonly failures: ReadonlyMap<string, number>;
  /** Of those, what was refused before or in the place of a call: budgets, guards, switches. By `budget NAME`, `loop guard of TASK`, … */
  readonly refusals: ReadonlyMap<string, RefusalSums>;
  readonly costNanoUsd: bigint;
  readonly attempts: number;
  readonly fallbacks: number;
  readonly cachedRuns: number;
  readonly waits: number;
  readonly waitP95Ms: number | null;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly byTask: ReadonlyMap<string, RunSums>;
  readonly byProvider: ReadonlyMap<string, RunSums>;
  readonly byModel: ReadonlyMap<string, RunSums>;
  readonly byCaller: ReadonlyMap<string, RunSums>;
  /** Calls by how their cost is known. */
  readonly bases: { readonly [basis in Basis]: number };
  readonly unknowns: readonly Unknown[];
  readonly eventCounts: ReadonlyMap<string, number>;
  readonly events: readonly SpendingEvent[];
}

/** Inputs of which it is remembered what they were asked of models: a run that was answered from a cache may have to be called. */
const ASKED_KEPT = 50_000;
const HOUR_MS = 3_600_000;
/** Longer than any deadline: who still runs then waits for something that does not come. */
const REST_MS = 7 * 86_400_000;
const NO_ACCOUNTS: Accounts = { settled: () => [], open: () => [], history: () => [] };

/** The same options give the same result, to the nano-dollar. */
export async function simulate({
  plan: given,
  recorded,
  traffic,
  profiles,
  assumption,
  seed,
  onHour,
  resumedAfterMs,
}: SimulateOptions): Promise<Simulated> {
  const clock = createSimulatedClock(traffic.fromMs, 'tick');
  const random = seededRandom(seed);
  const unknowns = new Unknowns();
  const { plan, executors, steps } = knownPlan(given, { recorded, profiles, unknowns, assumption });
  const live = new Map<number, ReplayedRun>();
  const signals = createSignals({ clock });
  const mayBeAnsweredAgain = Object.values(plan.tasks).some(isAnsweredAgain);
  const tally = new Tally(
    signals,
    (inputHash) => mayBeAnsweredAgain && profiles.comesBack(Number(inputHash)),
    profiles.runs,
  );
  const budgets = createBudgets({ clock, accounts: NO_ACCOUNTS, matches: createBudgetMatcher() });
  const guards = createGuards({ clock, switches: [] });
  const policies = createPolicies({ clock, random });
  budgets.configure(plan);
  guards.configure(plan.guards.surge);
  const told = (text: Parameters<typeof tellEvent>[1]): void => tellEvent(tally, text, clock.nowMs());
  budgets.onAlert((alert) => told(budgetAlert(alert)));
  guards.onAlert((alert) => told(guardAlert(alert)));
  policies.onCircuitChange((key, state) => told(circuitAlert(key, state)));
  guards.onSwitch(({ kind, switch: off }) => {
    told({ kind, scope: off.scope, message: off.reason });
    if (kind === 'paused' && resumedAfterMs !== undefined)
      clock.after(resumedAfterMs, () => guards.resume(off.scope, 'a person'));
  });
  const engine = createEngine({
    currentPlan: () => plan,
    planByHash: () => Promise.resolve(plan),
    executors,
    providers: modelledProviders({
      clock,
      profiles,
      unknowns,
      assumption,
      steps,
      live,
      retriedAsBefore: (key) =>
        JSON.stringify(plan.models[key]?.policy.retry) === JSON.stringify(recorded.models[key]?.policy.retry),
    }),
    policies,
    rateGates: createRateGates({ clock }),
    budgets,
    guards,
    recorder: tally,
    history: tally,
    runtime: createEmbeddedRuntime({ clock, recorder: tally }),
    thread: KNOWN_INPUTS,
    signals,
    bounds: new LearntBounds(),
    promptCaches: new PromptCaches(clock),
    usageAlerts: new UsageAlerts(),
    durableRuns: Number.POSITIVE_INFINITY,
    clock,
    random,
  });

  const latencies = new Durations();
  const failures = new Map<string, number>();
  const refusals = new Map<string, RefusalSums>();
  let succeeded = 0;
  const ended = (number: number, task: string, result: RunResult): void => {
    live.delete(number);
    const code = endOf(result);
    if (code === null) succeeded += 1;
    else failures.set(code, (failures.get(code) ?? 0) + 1);
    const refusal = refusalOf(result, task);
    if (refusal !== null) addRefusal(refusals, refusal, clock.nowMs());
    if (result.kind === 'run' && result.snapshot.run.status === 'succeeded')
      latencies.add(result.snapshot.run.latencyMs ?? 0);
  };

  const asked = new LRUCache<string, readonly TrafficStep[]>({
    max: Math.max(1, Math.min(ASKED_KEPT, profiles.runs)),
  });
  let number = 0;
  let nextHourMs = traffic.fromMs + HOUR_MS;
  for await (const run of traffic.runs()) {
    if (run.atMs > clock.nowMs()) await clock.advance(run.atMs - clock.nowMs());
    if (run.atMs >= nextHourMs) {
      onHour?.(run.atMs, tally.costNanoUsd);
      nextHourMs = run.atMs - (run.atMs % HOUR_MS) + HOUR_MS;
    }
    let { steps } = run;
    if (profiles.comesBack(run.input)) {
      const key = `${run.task}\n${run.input}`;
      if (steps.length > 0) asked.set(key, steps);
      else steps = asked.get(key) ?? steps;
    }
    const replayed = new ReplayedRun(run, number, steps);
    const own = number;
    number += 1;
    live.set(own, replayed);
    tally.runs = number;
    const { name, team, tier, tags } = run.who;
    const leaving = run.outcome === 'cancelled' ? new AbortController() : null;
    if (leaving !== null) clock.after(run.latencyMs, () => leaving.abort());
    void engine
      .run({
        task: run.task,
        input: asInput({ replayed, prefix: '' }),
        caller: { name, team, tier, tags, scopes: ['admin'], keyId: null },
        ...(leaving === null ? {} : { signal: leaving.signal }),
      })
      .then((result) => ended(own, run.task, result));
  }
  await clock.runUntilIdle(REST_MS);
  onHour?.(clock.nowMs(), tally.costNanoUsd);
  return {
    runs: number,
    succeeded,
    failures,
    refusals,
    costNanoUsd: tally.costNanoUsd,
    attempts: tally.attempts,
    fallbacks: tally.fallbacks,
    cachedRuns: tally.cachedRuns,
    waits: tally.waits.count,
    waitP95Ms: tally.waits.at(0.95),
    latencyP50Ms: latencies.at(0.5),
    latencyP95Ms: latencies.at(0.95),
    byTask: tally.byTask,
    byProvider: tally.byProvider,
    byModel: tally.byModel,
    byCaller: tally.byCaller,
    bases: tally.bases,
    unknowns: unknowns.all(),
    eventCounts: tally.eventCounts,
    events: tally.events,
  };
}

const noTexts = (): Promise<never> => Promise.reject(new Error('a replay has no texts to work on'));

function isAnsweredAgain({ cache, loop }: PlanTask): boolean {
  return cache !== null || loop?.guards.some(({ then }) => then === 'reuse') === true;
}

/** The traffic says which inputs were equal; that two were nearly so, it does not. */
const KNOWN_INPUTS: WorkThread = {
  parse: noTexts,
  chunk: noTexts,
  countTokens: noTexts,
  identify({ input, loops }) {
    const inputHash = String(inputOf({ input }).replayed.run.input);
    return { inputHash, loopTraces: (loops?.guards ?? []).map(() => ({ key: inputHash, exact: inputHash })) };
  },
  close: () => undefined,
};

function tellEvent(
  tally: Tally,
  { kind, scope, message }: { readonly kind: string; readonly scope: string; readonly message: string },
  atMs: number,
): void {
  tally.event({ kind, scope, message, atMs });
}

function addRefusal(refusals: Map<string, RefusalSums>, by: string, atMs: number): void {
  const known = refusals.get(by);
  if (known === undefined) refusals.set(by, { count: 1, firstAtMs: atMs, lastAtMs: atMs });
  else {
    known.count += 1;
    known.lastAtMs = atMs;
  }
}

/** null: it succeeded. */
function endOf(result: RunResult): string | null {
  if (result.kind !== 'run') return result.code;
  const { status, error } = result.snapshot.run;
  return status === 'succeeded' ? null : (error?.code ?? status.toUpperCase());
}

function refusalOf(result: RunResult, task: string): string | null {
  switch (result.kind) {
    case 'budget_exceeded':
      return `budget ${result.refusal.name}`;
    case 'loop_detected':
      return `loop guard of ${task}`;
    case 'spending_paused':
      return `paused ${result.scope}`;
    case 'no_provider_available':
      return `no provider for ${result.task}`;
    case 'run':
    case 'invalid_input':
    case 'unauthorized':
      return null;
  }
}
