// The candidates of a step, tried until one answers: retry here, go elsewhere or give up; wait in line where everyone is short.
import { isOnlyHeld } from '../budget/refusals.ts';
import { sleep } from '../../common/clock.ts';
import type { Json } from '../../common/json.ts';
import type { ProviderAnswer, ProviderError } from '../providers/port.ts';
import { decide } from '../routing/decide.ts';
import type { Decided } from '../routing/decide.ts';
import type { RequestNeeds } from '../routing/eligibility.ts';
import { hedgeCandidate, hedgeDelayMs } from '../routing/hedge.ts';
import type { Candidate, SkipCode } from '../routing/port.ts';
import type { AttemptEnd } from './attempt.ts';
import { inputBound } from './choice.ts';
import type { EngineParts } from './parts.ts';
import { race } from './race.ts';
import type { Finished, Hedging, Runner } from './race.ts';
import { repairOf } from './repair.ts';
import { StepAttempts } from './step-attempts.ts';
import type { StepAsk } from './step-attempts.ts';
import {
  attemptsExhausted,
  budgetExceeded,
  costExhausted,
  gaveUp,
  nobodyLeft,
  spendingPaused,
} from './step-failures.ts';
import { StepWorld } from './step-world.ts';
import { deadlineExceeded, stopped } from './stop.ts';

/** Of a candidate that nothing is learnt about. */
const TYPICAL_LATENCY_MS = 1_000;
/** Times that a policy may refuse a call which it had seemed ready for, before the candidate is left out. */
const MAX_REFUSALS = 3;
const WAITED_FOR: ReadonlySet<SkipCode> = new Set(['no_rate_headroom', 'already_failed']);

/** The step's output, or a RunFailure. Every attempt is settled when this ends. */
export function answer(parts: EngineParts, ask: StepAsk): Promise<Json> {
  return new Candidates(parts, ask).answer();
}

