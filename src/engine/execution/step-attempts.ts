// The attempts of one step: each put together from its candidate, the request and the world; one is the step's answer.
import type { Json } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { PlanModel, PlanRule } from '../../language/plan/types.ts';
import type { ModelRequest, ProviderAnswer } from '../providers/port.ts';
import { costOf, worstCost } from '../routing/cost.ts';
import { withChosen } from '../routing/decide.ts';
import type { Decided } from '../routing/decide.ts';
import type { RequestNeeds } from '../routing/eligibility.ts';
import type { Candidate, RouteDecision } from '../routing/port.ts';
import { makeAttempt } from './attempt.ts';
import type { AttemptEnd, Verdict } from './attempt.ts';
import type { ModelChoice } from './choice.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import type { AttemptRecord, StepRecord } from './records.ts';
import type { StepWorld } from './step-world.ts';
import { savingsOf } from './savings.ts';
import { TextSink } from './text-sink.ts';
import type { PromptSize } from './tokens.ts';
import type { Settlement } from './usage.ts';

export interface StepAsk {
  readonly run: LiveRun;
  /** The step's name in the task: what is learnt is learnt for it. */
  readonly step: string;
  /** With the item's number inside `each`: `reviews[3]`. */
  readonly stepKey: string;
  readonly rule: PlanRule;
  readonly request: ModelRequest;
  readonly size: PromptSize;
  readonly judge: (model: PlanModel, answer: ProviderAnswer) => Verdict;
  readonly receipt: (output: Json) => StepRecord;
  readonly signal: AbortSignal;
  /** Cheap candidates go first, and an answer that is not good enough goes on to the next. */
  readonly cascade: boolean;
}

export class StepAttempts {
  /** Those that were called, in the order of their ends. */
  readonly made: AttemptRecord[] = [];
  readonly #parts: EngineParts;
  readonly #ask: StepAsk;
  readonly #needs: RequestNeeds;
  readonly #world: StepWorld;
  readonly #sink: TextSink | null;
  /** Monotonic: when the next attempt was asked for; what it waits from then on is its queue time. */
  #askedAtMs: number;
  #completed = false;

  constructor(parts: EngineParts, ask: StepAsk, needs: RequestNeeds, world: StepWorld) {
    this.#parts = parts;
    this.#ask = ask;
    this.#needs = needs;
    this.#world = world;
    this.#sink = ask.run.stream ? new TextSink(ask.run, ask.stepKey, () => parts.clock.nowMs()) : null;
    this.#askedAtMs = parts.clock.monotonicMs();
  }

  /** What a candidate's rate gates are asked for. */
  get rateTokens(): number {
    return this.#ask.size.tokens + this.#needs.maxOutputTokens;
  }

  /** `rateTakenAtMs`: when its gates were taken while it waited in line; null: they are taken now. */
  async make(
    candidate: Candidate,
    decided: Decided,
    signal: AbortSignal,
    rateTakenAtMs: number | null,
  ): Promise<AttemptEnd> {
    const { run, stepKey, request, judge } = this.#ask;
    const { model } = candidate;
    const writer = this.#sink?.writer() ?? null;
    const asked = this.#world.repair(model.key)?.request ?? request;
    const end = await makeAttempt(this.#parts, {
      run,
      stepKey,
      choice: this.#choice(candidate),
      decision: withChosen(decided.decision, model.key),
      request: {
        ...asked,
        model: model.model,
        stream: asked.stream && model.capabilities.includes('streaming'),
      },
      signal,
      onText: writer === null ? null : (delta) => writer.write(delta),
      rateTakenAtMs,
      judge: (given) => judge(model, given),
      saved: (settlement) => (this.#completed ? 0n : this.#saved(settlement, decided.decision)),
      savings: (settlement, error) =>
        savingsOf({
          plan: run.plan,
          task: run.record.task,
          model,
          settlement,
          cascade: this.#ask.cascade,
          // Of two good answers the second was paid for in vain.
          unused: error === null && !this.#completed ? null : (error ?? 'second'),
        }),
      receipt: (output) => this.#complete(output),
      askedAtMs: this.#askedAtMs,
    });
    this.#askedAtMs = this.#parts.clock.monotonicMs();
    if (end.kind === 'answered' || end.kind === 'failed') this.made.push(end.record);
    if (end.kind === 'answered') writer?.won(end.text);
    else writer?.failed(end.kind === 'failed' ? `${model.key}: ${end.error.class}` : end.kind);
    return end;
  }

  /** Of two good answers the first is the step's; the second is paid for, and that is all. */
  #complete(output: Json): StepRecord | null {
    if (this.#completed) return null;
    this.#completed = true;
    return this.#ask.receipt(output);
  }

  #choice({ model, holdNanoUsd }: Candidate): ModelChoice {
    const extraTokens = this.#world.repair(model.key)?.extraTokens ?? 0;
    const bound = this.#needs.inputTokens(model) + extraTokens;
    const { maxOutputTokens } = this.#needs;
    return {
      parts: this.#world.model(model),
      inputTokens: Math.min(bound, this.#ask.size.tokens + extraTokens),
      worstInputTokens: bound,
      worstTokens: bound + maxOutputTokens,
      holdNanoUsd: extraTokens === 0 ? holdNanoUsd : worstCost(model.price, bound, maxOutputTokens),
      rateTokens: this.rateTokens,
    };
  }

  /** Against the dearest of those that could have served. */
  #saved({ usage, costNanoUsd }: Settlement, decision: RouteDecision): NanoUsd {
    let dearest = costNanoUsd;
    for (const { model: key, skipped } of decision.candidates) {
      if (skipped !== null) continue;
      const model = this.#ask.run.plan.models[key];
      if (model === undefined) continue;
      const cost = costOf(model.price, usage);
      if (cost > dearest) dearest = cost;
    }
    return dearest - costNanoUsd;
  }
}
