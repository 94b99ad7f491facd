// Simulated traffic: the real router, policies and signals, against models that answer, dawdle and fail as a test says, in simulated time.
import { sleep } from '../../src/common/clock.ts';
import { seededRandom, type Random } from '../../src/common/random.ts';
import type { PlanModel, PlanRule } from '../../src/language/plan/types.ts';
import { createPolicies } from '../../src/engine/resilience/policies.ts';
import type { Policies } from '../../src/engine/resilience/port.ts';
import { decide, type Decided } from '../../src/engine/routing/decide.ts';
import type { Strategy } from '../../src/engine/routing/port.ts';
import { createSignals, type LearningSignals } from '../../src/engine/routing/signals.ts';
import { createSimulatedClock, type SimulatedClock } from './simulated-clock.ts';

/** How a model answers a call that starts at that time. */
export type Behaviour = (atMs: number, random: Random) => { readonly afterMs: number; readonly ok: boolean };

/** Around `typicalMs`, with a tail: one call in a hundred takes some five times as long. */
export function answersIn(typicalMs: number): Behaviour {
  return (_atMs, random) => ({
    afterMs: typicalMs * (0.7 + 0.6 * random()) * (random() < 0.01 ? 5 : 1),
    ok: true,
  });
}

export function failsIn(ms: number): Behaviour {
  return () => ({ afterMs: ms, ok: false });
}

export interface TrafficModel {
  /** May be replaced while traffic runs, as a reload does. */
  model: PlanModel;
  readonly weight?: number;
  behaviour: Behaviour;
}

export interface Call {
  readonly modelKey: string;
  readonly request: number;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly ok: boolean;
  /** First choice of its request, or a fallback. */
  readonly place: number;
  /** Calls of that model that ran beside it when it started. */
  readonly beside: number;
}

export interface Served {
  readonly request: number;
  readonly arrivedMs: number;
  readonly doneMs: number;
  readonly by: string | null;
  readonly decided: Decided;
}

export interface TrafficOptions {
  readonly seed: number;
  readonly pick: PlanRule['pick'];
  readonly models: readonly TrafficModel[];
  /** Instead of the strategy of that name. */
  readonly strategy?: Strategy;
  readonly inputTokens?: (random: Random) => number;
}

export interface Traffic {
  readonly clock: SimulatedClock;
  readonly policies: Policies;
  readonly signals: LearningSignals;
  readonly calls: Call[];
  readonly served: Served[];
  /** A model that joins now. */
  join(model: TrafficModel): void;
  /** Requests at random times, so many a second on average, for that long; ends when the last is served. */
  run(perSecond: number, forMs: number): Promise<void>;
  /** The share of first choices that a model got since a time. */
  share(modelKey: string, sinceMs?: number): number;
}

export function simulateTraffic(options: TrafficOptions): Traffic {
  const clock = createSimulatedClock();
  const random = seededRandom(options.seed);
  const policies = createPolicies({ clock, random });
  const signals = createSignals({ clock });
  const models = [...options.models];
  const calls: Call[] = [];
  const served: Served[] = [];
  const running = new Map<string, number>();
  let requests = 0;

  const look = (inputTokens: number, failed: ReadonlySet<string>): Decided => {
    const rule: PlanRule = {
      name: 'traffic[0]',
      when: null,
      pick: options.pick,
      candidates: models.map(({ model, weight = 1 }) => ({ model: model.key, weight })),
      hedge: null,
    };
    const decided = decide({
      rule,
      models: Object.fromEntries(models.map(({ model }) => [model.key, model])),
      task: 'task',
      step: 'step',
      needs: { capabilities: ['text'], inputTokens: () => inputTokens, maxOutputTokens: 400 },
      world: {
        nowMs: clock.nowMs(),
        unavailable: () => undefined,
        refusal: (model) => policies.get(model.key, model.policy).refusal(),
        rateDelayMs: () => 0,
        fits: () => undefined,
        failed,
        neededTokens: 0,
      },
      signals,
      random,
      inFlight: (key) => running.get(key) ?? 0,
      stickyKey: `caller-${requests}`,
      streaming: false,
    });
    if (options.strategy === undefined) return decided;
    const ranked = options.strategy.order(
      decided.ranked.map(({ candidate }) => candidate),
      { signals, random, nowMs: clock.nowMs(), stickyKey: `caller-${requests}`, streaming: false },
    );
    return { ...decided, ranked };
  };

  const call = async (model: TrafficModel, request: number, place: number): Promise<boolean> => {
    const { key, policy } = model.model;
    const beside = running.get(key) ?? 0;
    running.set(key, beside + 1);
    const startedMs = clock.monotonicMs();
    const run = await policies.get(key, policy).run(
      async (signal) => {
        const { afterMs, ok } = model.behaviour(clock.monotonicMs(), random);
        try {
          await sleep(clock, afterMs, signal);
          return ok;
        } catch {
          return false;
        }
      },
      {
        signal: new AbortController().signal,
        timeoutMs: policy.timeoutMs,
        health: (ok) => (ok ? 'success' : 'failure'),
      },
    );
    running.set(key, (running.get(key) ?? 1) - 1);
    if (run.kind !== 'done') return false;
    const endedMs = clock.monotonicMs();
    calls.push({ modelKey: key, request, startedMs, endedMs, ok: run.value, place, beside });
    signals.observe({
      modelKey: key,
      task: 'task',
      step: 'step',
      health: run.value ? 'success' : 'failure',
      totalMs: endedMs - startedMs,
      firstTokenMs: null,
      outputTokens: run.value ? 100 : null,
    });
    return run.value;
  };

  const serve = async (): Promise<void> => {
    const request = requests;
    requests += 1;
    const arrivedMs = clock.monotonicMs();
    const inputTokens = options.inputTokens?.(random) ?? 1_000;
    const failed = new Set<string>();
    let place = 0;
    const first = look(inputTokens, failed);
    for (let decided = first; ; decided = look(inputTokens, failed)) {
      const [best] = decided.ranked;
      const model = models.find(({ model }) => model.key === best?.candidate.model.key);
      if (model === undefined) {
        served.push({ request, arrivedMs, doneMs: clock.monotonicMs(), by: null, decided: first });
        return;
      }
      if (await call(model, request, place)) {
        served.push({ request, arrivedMs, doneMs: clock.monotonicMs(), by: model.model.key, decided: first });
        return;
      }
      failed.add(model.model.key);
      place += 1;
    }
  };

  return {
    clock,
    policies,
    signals,
    calls,
    served,
    join: (model) => void models.push(model),
    async run(perSecond, forMs) {
      const untilMs = clock.monotonicMs() + forMs;
      const open: Promise<void>[] = [];
      for (;;) {
        const pauseMs = (-Math.log(1 - random()) * 1_000) / perSecond;
        if (clock.monotonicMs() + pauseMs > untilMs) break;
        await clock.advance(pauseMs);
        open.push(serve());
      }
      await clock.advance(Math.max(0, untilMs - clock.monotonicMs()));
      await clock.settle(Promise.all(open));
    },
    share(modelKey, sinceMs = 0) {
      const firsts = calls.filter(({ place, startedMs }) => place === 0 && startedMs >= sinceMs);
      return firsts.filter((call) => call.modelKey === modelKey).length / Math.max(1, firsts.length);
    },
  };
}

/** The value that so many percent of the numbers do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