class Candidates {
  readonly #parts: EngineParts;
  readonly #ask: StepAsk;
  readonly #needs: RequestNeeds;
  readonly #world: StepWorld;
  readonly #attempts: StepAttempts;
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
    this.#attempts = new StepAttempts(parts, ask, this.#needs, this.#world);
  }

  async answer(): Promise<Json> {
    const { run, signal, stepKey } = this.#ask;
    for (;;) {
      if (signal.aborted) throw stopped(run, signal, stepKey);
      const decided = this.#decide();
      const chosen =
        decided.ranked.find(({ candidate }) => candidate.model.key === this.#preferred) ?? decided.ranked[0];
      this.#preferred = undefined;
      const ends =
        chosen === undefined ? await this.#waitInLine(decided) : await this.#call(chosen.candidate, decided);
      for (const { end } of ends) if (end.kind === 'answered') return end.output;
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
      inFlight: (key) => this.#world.inFlight(key),
      stickyKey: run.caller.name,
      streaming: request.stream,
    });
  }

  /** Calls the candidate, with a second one beside it where the rule says so and it is slow. */
  #call(candidate: Candidate, decided: Decided): Promise<readonly Finished[]> {
    const { rule, signal } = this.#ask;
    const modelKey = candidate.model.key;
    const delayMs = this.#hedgeDelayMs(candidate);
    if (delayMs === null || rule.hedge === null)
      return this.#attempts.make(candidate, decided, signal, null).then((end) => [{ modelKey, end }]);
    const runner = (of: Candidate, from: Decided): Runner => ({
      modelKey: of.model.key,
      start: (attemptSignal) => this.#attempts.make(of, from, attemptSignal, null),
    });
    const next: Hedging['next'] = (called) => {
      const now = this.#decide();
      const second = hedgeCandidate(now.ranked, called)?.candidate;
      return second && { runner: runner(second, now), delayMs: this.#hedgeDelayMs(second) };
    };
    const hedging = { delayMs, atMost: rule.hedge.atMost, next };
    return race(this.#parts.clock, runner(candidate, decided), hedging, signal);
  }

  #hedgeDelayMs({ model }: Candidate): number | null {
    const { rule, request, run } = this.#ask;
    // A hedge is a luxury: it does not take the last attempt that a retry could need.
    if (rule.hedge === null || run.allowance.attemptsLeft < 2) return null;
    return hedgeDelayMs(rule.hedge, this.#parts.signals, model.key, request.stream);
  }

  /** Nobody can serve now. Where that is for rates alone, this waits in line for whoever is first; a circuit is not waited for. */
  async #waitInLine(decided: Decided): Promise<readonly Finished[]> {
    const { run, signal, stepKey } = this.#ask;
    const { clock } = this.#parts;
    const waiting = soonest(decided);
    if (waiting === undefined) {
      // What other steps of this run hold at its worst case may be given back when they are settled.
      if (this.#world.allowanceRefused && (await run.allowance.nextSettlement(signal))) {
        this.#world.allowanceRefused = false;
        return [];
      }
      throw signal.aborted ? stopped(run, signal, stepKey) : this.#nobody(decided);
    }
    const { candidate, delayMs } = waiting;
    const { deadlineAtMs } = run.allowance.limits;
    if (clock.monotonicMs() + delayMs >= deadlineAtMs) throw this.#nobody(decided);
    // Who cannot pay is told at once, and not when its turn has come.
    const refusal = this.#world.inTheWay(candidate.model, candidate.holdNanoUsd);
    if (refusal !== undefined && !isOnlyHeld(refusal)) {
      this.#refusedByBudget(candidate.model.key, refusal);
      return [];
    }
    const restMs = this.#world.restMs(candidate.model);
    if (restMs > 0) {
      await this.#pause(restMs);
      this.#preferred = candidate.model.key;
      return [];
    }
    if (!(await this.#world.enterGates(candidate.model, this.#attempts.rateTokens, deadlineAtMs, signal))) {
      throw signal.aborted ? stopped(run, signal, stepKey) : deadlineExceeded(run, stepKey);
    }
    const end = await this.#attempts.make(candidate, decided, signal, clock.monotonicMs());
    return [{ modelKey: candidate.model.key, end }];
  }

  /** What an end without an answer means for what is tried next. */
  async #learn({ modelKey, end }: Finished, decided: Decided): Promise<void> {
    const { run, signal, stepKey } = this.#ask;
    const state = this.#world.state(modelKey);
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
        state.refusals += 1;
        if (state.refusals >= MAX_REFUSALS) this.#world.failed.add(modelKey);
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
    if (refusal.action === 'reject' && scope !== 'provider' && scope !== 'model') {
      throw budgetExceeded(refusal, stepKey, this.#parts.clock.nowMs());
    }
    this.#world.budgetRefusal = refusal;
    this.#world.failed.add(modelKey);
  }

  async #failed(
    modelKey: string,
    error: ProviderError,
    given: ProviderAnswer | null,
    decided: Decided,
  ): Promise<void> {
    const { stepKey } = this.#ask;
    this.#lastError = error;
    if (error.advice === 'give-up' && error.class !== 'cancelled')
      throw gaveUp(error, stepKey, decided.decision);
    if (error.class === 'context_length') this.#world.refusedAsTooLong(modelKey);
    if (error.class === 'invalid_output' && given !== null && this.#repair(modelKey, given, error)) return;
    if (error.advice === 'retry') await this.#retryOrMove(modelKey, error, decided);
    else this.#world.failed.add(modelKey);
  }

  /** Once, where the provider could not be held to the schema. */
  #repair(modelKey: string, given: ProviderAnswer, error: ProviderError): boolean {
    const { request } = this.#ask;
    const state = this.#world.state(modelKey);
    if (state.repair !== undefined || !this.#world.byKey(modelKey)?.structuredByWords) return false;
    state.repair = repairOf(request, given.text, error.message);
    this.#preferred = modelKey;
    return true;
  }

  /** Retries wait, all together, no longer than failing over would take. */
  async #retryOrMove(modelKey: string, error: ProviderError, decided: Decided): Promise<void> {
    const { run } = this.#ask;
    const { clock, signals } = this.#parts;
    const state = this.#world.state(modelKey);
    const { retriesDone, previousDelayMs } = state;
    const delayMs =
      this.#world.byKey(modelKey)?.policy.retryDelayMs(retriesDone, previousDelayMs, error.retryAfterMs) ??
      null;
    if (delayMs === null) {
      this.#world.failed.add(modelKey);
      return;
    }
    state.retriesDone += 1;
    state.previousDelayMs = delayMs;
    // A rate limit has closed its gate: others are preferred, and where there are none the line is joined.
    if (error.class === 'rate_limited') return;
    state.restsUntilMs = clock.monotonicMs() + delayMs;
    const other = decided.ranked.find(
      ({ candidate }) => candidate.model.key !== modelKey && !this.#world.failed.has(candidate.model.key),
    );
    const failoverMs =
      other === undefined
        ? Number.POSITIVE_INFINITY
        : (signals.latency(other.candidate.model.key)?.totalMs ?? TYPICAL_LATENCY_MS);
    // Where it is elsewhere's turn, this one rests and may be come back to.
    const waitedMs = state.waitedMs + delayMs;
    if (waitedMs > failoverMs || delayMs >= run.allowance.remainingMs(clock.monotonicMs())) return;
    state.waitedMs = waitedMs;
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
    const { budgetRefusal, allowanceRefused } = this.#world;
    if (run.allowance.attemptsLeft <= 0) return attemptsExhausted(run, stepKey, this.#lastError);
    if (budgetRefusal !== undefined) return budgetExceeded(budgetRefusal, stepKey, this.#parts.clock.nowMs());
    const { made } = this.#attempts;
    if (allowanceRefused && made.length === 0) return costExhausted(run, stepKey, decided);
    return nobodyLeft({ run, stepKey, decided, attempts: made, lastError: this.#lastError });
  }
}

/** Of the skipped candidates that wait for their rates or rest before a retry, the first whose time comes. */
function soonest({
  skipped,
}: Decided): { readonly candidate: Candidate; readonly delayMs: number } | undefined {
  let best: { readonly candidate: Candidate; readonly delayMs: number } | undefined;
  for (const { candidate, skip } of skipped) {
    if (!WAITED_FOR.has(skip.code) || skip.retryAfterMs === null) continue;
    if (best === undefined || skip.retryAfterMs < best.delayMs)
      best = { candidate, delayMs: skip.retryAfterMs };
  }
  return best;
}
