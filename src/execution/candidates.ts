// The candidates of a step, tried until one answers: retry here, go elsewhere or give up; wait in line where everyone is short.
import { sleep } from '../common/clock.ts';
import type { Json } from '../common/json.ts';
import type { NanoUsd } from '../common/money.ts';
import type { PlanModel, PlanRule } from '../plan/types.ts';
import type { ModelRequest, ProviderAnswer, ProviderError } from '../providers/port.ts';
import { costOf } from '../routing/cost.ts';
import { decide, withChosen } from '../routing/decide.ts';
import type { Decided } from '../routing/decide.ts';
import type { RequestNeeds } from '../routing/eligibility.ts';
import { hedgeCandidate, hedgeDelayMs } from '../routing/hedge.ts';
import type { Candidate, RouteDecision } from '../routing/port.ts';
import { makeAttempt } from './attempt.ts';
import type { AttemptEnd, Verdict } from './attempt.ts';
import { inputBound } from './choice.ts';
import type { ModelChoice } from './choice.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import { race } from './race.ts';
import type { Finished, Runner } from './race.ts';
import type { AttemptRecord, StepRecord } from './records.ts';
import { repairPrompt } from './repair.ts';
import { deadlineExceeded, stopped } from './stop.ts';
import {
  attemptsExhausted,
  budgetExceeded,
  costExhausted,
  gaveUp,
  nobodyLeft,
  spendingPaused,
} from './step-failures.ts';
import { StepWorld } from './step-world.ts';
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
}

/** Of a candidate that nothing is learnt about. */
const TYPICAL_LATENCY_MS = 1_000;
const MAX_REFUSALS = 3;

/** The step's output, or a RunFailure. Every attempt is settled when this ends. */
export async function answer(parts: EngineParts, ask: StepAsk): Promise<Json> {
  return new Candidates(parts, ask).answer();
}

class Candidates {
  readonly #parts: EngineParts;
  readonly #ask: StepAsk;
  readonly #needs: RequestNeeds;
  readonly #world: StepWorld;
  readonly #sink: TextSink | null;
  readonly #attempts: AttemptRecord[] = [];
  readonly #repairs = new Map<string, ModelRequest>();
  /** Monotonic, of the first attempt: what it waited is its queue time. */
  #askedAtMs: number;
  #completed = false;
  #lastError: ProviderError | undefined;
  /** The candidate whose turn it is again, after a pause. */
  #preferred: string | undefined;

