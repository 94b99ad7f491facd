// An engine with every real part: SQLite, budgets, guards, policies and gates; only the providers and the clock are a test's own.
import { createBudgets } from '../../src/engine/budget/budgets.ts';
import { createGuards } from '../../src/engine/budget/guards/guards.ts';
import type { Guards, SpendSwitch } from '../../src/engine/budget/guards/port.ts';
import type { Accounts, Budgets, Caller } from '../../src/engine/budget/port.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { Clock } from '../../src/common/clock.ts';
import { seededRandom } from '../../src/common/random.ts';
import { createBudgetMatcher } from '../../src/engine/execution/budget-matcher.ts';
import { createEngine } from '../../src/engine/execution/create-engine.ts';
import type { Engine, RunRequest, RunResult, RunSnapshot } from '../../src/engine/execution/port.ts';
import { createExecutors } from '../../src/engine/execution/executors.ts';
import { LearntBounds } from '../../src/engine/execution/learnt-bounds.ts';
import { PromptCaches } from '../../src/engine/execution/prompt-cache.ts';
import { UsageAlerts } from '../../src/engine/execution/usage-alerts.ts';
import { createWorkThread } from '../../src/engine/execution/thread/work-thread.ts';
import type { EngineParts } from '../../src/engine/execution/engine-parts.ts';
import type { History, Recorder } from '../../src/engine/execution/recorder.ts';
import type { Ledger, LedgerOptions } from '../../src/ledger/open.ts';
import type { Plan } from '../../src/language/plan/types.ts';
import { createPolicies } from '../../src/engine/resilience/policies.ts';
import type { Policies, RateGates } from '../../src/engine/resilience/port.ts';
import { createRateGates } from '../../src/engine/resilience/rate-gates.ts';
import { createSignals } from '../../src/engine/routing/signals.ts';
import type { LearningSignals } from '../../src/engine/routing/signals.ts';
import { createEmbeddedRuntime } from '../../src/engine/runtime/embedded.ts';
import { ledgerPath, openTestLedger } from './ledger-folder.ts';
import { memoryRecorder } from './memory-recorder.ts';
import type { MemoryRecorder } from './memory-recorder.ts';
import { scriptedProviders } from './scripted-provider.ts';
import { createSimulatedClock } from './simulated-clock.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { Script, ScriptedProviders } from './scripted-provider.ts';

export const OPEN_CALLER: Caller = {
  name: 'local',
  team: null,
  tier: null,
  tags: {},
  scopes: ['admin'],
  keyId: null,
};

export interface Fixture {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly budgets: Budgets;
  readonly guards: Guards;
  readonly policies: Policies;
  readonly rateGates: RateGates;
  readonly signals: LearningSignals;
  readonly clock: Clock;
  readonly path: string;
  plan: Plan;
  /** Runs a task with `{ text }`. */
  run(task?: string, options?: Partial<RunRequest>): Promise<RunResult>;
}

export interface FixtureOptions {
  readonly plan: Plan;
  readonly providers: EngineParts['providers'];
  readonly clock?: Clock;
  readonly path?: string;
  readonly ledger?: Partial<LedgerOptions>;
  readonly seed?: number;
}

export async function engineFixture(options: FixtureOptions): Promise<Fixture> {
  const { clock = systemClock, path = ledgerPath(), providers, plan, seed = 1 } = options;
  const ledger = await openTestLedger(path, { clock, writer: 'inline', ...options.ledger });
  const switches = await ledger.switches();
  return Object.assign(
    assemble({ plan, providers, clock, recorder: ledger, accounts: ledger.accounts, switches, seed }),
    { ledger, path },
  );
}

/** The same with its rows in memory: for logic that does not depend on a disk, run thousands of times. */
export interface MemoryFixture extends Omit<Fixture, 'ledger' | 'path'> {
  readonly recorder: MemoryRecorder;
  readonly providers: ScriptedProviders;
  readonly clock: SimulatedClock;
}

export interface MemoryFixtureOptions {
  readonly clock?: SimulatedClock;
  readonly recorder?: MemoryRecorder;
  readonly seed?: number;
  readonly durableRuns?: number;
}

