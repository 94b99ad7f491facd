// Two fault servers behind the real SDKs, the whole engine over a real ledger, and a clock that runs ahead of the sockets without losing them.
import { setTimeout as realSleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { RunEvent, RunRequest, RunResult, RunSnapshot } from '../../src/engine/execution/port.ts';
import { loadTokenizer } from '../../src/engine/execution/tokens.ts';
import type { PlanModel, PlanPolicy, PlanProvider } from '../../src/language/plan/types.ts';
import { engineFixture, snapshotOf } from '../support/engine-fixture.ts';
import type { Fixture } from '../support/engine-fixture.ts';
import { model, modelStep, plan, policy, rates, rule, task } from '../support/engine-plan.ts';
import { startFaultServer } from '../support/fault-server.ts';
import type { FaultServer } from '../support/fault-server.ts';
import { planProvider, testRegistry } from '../support/provider-plan.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';
import type { SimulatedClock } from '../support/simulated-clock.ts';

export type Wire = 'chat' | 'responses' | 'messages';

/** Each protocol in front, with another one behind it. */
export const WIRES: readonly { readonly first: Wire; readonly second: Wire }[] = [
  { first: 'chat', second: 'messages' },
  { first: 'responses', second: 'chat' },
  { first: 'messages', second: 'responses' },
];

const STEP_MS = 20;
/** So many are left to the sockets after the last run has ended. */
const MOMENTS = 10;

/** All that a good answer of the fault server says. */
export const WHOLE = Array.from({ length: 60 }, (_, index) => `t${index + 1}`).join(' ');

export interface Scene {
  readonly first: FaultServer;
  readonly second: FaultServer;
  readonly fixture: Fixture;
  readonly clock: SimulatedClock;
  /** Begins a run of the task, which ends while time passes. */
  begin(request?: Partial<RunRequest>): Promise<RunResult>;
  /** Runs the task to its end; `shown` is what a reader of the stream has before the eyes at the end. */
  play(request?: Partial<RunRequest>): Promise<Played>;
  /** Lets simulated time pass, with every socket served; where no run is under way, what is left of it at once. */
  pass(ms: number): Promise<void>;
}

export interface Played {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  readonly shown: string;
  readonly tookMs: number;
}

export interface SceneOptions {
  readonly wires: { readonly first: Wire; readonly second: Wire };
  readonly policy?: Partial<PlanPolicy>;
  /** Default: the first model, then the second. */
  readonly route?: readonly string[];
  readonly firstModel?: Partial<PlanModel>;
  readonly secondModel?: Partial<PlanModel>;
  readonly deadlineMs?: number;
  /** A second candidate after so long. */
  readonly hedgeAfterMs?: number;
}

/** A provider over the official SDK, at the fault server. */
function provider(name: string, wire: Wire, server: FaultServer): PlanProvider {
  return wire === 'messages'
    ? planProvider(name, { adapter: 'anthropic', url: server.url })
    : planProvider(name, { adapter: 'openai', api: wire, url: server.openaiUrl });
}

export async function scene(options: SceneOptions): Promise<Scene> {
  await loadTokenizer();
  const clock = createSimulatedClock();
  const [first, second] = await Promise.all([startFaultServer({ clock }), startFaultServer({ clock })]);
  const given: PlanPolicy = { ...policy, ...options.policy };
  const registry = testRegistry({ clock });
  const models = [
    model('first/small', { price: rates(1n), policy: given, ...options.firstModel }),
    model('first/twin', { price: rates(1n), policy: given, ...options.firstModel }),
    model('second/large', {
      price: rates(3n),
      policy: given,
      contextTokens: 400_000,
      ...options.secondModel,
    }),
  ];
  const { deadlineMs = 120_000, route = ['first/small', 'second/large'], hedgeAfterMs } = options;
  const hedge =
    hedgeAfterMs === undefined ? null : { after: { kind: 'delay' as const, ms: hedgeAfterMs }, atMost: 1 };
  const fixture = await engineFixture({
    plan: plan({
      models,
      providers: [
        provider('first', options.wires.first, first),
        provider('second', options.wires.second, second),
      ],
      tasks: [
        task('write', [modelStep('say', [rule(route, { hedge })])], {
          allowance: { deadlineMs, attempts: 10, costNanoUsd: null },
        }),
      ],
    }),
    providers: registry,
    clock,
  });
  onTestFinished(async () => {
    await registry.close();
    await Promise.all([first.close(), second.close()]);
  });

  let underWay = 0;
  const begin = async (request: Partial<RunRequest> = {}): Promise<RunResult> => {
    underWay += 1;
    return fixture.run('write', request).finally(() => (underWay -= 1));
  };
  /** Sockets live in real time: each step of the clock leaves them a moment. */
  const step = async (stepMs: number): Promise<void> => {
    await realSleep(0);
    await clock.flush();
    await clock.advance(stepMs);
  };

  return {
    first,
    second,
    fixture,
    clock,
    begin,
    async play(request = {}) {
      const startedAtMs = clock.monotonicMs();
      const events: RunEvent[] = [];
      let shown = '';
      const ended: { atMs?: number } = {};
      const running = begin({
        ...request,
        onEvent: (event) => {
          events.push(event);
          if (event.type === 'text') shown += event.delta;
          if (event.type === 'restart') shown = '';
        },
      }).finally(() => (ended.atMs = clock.monotonicMs()));
      for (let steps = 0; ended.atMs === undefined; steps += 1) {
        if (steps > 60_000) throw new Error('the run does not end');
        await step(STEP_MS);
      }
      return { result: await running, events, shown, tookMs: ended.atMs - startedAtMs };
    },
    async pass(ms) {
      const endMs = clock.monotonicMs() + ms;
      for (let idle = 0; clock.monotonicMs() < endMs; idle = underWay > 0 ? 0 : idle + 1)
        await step(idle > MOMENTS ? endMs - clock.monotonicMs() : STEP_MS);
    },
  };
}

/** The run of a result; its text is whole, whoever gave it. */
export function answered({ result }: Played): RunSnapshot {
  const snapshot = snapshotOf(result);
  expect(snapshot.run).toMatchObject({ status: 'succeeded', output: { text: WHOLE } });
  return snapshot;
}

/** What holds after every scenario: a row for each call that reached a provider, nothing held, and a healthy call is answered. */
export async function aftermath(stage: Scene, { result }: Played): Promise<void> {
  const { first, second, fixture } = stage;
  const runId =
    result.kind === 'run'
      ? result.snapshot.run.id
      : result.kind === 'no_provider_available'
        ? result.runId
        : null;
  const rows = (await fixture.ledger.attemptsOf([runId ?? ''])).get(runId ?? '') ?? [];
  expect(rows).toHaveLength(first.calls.length + second.calls.length);
  expect(rows.every(({ status }) => status !== 'open')).toBe(true);
  const row = await fixture.ledger.run(runId ?? '');
  expect(row?.costNanoUsd).toBe(rows.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));

  first.reset();
  second.reset();
  await stage.pass(100);
  const healthy = answered(await stage.play());
  expect(healthy.attempts).toHaveLength(1);
}
