// The composition root: the one place where the pieces meet. It reads like the story of a task.
import { join } from 'node:path';
import { createBudgets } from './engine/budget/budgets.ts';
import { createGuards } from './engine/budget/guards/guards.ts';
import type { Guards, GuardNews, SpendSwitch } from './engine/budget/guards/port.ts';
import type { Budgets, Hold, Spending } from './engine/budget/port.ts';
import { systemClock, type Clock } from './common/clock.ts';
import { systemRandom, type Random } from './common/random.ts';
import { HeadgateError } from './errors/headgate-error.ts';
import type { Problem } from './errors/problem.ts';
import {
  alertRecord,
  budgetAlert,
  circuitAlert,
  deadLetterAlert,
  guardAlert,
  switchAlert,
} from './engine/execution/alert-records.ts';
import { createBudgetMatcher } from './engine/execution/budget-matcher.ts';
import { adjustSpend, type Adjustment } from './engine/execution/adjustment.ts';
import { deadLetters } from './engine/execution/dead-letters.ts';
import { createEngine } from './engine/execution/create-engine.ts';
import type { Engine } from './engine/execution/port.ts';
import { createExecutors } from './engine/execution/executors.ts';
import { LearntBounds, readLearntBound } from './engine/execution/learnt-bounds.ts';
import { PromptCaches } from './engine/execution/prompt-cache.ts';
import { UsageAlerts } from './engine/execution/usage-alerts.ts';
import { createWorkThread } from './engine/execution/thread/work-thread.ts';
import type { EngineLog } from './engine/execution/engine-parts.ts';
import { resolvePlanTemplate } from './engine/execution/plan-template.ts';
import type { AttemptRecord } from './engine/execution/records.ts';
import type { Cluster } from './ledger/cluster-port.ts';
import { openLedger, type Ledger } from './ledger/open.ts';
import { spendingOfRecord } from './ledger/sqlite/settled-spending.ts';
import { decodePlan } from './language/plan/encode.ts';
import type { Plan } from './language/plan/types.ts';
import type { ProviderRegistry } from './engine/providers/registry-port.ts';
import { createSecretReader } from './engine/providers/read-secret.ts';
import { createProviderRegistry } from './engine/providers/registry.ts';
import { proxySettings } from './engine/providers/shared/proxy.ts';
import { createPolicies } from './engine/resilience/policies.ts';
import type { CircuitState, Policies, RateGates } from './engine/resilience/port.ts';
import { createRateGates } from './engine/resilience/rate-gates.ts';
import { createStreamPace } from './engine/resilience/stream-pace.ts';
import { revisionAlert } from './revisions/alerts.ts';
import { compileFiles } from './revisions/compile.ts';
import { createDirectorySource } from './revisions/directory.ts';
import { lastPlan } from './revisions/last-plan.ts';
import type { Revisions, Source } from './revisions/port.ts';
import { createRevisions } from './revisions/revisions.ts';
import { createEmbeddedRuntime } from './engine/runtime/embedded.ts';
import { pastSpend } from './ledger/stats/past-spend.ts';
import { createStats, type Stats } from './ledger/stats/stats.ts';

export interface AppOptions {
  /** The folder that holds headgate.yaml, or any other source of workflows. */
  readonly workflows: string | Source;
  /** The folder of the database; made where it is missing. */
  readonly dataDirectory: string;
  /** `postgres://…`: the ledger is there, and not in the folder. */
  readonly database?: string;
  /** Where `env` and `secrets` in workflows are read; secrets at the moment of the call (INV-9). */
  readonly env: { readonly [name: string]: string | undefined };
  /** Default `full`: what is written survives a power cut. `normal`: it survives a killed process. */
  readonly synchronous?: 'full' | 'normal';
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: EngineLog;
  /** Durable runs at once; those that are started beyond it wait, the most urgent first. Default 100. */
  readonly durableRuns?: number;
  /** The share of the time since it was last asked in which the event loop did not wait: where it is short, running streams are read less often. Left out: they never are. */
  readonly busy?: () => number;
  /** Puts something between the engine and the providers: recorded answers in tests of workflows. */
  readonly wrapProviders?: (registry: ProviderRegistry) => ProviderRegistry;
}