export function memoryFixture(plan: Plan, script: Script, options: MemoryFixtureOptions = {}): MemoryFixture {
  const { clock = createSimulatedClock(), recorder = memoryRecorder() } = options;
  const providers = scriptedProviders(clock, script);
  const parts = assemble({
    plan,
    providers,
    clock,
    recorder,
    accounts: NO_ACCOUNTS,
    switches: [],
    seed: options.seed ?? 1,
    ...(options.durableRuns === undefined ? {} : { durableRuns: options.durableRuns }),
  });
  return Object.assign(parts, { recorder, providers, clock });
}

const NO_ACCOUNTS: Accounts = { settled: () => [], open: () => [], history: () => [] };

interface Assembly {
  readonly plan: Plan;
  readonly providers: EngineParts['providers'];
  readonly clock: Clock;
  readonly recorder: Recorder & History;
  readonly accounts: Accounts;
  readonly switches: Iterable<SpendSwitch>;
  readonly seed: number;
  readonly durableRuns?: number;
}

function assemble({
  plan,
  providers,
  clock,
  recorder,
  accounts,
  switches,
  seed,
  durableRuns = 100,
}: Assembly): Omit<Fixture, 'ledger' | 'path'> {
  const random = seededRandom(seed);
  const budgets = createBudgets({ clock, accounts, matches: createBudgetMatcher() });
  const guards = createGuards({ clock, switches });
  const policies = createPolicies({ clock, random });
  const rateGates = createRateGates({ clock });
  const signals = createSignals({ clock });
  const plans = new Map([[plan.hash, plan]]);
  budgets.configure(plan);
  const engine = createEngine({
    currentPlan: () => fixture.plan,
    planByHash: (hash) => Promise.resolve(plans.get(hash)),
    executors: createExecutors(),
    providers,
    policies,
    rateGates,
    budgets,
    guards,
    recorder,
    history: recorder,
    runtime: createEmbeddedRuntime({ clock, recorder }),
    thread: createWorkThread(clock),
    signals,
    bounds: new LearntBounds(),
    promptCaches: new PromptCaches(clock),
    usageAlerts: new UsageAlerts(),
    durableRuns,
    clock,
    random,
    log: {
      warn: () => undefined,
      // What a test provokes is silent; what it did not expect is not.
      error: (fields, message) => message.includes('unexpectedly') && console.error(message, fields),
    },
  });
  const fixture: Omit<Fixture, 'ledger' | 'path'> = {
    engine,
    budgets,
    guards,
    policies,
    rateGates,
    signals,
    clock,
    plan,
    run: (task = 'write', request = {}) =>
      engine.run({ task, input: { text: 'bridges' }, caller: OPEN_CALLER, ...request }),
  };
  return fixture;
}

export interface ScriptedFixture extends Fixture {
  readonly providers: ScriptedProviders;
}

export async function scriptedFixture(
  plan: Plan,
  script: Script,
  options: Partial<FixtureOptions> = {},
): Promise<ScriptedFixture> {
  const providers = scriptedProviders(options.clock ?? systemClock, script);
  return Object.assign(await engineFixture({ ...options, plan, providers }), { providers });
}

/** The snapshot of a run; fails the test when the result is another. */
export function snapshotOf(result: RunResult): RunSnapshot {
  if (result.kind !== 'run') throw new Error(`expected a run, got ${result.kind}: ${result.message}`);
  return result.snapshot;
}

/**
 * Moves simulated time until the promise is settled. Between two steps the ledger has its turns of the event loop, which are real: a row is
 * written in one of them.
 */
export async function drive<Value>(
  clock: SimulatedClock,
  promise: Promise<Value>,
  stepMs = 20,
): Promise<Value> {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  promise.then(settle, settle);
  for (let steps = 0; steps < 100_000; steps += 1) {
    for (let turns = 0; turns < 4 && !state.settled; turns += 1) await clock.flush();
    if (state.settled) return promise;
    await clock.advance(stepMs);
  }
  throw new Error('the promise is not settled after 100,000 steps');
}
