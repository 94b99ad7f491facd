// A process of its own that starts a durable run over a real ledger and real sockets, and is killed by the test that started it.
import { LearntBounds } from '../../src/engine/execution/learnt-bounds.ts';
import { PromptCaches } from '../../src/engine/execution/prompt-cache.ts';
import { UsageAlerts } from '../../src/engine/execution/usage-alerts.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createBudgets } from '../../src/engine/budget/budgets.ts';
import { createGuards } from '../../src/engine/budget/guards/guards.ts';
import { seededRandom } from '../../src/common/random.ts';
import { createEngine } from '../../src/engine/execution/create-engine.ts';
import { createExecutors } from '../../src/engine/execution/executors.ts';
import { createWorkThread } from '../../src/engine/execution/thread/work-thread.ts';
import type { Engine } from '../../src/engine/execution/port.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import type { Plan } from '../../src/language/plan/types.ts';
import type { ProviderRegistry } from '../../src/engine/providers/registry-port.ts';
import { createPolicies } from '../../src/engine/resilience/policies.ts';
import { createRateGates } from '../../src/engine/resilience/rate-gates.ts';
import { createSignals } from '../../src/engine/routing/signals.ts';
import { createEmbeddedRuntime } from '../../src/engine/runtime/embedded.ts';
import { model, modelStep, plan, task, template } from './engine-plan.ts';
import { planProvider, testRegistry } from './provider-plan.ts';

/** Three calls, one after the other; then a list of three, side by side. */
export function restartPlan(url: string): Plan {
  const items = { list: '["x", "y", "z"]', as: 'item', concurrent: 3 };
  return plan({
    models: [model('up/model-1')],
    providers: [planProvider('up', { url })],
    tasks: [
      task('write', [
        modelStep('first', ['up/model-1'], { prompt: template('first') }),
        modelStep('second', ['up/model-1'], {
          after: ['first'],
          prompt: template('second ${{ size(steps.first.text) }}'),
        }),
        modelStep('many', ['up/model-1'], {
          after: ['second'],
          each: items,
          prompt: template('many ${{ item }} ${{ size(steps.second.text) }}'),
        }),
      ]),
    ],
  });
}

export interface RestartEngine {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly providers: ProviderRegistry;
}

export async function restartEngine(path: string, url: string): Promise<RestartEngine> {
  const given = restartPlan(url);
  const clock = systemClock;
  const random = seededRandom(process.pid);
  const ledger = await openLedger({ path, synchronous: 'normal', clock });
  const budgets = createBudgets({ clock, accounts: ledger.accounts, matches: () => true });
  budgets.configure(given);
  const providers = testRegistry();
  const engine = createEngine({
    currentPlan: () => given,
    planByHash: (hash) => Promise.resolve(hash === given.hash ? given : undefined),
    executors: createExecutors(),
    providers,
    policies: createPolicies({ clock, random }),
    rateGates: createRateGates({ clock }),
    budgets,
    guards: createGuards({ clock, switches: [] }),
    recorder: ledger,
    history: ledger,
    runtime: createEmbeddedRuntime({ clock, recorder: ledger }),
    bounds: new LearntBounds(),
    promptCaches: new PromptCaches(clock),
    usageAlerts: new UsageAlerts(),
    durableRuns: 100,
    thread: createWorkThread(clock),
    signals: createSignals({ clock }),
    clock,
    random,
  });
  return { engine, ledger, providers };
}

const [path, url] = process.argv.slice(2);
if (import.meta.main && path !== undefined && url !== undefined) {
  const { engine } = await restartEngine(path, url);
  const started = await engine.start({
    task: 'write',
    input: { text: 't' },
    caller: { name: 'local', team: null, tier: null, tags: {}, scopes: ['admin'], keyId: null },
  });
  // The parent reads the id, then kills this process in the middle of a call.
  console.log(started.kind === 'started' ? started.run.id : started.kind);
  setInterval(() => undefined, 1_000);
}