export interface App {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly stats: Stats;
  readonly budgets: Budgets;
  readonly guards: Guards;
  readonly policies: Policies;
  readonly rateGates: RateGates;
  readonly providers: ProviderRegistry;
  readonly revisions: Revisions;
  readonly clock: Clock;
  readonly random: Random;
  readonly env: AppOptions['env'];
  /** When the ledger began to be opened: alerts since then are of this process. */
  readonly sinceMs: number;
  /** Enters what was spent and is in no row. */
  adjustSpend(adjustment: Adjustment): Promise<AttemptRecord>;
  /** Runs in flight end within `drainMs`, or are recorded as cancelled; then everything is let go of. */
  close(drainMs?: number): Promise<void>;
}

/** In the data folder. */
export const DATABASE_FILE = 'headgate.db';
export const DEFAULT_DRAIN_MS = 10_000;
const DURABLE_RUNS = 100;

/** Everything that serves tasks, put together and recovered from the ledger. Throws a HeadgateError when it cannot start. */
export async function openApp(options: AppOptions): Promise<App> {
  const { env, clock = systemClock, random = systemRandom } = options;
  const sinceMs = clock.nowMs();
  const source =
    typeof options.workflows === 'string' ? createDirectorySource(options.workflows) : options.workflows;

  // What happened is in the ledger: it is opened, migrated and recovered first.
  const ledger = await openLedger({
    path: options.database ?? join(options.dataDirectory, DATABASE_FILE),
    synchronous: options.synchronous ?? 'full',
    clock,
  });
  try {
    // What should be is in the workflows: they become a plan, or nothing is served.
    const executors = createExecutors();
    const revisions = createRevisions({
      source,
      compile: (files) => compileServable(files, { env, nowMs: clock.nowMs() }),
      async prepare(plan) {
        await Promise.all([executors.prepare(plan), ledger.accounts.prepare?.(plan.budgets)]);
      },
      ledger,
      planText: (hash) => ledger.planText(hash),
      env,
      clock,
      ...(options.log ? { log: options.log } : {}),
    });
    const before = await lastPlan(ledger);
    const first = await revisions.reload();
    if (first.kind === 'refused' && first.serving === null) throw new WorkflowsRefused(first.record.problems);

    // Accounts, switches and guards start from what the ledger remembers.
    const { cluster } = ledger;
    const budgets = createBudgets({
      // Windows are the same on every node: the database's clock says when one is over.
      clock: cluster === undefined ? clock : { ...clock, nowMs: () => clock.nowMs() + cluster.aheadMs() },
      accounts: ledger.accounts,
      matches: createBudgetMatcher(),
      ...(cluster === undefined ? {} : { leases: cluster.leases }),
    });
    const guards = createGuards({
      clock,
      switches: await ledger.switches(),
      ...(cluster === undefined ? {} : { tell: (news) => cluster.say(news) }),
    });
    const stats = createStats({ ledger, clock });

    // What decides and protects a call outlives every plan (INV-7).
    const policies = createPolicies({ clock, random });
    const rateGates = createRateGates({ clock });
    const registry = createProviderRegistry({
      readSecret: createSecretReader(env, clock),
      proxies: proxySettings(env),
      clock,
      resolveTemplate: resolvePlanTemplate,
    });
    const providers = options.wrapProviders?.(registry) ?? registry;

    const take = (plan: Plan): void => {
      budgets.configure(plan);
      guards.configure(plan.guards.surge);
    };
    // Spend was posted under the budgets of the plan that served last; what a budget becomes follows from them.
    await ledger.accounts.prepare?.([...(before?.budgets ?? []), ...revisions.active().plan.budgets]);
    if (before && before.hash !== revisions.active().plan.hash) budgets.configure(before);
    take(revisions.active().plan);
    await rememberSpend(guards, ledger, clock, revisions.active().plan);
    revisions.onChange((result) => {
      if (result.kind !== 'activated') return;
      take(result.revision.plan);
      void providers.retain([result.revision.plan, ...(result.previous ? [result.previous.plan] : [])]);
    });

    // A run: a plan and an input, interpreted in this process, recorded as it goes.
    const runtime = createEmbeddedRuntime({ clock, recorder: ledger });
    const engine = createEngine({
      currentPlan: () => revisions.active().plan,
      planByHash: async (hash) => {
        const text = await ledger.planText(hash);
        return text === undefined ? undefined : decodePlan(text);
      },
      executors,
      providers,
      policies,
      rateGates,
      budgets,
      guards,
      recorder: ledger,
      history: ledger,
      runtime,
      thread: createWorkThread(clock),
      signals: stats,
      bounds: await learntBounds(ledger),
      promptCaches: new PromptCaches(clock),
      usageAlerts: new UsageAlerts(),
      ...(options.busy === undefined ? {} : { pace: createStreamPace(clock, options.busy) }),
      durableRuns: options.durableRuns ?? DURABLE_RUNS,
      ...(cluster === undefined ? {} : { cancelElsewhere: (runId, reason) => cluster.cancel(runId, reason) }),
      clock,
      random,
      ...(options.log ? { log: options.log } : {}),
    });

    settleReconciled(budgets, ledger);
    if (cluster !== undefined)
      follow({ cluster, stats, revisions, engine, budgets, guards, policies, rateGates });
    keepSwitches({ guards, ledger, clock });
    keepAlerts({ budgets, guards, policies, revisions, ledger, clock, random });
    return {
      engine,
      ledger,
      stats,
      budgets,
      guards,
      policies,
      rateGates,
      providers,
      revisions,
      clock,
      random,
      env,
      sinceMs,
      adjustSpend: (adjustment) =>
        adjustSpend(
          { budgets, recorder: ledger, revision: () => revisions.active().plan.hash, clock, random },
          adjustment,
        ),
      async close(drainMs = DEFAULT_DRAIN_MS) {
        await revisions.close();
        await engine.drain(drainMs);
        await budgets.close();
        stats.close();
        await providers.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** Without its past, the surge guard would take the first normal morning after a restart for a surge, or a loop for a morning. */
async function rememberSpend(guards: Guards, ledger: Ledger, clock: Clock, plan: Plan): Promise<void> {
  const { surge } = plan.guards;
  if (surge === null) return;
  const sinceMs = clock.nowMs() - Math.max(surge.baselineMs, FOUR_WEEKS_MS);
  guards.seed(await pastSpend(ledger, clock, { sinceMs, partMs: surge.overMs }));
}

/** What earlier processes learnt of how models count, and where it is kept. */
async function learntBounds(ledger: Ledger): Promise<LearntBounds> {
  const known = [...(await ledger.learntBounds())].flatMap(([model, text]) => {
    const bound = readLearntBound(text);
    return bound === undefined ? [] : [[model, bound] as const];
  });
  return new LearntBounds(new Map(known), (model, bound) => {
    // One that is not kept is learnt again.
    ledger.learnBound(model, JSON.stringify(bound)).catch(() => undefined);
  });
}

const FOUR_WEEKS_MS = 28 * 86_400_000;

/** A plan that could not be served under its GraphQL names is refused like one that does not compile. */
async function compileServable(
  ...compilation: Parameters<typeof compileFiles>
): ReturnType<typeof compileFiles> {
  const [compiled, { graphqlProblems }] = await Promise.all([
    compileFiles(...compilation),
    import('./server/graphql/plan-problems.ts'),
  ]);
  const taken = compiled.plan === null ? [] : graphqlProblems(compiled.plan);
  return taken.length === 0
    ? compiled
    : { ...compiled, plan: null, problems: [...compiled.problems, ...taken] };
}

/** The first revision does not compile: nothing is served. */
export class WorkflowsRefused extends HeadgateError {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    super(
      'WORKFLOWS_INVALID',
      `the workflows do not compile: ${errors} ${errors === 1 ? 'error' : 'errors'}`,
      'Correct what is listed above; "headgate check" shows it again.',
    );
    this.problems = problems;
  }
}

/** An attempt of unknown outcome that an operator or its lease has decided gives back what it held; the ledger has written it first. */
function settleReconciled(budgets: Budgets, ledger: Ledger): void {
  ledger.onWritten((rows) => {
    for (const row of rows) {
      if (row.kind === 'attempt_lowered') {
        // Whose attempt it was, the others say.
        if (ledger.cluster !== undefined) continue;
        const [before, after] = [row.before, row.attempt].map(spendingOfRecord) as [Spending, Spending];
        budgets.correct(row.attempt.postings, before, after);
        continue;
      }
      if (row.kind !== 'attempt_closed' || row.reconciled !== true) continue;
      const {
        id,
        postings,
        heldNanoUsd,
        heldTokens = 0,
        costNanoUsd,
        inputTokens,
        outputTokens,
        status,
      } = row.attempt;
      const hold: Hold = {
        attemptId: id,
        worst: { costNanoUsd: heldNanoUsd, tokens: heldTokens, calls: 1 },
        postings,
        exceededSoftly: [],
      };
      if (status === 'cancelled') budgets.release(hold);
      else budgets.settle(hold, { costNanoUsd, tokens: inputTokens + outputTokens, calls: 1 });
    }
  });
}

interface CircuitNews {
  readonly kind: 'circuit';
  readonly key: string;
  readonly state: CircuitState;
}

/** What other nodes change is in force here at once; what they told while nobody heard is read again. */
function follow({
  cluster,
  stats,
  revisions,
  engine,
  budgets,
  guards,
  policies,
  rateGates,
}: Pick<App, 'stats' | 'revisions' | 'engine' | 'budgets' | 'guards' | 'policies' | 'rateGates'> & {
  readonly cluster: Cluster;
}): void {
  // A provider's limit is one for all nodes.
  rateGates.divide(cluster.nodes().length);
  cluster.onNodes((count) => rateGates.divide(Math.max(1, count)));
  policies.onCircuitChange((key, state) => cluster.say([{ kind: 'circuit', key, state }]));
  cluster.onSaid((news) => {
    guards.heard(news as readonly GuardNews[]);
    for (const one of news as readonly CircuitNews[])
      if (one.kind === 'circuit') policies.heardOf(one.key, one.state);
  });
  cluster.onChanged((what) => {
    if (what === 'revisions') revisions.followOthers().catch(() => undefined);
  });
  cluster.onLowered(({ postings, before, after }) => budgets.correct(postings, before, after));
  cluster.onOthersWrote(() => stats.outdated());
  cluster.onCancel((runId, reason) => engine.cancelHere(runId, reason));
}

/** What people should hear of is written down. */
function keepAlerts(
  parts: Pick<App, 'budgets' | 'guards' | 'policies' | 'revisions' | 'ledger' | 'clock' | 'random'>,
): void {
  const { budgets, guards, policies, revisions, ledger, clock, random } = parts;
  const record = (text: Parameters<typeof alertRecord>[0]): void => {
    // A ledger that cannot write says so in its health and refuses runs; an alert less is not what matters then.
    ledger.recordAlert(alertRecord(text, clock, random)).catch(() => undefined);
  };
  budgets.onAlert((alert) => record(budgetAlert(alert)));
  guards.onAlert((alert) => record(guardAlert(alert)));
  policies.onCircuitChange((key, state) => record(circuitAlert(key, state)));
  revisions.onNotice((notice) => record(revisionAlert(notice)));
  guards.onSwitch((change) => record(switchAlert(change)));
  const ended = deadLetters(clock, (run, more) => record(deadLetterAlert(run, more)));
  ledger.onWritten((rows) => {
    for (const row of rows) if (row.kind === 'run_finished') ended(row.run);
  });
}

/** Switches that are pulled stay pulled after a restart, and are in force on every node. */
function keepSwitches({ guards, ledger, clock }: Pick<App, 'guards' | 'ledger' | 'clock'>): void {
  let writing: Promise<unknown> = Promise.resolve();
  guards.onSwitch((change) => {
    const written =
      change.kind === 'paused'
        ? ledger.setSwitch(change.switch)
        : ledger.clearSwitch(change.switch.scope, change.by, clock.nowMs());
    writing = Promise.allSettled([writing, written]);
  });
  const read = async (): Promise<void> => {
    for (;;) {
      const before = writing;
      await before;
      const switches = await ledger.switches();
      // One that was pulled here meanwhile is not in what was read.
      if (before === writing) return guards.replaceSwitches(switches as Iterable<SpendSwitch>);
    }
  };
  ledger.cluster?.onChanged((what) => {
    if (what === 'switches') read().catch(() => undefined);
  });
}
