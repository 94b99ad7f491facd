// What traffic shows of models: how long they take, how much they say, how often they fail and at what hour, how often an answer is taken.
import type { Random } from '../common/random.ts';
import { seededRandom } from '../common/random.ts';
import type { ErrorClass } from '../engine/providers/port.ts';
import type { Traffic, TrafficAttempt } from './traffic.ts';
import { stepOfPath } from './traffic.ts';

/** Kept of each model and step: enough for a distribution, in a fixed amount of memory. */
const SAMPLES = 256;
/** Fewer answers than this say nothing of a step: what is known of the model elsewhere is taken, and told so. */
export const ENOUGH = 20;
const INPUTS_TOLD_APART = 2 ** 22;
const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Judged by the workflow, not by the provider: the provider answered. */
const JUDGED: ReadonlySet<string> = new Set([
  'succeeded',
  'not_accepted',
  'invalid_output',
  'empty_answer',
  'wrong_model',
]);
/** They say something of the moment, not of the request. */
const OF_THE_PROVIDER: ReadonlySet<string> = new Set<ErrorClass>([
  'rate_limited',
  'quota_exhausted',
  'overloaded',
  'server_error',
  'connection',
  'timeout',
  'first_token_timeout',
  'stalled',
  'cut_stream',
  'malformed_stream',
]);

export interface SpeedSample {
  readonly latencyMs: number;
  readonly firstTokenMs: number | null;
  readonly outputTokens: number;
}

/** Of one model, in one step or in all. */
export class ModelProfile {
  answers = 0;
  taken = 0;
  inputTokens = 0;
  cachedInputTokens = 0;
  outputTokens = 0;
  outputSquares = 0;
  readonly samples: SpeedSample[] = [];

  add(attempt: TrafficAttempt, random: Random): void {
    if (!JUDGED.has(attempt.outcome)) return;
    this.answers += 1;
    if (attempt.outcome === 'succeeded') this.taken += 1;
    this.inputTokens += attempt.inputTokens;
    this.cachedInputTokens += attempt.cachedInputTokens;
    this.outputTokens += attempt.outputTokens;
    this.outputSquares += attempt.outputTokens ** 2;
    // A reservoir: each answer is as likely to be in it as any other.
    const at = this.samples.length < SAMPLES ? this.samples.length : Math.floor(random() * this.answers);
    if (at < SAMPLES) this.samples[at] = attempt;
  }

  get meanOutput(): number {
    return this.answers === 0 ? 0 : this.outputTokens / this.answers;
  }

  /** Two standard errors of the mean length of an answer, as a share of it. */
  get outputError(): number {
    const { answers, meanOutput } = this;
    if (answers < 2 || meanOutput === 0) return 1;
    const variance = Math.max(0, this.outputSquares / answers - meanOutput ** 2);
    return (2 * Math.sqrt(variance / answers)) / meanOutput;
  }

  get cachedShare(): number {
    return this.inputTokens === 0 ? 0 : this.cachedInputTokens / this.inputTokens;
  }
}

interface Failures {
  calls: number;
  readonly byClass: Map<ErrorClass, number>;
}

interface StepSizes {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  heldTokens: number;
}

export class Profiles {
  readonly #ofModels = new Map<string, ModelProfile>();
  readonly #ofSteps = new Map<string, ModelProfile>();
  readonly #sizes = new Map<string, StepSizes>();
  readonly #failures = new Map<string, Failures>();
  readonly #seen = new Uint8Array(INPUTS_TOLD_APART);
  readonly #random = seededRandom(1);
  /** Of the traffic. */
  runs = 0;