  constructor(parts: EngineParts, ask: StepAsk) {
    this.#parts = parts;
    this.#ask = ask;
    const { run, request, size } = ask;
    this.#needs = {
      capabilities: request.structured === null ? ['text'] : ['structuredOutput'],
      inputTokens: (model) => inputBound(run.plan, model, size),
      likelyInputTokens: size.tokens,
      maxOutputTokens: request.maxOutputTokens,
    };
    this.#world = new StepWorld(parts, run, this.#needs);
    this.#sink = run.stream ? new TextSink(run, ask.stepKey, () => parts.clock.nowMs()) : null;
    this.#askedAtMs = parts.clock.monotonicMs();
  }

  async answer(): Promise<Json> {
    const { run, signal, stepKey } = this.#ask;
    for (;;) {
      if (signal.aborted) throw stopped(run, signal, stepKey);
      const decided = this.#decide();
      const chosen =
        decided.ranked.find(({ candidate }) => candidate.model.key === this.#preferred) ?? decided.ranked[0];
      const ends =
        chosen === undefined ? await this.#waitInLine(decided) : await this.#call(chosen.candidate, decided);
      this.#preferred = undefined;
      for (const finished of ends) {
        if (finished.end.kind === 'answered') return finished.end.output;
      }
      for (const finished of ends) await this.#learn(finished, decided);
    }
  }

  #decide(): Decided {
    const { run, rule, step, request } = this.#ask;
    const { signals, random } = this.#parts;
    return decide({
      rule,
      models: run.plan.models,
      task: run.record.task,
      step,
      needs: this.#needs,
      world: this.#world,
      signals,
      random,
      inFlight: (key) => this.#inFlight(key),
      stickyKey: run.caller.name,
      streaming: request.stream,
    });
  }

  #inFlight(modelKey: string): number {
    const model = this.#ask.run.plan.models[modelKey];
    if (model === undefined) return 0;
    const { policy } = this.#world.model(model);
    return policy.inFlight() + policy.queued();
  }

  /** Calls the candidate, with a second one beside it where the rule says so and it is slow. */
  async #call(candidate: Candidate, decided: Decided): Promise<readonly Finished[]> {
    const { rule, request, signal, run } = this.#ask;
    const delayMs = hedgeDelayMs(rule.hedge, this.#parts.signals, candidate.model.key, request.stream);
    if (delayMs === null || rule.hedge === null) {
      return [{ modelKey: candidate.model.key, end: await this.#attempt(candidate, decided, signal, null) }];
    }
    const runner = (of: Candidate, from: Decided): Runner => ({
      modelKey: of.model.key,
      start: (attemptSignal) => this.#attempt(of, from, attemptSignal, null),
    });
    const next = (
      called: ReadonlySet<string>,
    ): { readonly runner: Runner; readonly delayMs: number | null } | undefined => {
      // A hedge that would take the last attempt could leave nothing for a retry; it is a luxury, and refused first.
      if (run.allowance.attemptsLeft < 1) return undefined;
      const now = this.#decide();
      const second = hedgeCandidate(now.ranked, called)?.candidate;
      if (second === undefined) return undefined;
      return {
        runner: runner(second, now),
        delayMs: hedgeDelayMs(rule.hedge, this.#parts.signals, second.model.key, request.stream),
      };
    };
    return race(
      this.#parts.clock,
      runner(candidate, decided),
      { delayMs, atMost: rule.hedge.atMost, next },
      signal,
    );
  }

  /** Nobody can serve now. Where that is for rates alone, this waits in line for whoever is first; a circuit is not waited for. */
  async #waitInLine(decided: Decided): Promise<readonly Finished[]> {
    const { run, signal } = this.#ask;
    const { clock } = this.#parts;
    const waiting = soonest(decided);
    if (waiting === undefined) {
      // What other steps of this run hold at its worst case may be given back when they are settled.
      if (this.#world.allowanceRefused && (await run.allowance.nextSettlement(signal))) {
        this.#world.allowanceRefused = false;
        return [];
      }
      throw signal.aborted ? stopped(run, signal, this.#ask.stepKey) : this.#nobody(decided);
    }
    const { candidate, delayMs } = waiting;
    const deadlineAtMs = run.allowance.limits.deadlineAtMs;
    if (clock.monotonicMs() + delayMs >= deadlineAtMs) throw this.#nobody(decided);

    const restMs = this.#world.state(candidate.model.key).restsUntilMs - clock.monotonicMs();
    if (restMs > 0) {
      await this.#pause(restMs);
      this.#preferred = candidate.model.key;
      return [];
    }
    const { gates } = this.#world.model(candidate.model);
    const tokens = this.#rateTokens();
    const taken: number[] = [];
    for (const gate of gates) {
      if (await gate.wait(tokens, deadlineAtMs, signal)) {
        taken.push(clock.monotonicMs());
        continue;
      }
      gates.forEach((other, index) => {
        const takenAtMs = taken[index];
        if (takenAtMs !== undefined) other.release(tokens, takenAtMs);
      });
      throw signal.aborted
        ? stopped(run, signal, this.#ask.stepKey)
        : deadlineExceeded(run, this.#ask.stepKey);
    }
    return [
      {
        modelKey: candidate.model.key,
        end: await this.#attempt(candidate, decided, signal, clock.monotonicMs()),
      },
    ];
  }

  async #attempt(
    candidate: Candidate,
    decided: Decided,
    signal: AbortSignal,
    rateTakenAtMs: number | null,
  ): Promise<AttemptEnd> {
    const { run, stepKey, request, judge } = this.#ask;
    const { model } = candidate;
    const choice = this.#choice(candidate);
    const writer = this.#sink?.writer() ?? null;
    const asked = this.#repairs.get(model.key) ?? request;
    const end = await makeAttempt(this.#parts, {
      run,
      stepKey,
      choice,
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
      receipt: (output) => this.#complete(output),
      askedAtMs: this.#askedAtMs,
    });
    this.#askedAtMs = this.#parts.clock.monotonicMs();
    if (end.kind === 'answered' || end.kind === 'failed') this.#attempts.push(end.record);
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

  #choice(candidate: Candidate): ModelChoice {
    const bound = this.#needs.inputTokens(candidate.model);
    return {
      ...this.#world.model(candidate.model),
      inputTokens: Math.min(bound, this.#ask.size.tokens),
      worstTokens: bound + this.#needs.maxOutputTokens,
      holdNanoUsd: candidate.holdNanoUsd,
      rateTokens: this.#rateTokens(),
    };
  }

  #rateTokens(): number {
    return this.#ask.size.tokens + this.#needs.maxOutputTokens;
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

  /** What an end without an answer means for what is tried next. */
  async #learn({ modelKey, end }: Finished, decided: Decided): Promise<void> {
    const { run, signal, stepKey } = this.#ask;
    switch (end.kind) {
      case 'answered':
        return;
      case 'stopped':
        if (signal.aborted) throw stopped(run, signal, stepKey);
        return;
      case 'allowance':
        if (end.refusal === 'deadline') throw deadlineExceeded(run, stepKey);
        if (end.refusal === 'attempts') throw attemptsExhausted(run, stepKey, this.#lastError);
        // Another step of the run took what was left meanwhile: the next look sees it.
        return;
      case 'budget':
        this.#refusedByBudget(modelKey, end.refusal);
        return;
      case 'paused':
        throw spendingPaused(end.switch, stepKey);
      case 'refused':
        // The breaker opened or the queue filled between the look and the call: the next look sees it, and a few looks are enough.
        this.#world.state(modelKey).refusals += 1;
        if (this.#world.state(modelKey).refusals >= MAX_REFUSALS) this.#world.failed.add(modelKey);
        return;
      case 'failed':
        if (signal.aborted) throw stopped(run, signal, stepKey);
        await this.#failed(modelKey, end.error, end.answer, decided);
    }
  }

  #refusedByBudget(modelKey: string, refusal: Extract<AttemptEnd, { kind: 'budget' }>['refusal']): void {
    const { run, stepKey } = this.#ask;
    const scope = run.plan.budgets.find(({ id }) => id === refusal.budgetId)?.scope.kind;
    // A provider's or a model's own budget says nothing against the others; any other budget that rejects, rejects the run.
    if (refusal.action === 'reject' && scope !== 'provider' && scope !== 'model')
      throw budgetExceeded(refusal, stepKey, this.#parts.clock.nowMs());
    this.#world.budgetRefusal = refusal;
    this.#world.failed.add(modelKey);
  }

  async #failed(
    modelKey: string,
    error: ProviderError,
    given: ProviderAnswer | null,
    decided: Decided,
  ): Promise<void> {
    const { run, stepKey, request } = this.#ask;
    this.#lastError = error;
    const model = run.plan.models[modelKey];
    const state = this.#world.state(modelKey);
    if (error.class === 'context_length' && model !== undefined) {
      this.#world.refusedContextTokens = Math.max(this.#world.refusedContextTokens, model.contextTokens);
    }
    if (error.advice === 'give-up' && error.class !== 'cancelled')
      throw gaveUp(error, stepKey, decided.decision);
    if (
      error.class === 'invalid_output' &&
      given !== null &&
      !state.repaired &&
      model !== undefined &&
      this.#world.model(model).structuredByWords
    ) {
      state.repaired = true;
      this.#repairs.set(modelKey, { ...request, prompt: repairPrompt(request, given.text, error.message) });
      this.#preferred = modelKey;
      return;
    }
    if (error.advice !== 'retry') {
      this.#world.failed.add(modelKey);
      return;
    }
    await this.#retryOrMove(modelKey, error, decided);
  }

  /** A retry waits no longer than failing over would take. */
  async #retryOrMove(modelKey: string, error: ProviderError, decided: Decided): Promise<void> {
    const { run } = this.#ask;
    const { clock, signals } = this.#parts;
    const model = run.plan.models[modelKey];
    const state = this.#world.state(modelKey);
    const delayMs =
      model === undefined
        ? null
        : this.#world
            .model(model)
            .policy.retryDelayMs(state.retriesDone, state.previousDelayMs, error.retryAfterMs);
    if (delayMs === null) {
      this.#world.failed.add(modelKey);
      return;
    }
    state.retriesDone += 1;
    state.previousDelayMs = delayMs;
    state.restsUntilMs = clock.monotonicMs() + delayMs;
    // A rate limit has closed its gate: others are preferred, and where there are none the line is joined.
    if (error.class === 'rate_limited') return;
    const other = decided.ranked.find(
      ({ candidate }) => candidate.model.key !== modelKey && !this.#world.failed.has(candidate.model.key),
    )?.candidate.model.key;
    const failoverMs =
      other === undefined
        ? Number.POSITIVE_INFINITY
        : (signals.latency(other)?.totalMs ?? TYPICAL_LATENCY_MS);
    // Where it is elsewhere's turn, this one rests and may be come back to.
    if (delayMs > failoverMs || delayMs >= run.allowance.remainingMs(clock.monotonicMs())) return;
    await this.#pause(delayMs);
    this.#preferred = modelKey;
  }

  async #pause(ms: number): Promise<void> {
    const { run, signal, stepKey } = this.#ask;
    try {
      await sleep(this.#parts.clock, ms, signal);
    } catch {
      throw stopped(run, signal, stepKey);
    }
  }

  #nobody(decided: Decided): Error {
    const { run, stepKey } = this.#ask;
    if (run.allowance.attemptsLeft <= 0) return attemptsExhausted(run, stepKey, this.#lastError);
    if (this.#world.budgetRefusal !== undefined)
      return budgetExceeded(this.#world.budgetRefusal, stepKey, this.#parts.clock.nowMs());
    if (this.#world.allowanceRefused && this.#attempts.length === 0) return costExhausted(run, stepKey);
    return nobodyLeft({ run, stepKey, decided, attempts: this.#attempts, lastError: this.#lastError });
  }
}

/** The skipped candidate that only waits for its rates, and the shortest. */
function soonest({
  skipped,
}: Decided): { readonly candidate: Candidate; readonly delayMs: number } | undefined {
  let best: { readonly candidate: Candidate; readonly delayMs: number } | undefined;
  for (const { candidate, skip } of skipped) {
    if (skip.code !== 'no_rate_headroom' || skip.retryAfterMs === null) continue;
    if (best === undefined || skip.retryAfterMs < best.delayMs)
      best = { candidate, delayMs: skip.retryAfterMs };
  }
  return best;
}