  add(atMs: number, task: string, path: string, attempt: TrafficAttempt): void {
    const step = stepOfPath(path);
    of(this.#ofModels, attempt.model, () => new ModelProfile()).add(attempt, this.#random);
    of(this.#ofSteps, `${task}\n${step}\n${attempt.model}`, () => new ModelProfile()).add(
      attempt,
      this.#random,
    );
    if (attempt.inputTokens > 0) {
      const sizes = of(this.#sizes, `${task}\n${step}`, () => ({
        calls: 0,
        inputTokens: 0,
        outputTokens: 0,
        heldTokens: 0,
      }));
      sizes.calls += 1;
      sizes.inputTokens += attempt.inputTokens;
      sizes.outputTokens += attempt.outputTokens;
      sizes.heldTokens += attempt.heldTokens;
    }
    const failures = of(this.#failures, hourKey(attempt.model, atMs), (): Failures => ({
      calls: 0,
      byClass: new Map(),
    }));
    failures.calls += 1;
    const { outcome } = attempt;
    if (outcome !== 'succeeded' && OF_THE_PROVIDER.has(outcome))
      failures.byClass.set(outcome, (failures.byClass.get(outcome) ?? 0) + 1);
  }

  addInput(input: number): void {
    this.runs += 1;
    const at = input % INPUTS_TOLD_APART;
    this.#seen[at] = this.#seen[at] === 0 ? 1 : 2;
  }

  /** Whether another run has this input, so that what came of it has to be remembered. Of very long traffic it may say so of one that has not. */
  comesBack(input: number): boolean {
    return this.#seen[input % INPUTS_TOLD_APART] === 2;
  }

  /** In the step where enough is known of it there, else anywhere; undefined: the model was never used. */
  of(
    task: string,
    path: string,
    model: string,
  ): { readonly profile: ModelProfile; readonly here: boolean } | undefined {
    const here = this.#ofSteps.get(`${task}\n${stepOfPath(path)}\n${model}`);
    if (here !== undefined && here.answers >= ENOUGH) return { profile: here, here: true };
    const anywhere = this.#ofModels.get(model);
    return anywhere === undefined || anywhere.answers === 0 ? undefined : { profile: anywhere, here: false };
  }

  inStep(task: string, path: string, model: string): ModelProfile | undefined {
    return this.#ofSteps.get(`${task}\n${stepOfPath(path)}\n${model}`);
  }

  /** Means of what the step was asked, by whichever model. */
  sizes(
    task: string,
    path: string,
  ):
    | { readonly inputTokens: number; readonly outputTokens: number; readonly heldTokens: number }
    | undefined {
    const sizes = this.#sizes.get(`${task}\n${stepOfPath(path)}`);
    if (sizes === undefined) return undefined;
    return {
      inputTokens: Math.round(sizes.inputTokens / sizes.calls),
      outputTokens: Math.round(sizes.outputTokens / sizes.calls),
      heldTokens: Math.round(sizes.heldTokens / sizes.calls),
    };
  }

  /** How the model fails at that hour of the day; `at` in [0, 1) chooses. undefined: it answers. */
  failure(model: string, atMs: number, at: number): ErrorClass | undefined {
    const failures = this.#failures.get(hourKey(model, atMs));
    if (failures === undefined) return undefined;
    let left = at * failures.calls;
    for (const [kind, count] of failures.byClass) {
      if (left < count) return kind;
      left -= count;
    }
    return undefined;
  }
}

const hourKey = (model: string, atMs: number): string => `${model}\n${Math.floor(atMs / HOUR_MS) % HOURS}`;

function of<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
}

/** One look at all of the traffic. */
export async function profilesOf(
  traffic: Traffic,
): Promise<{ readonly profiles: Profiles; readonly costNanoUsd: bigint }> {
  const profiles = new Profiles();
  let costNanoUsd = 0n;
  for await (const run of traffic.runs()) {
    profiles.addInput(run.input);
    for (const { path, attempts } of run.steps)
      for (const attempt of attempts) {
        costNanoUsd += attempt.costNanoUsd;
        profiles.add(run.atMs, run.task, path, attempt);
      }
  }
  return { profiles, costNanoUsd };
}
