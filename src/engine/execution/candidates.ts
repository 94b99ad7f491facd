// The candidates of a model step: decided between, and tried until one answers; waited for in line where everyone is short.
import { isOnlyHeld } from '../budget/refusals.ts';
import type { Json } from '../../common/json.ts';
import type { PlanModel, PlanRule } from '../../language/plan/types.ts';
import type { ModelRequest, ProviderAnswer } from '../providers/port.ts';
import { decide, withChosen } from '../routing/decide.ts';
import type { Decided } from '../routing/decide.ts';
import { outputOf } from '../routing/eligibility.ts';
import type { RequestNeeds } from '../routing/eligibility.ts';
import { hedgeCandidate, hedgeDelayMs } from '../routing/hedge.ts';
import type { Candidate, SkipCode } from '../routing/port.ts';
import { attemptLimits } from './attempt-limits.ts';
import type { AttemptLimits } from './attempt-limits.ts';
import { makeAttempt } from './attempt.ts';
import type { AttemptRequest, Verdict } from './attempt.ts';
import { exchangeNeeds, requestNeeds } from './choice.ts';
import type { ModelChoice } from './choice.ts';
import type { ExchangeAsk } from './exchange/call.ts';
import { learn, pause, refusedByBudget } from './learn.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import { race } from './race.ts';
import type { Finished, Hedging, Runner } from './race.ts';
import type { StepRecord } from './records.ts';
import { savedAgainstDearest, savingsOf } from './savings.ts';
import { attemptsExhausted, budgetExceeded, costExhausted, nobodyLeft } from './step-failures.ts';
import { StepWorld } from './step-world.ts';
import { deadlineExceeded, stopped } from './stop.ts';
import { TextSink } from './text-sink.ts';
import type { PromptSize } from './tokens.ts';

/** Three cents: a whole answer is cheaper to read than a stream, and more than that is too much to be settled unseen. */
const WHOLE_UP_TO_NANO_USD = 30_000_000n;
const WAITED_FOR: ReadonlySet<SkipCode> = new Set(['no_rate_headroom', 'already_failed']);

/** A model step as its candidates are asked: rendered, counted, under the rule that holds. */
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
  /** See `LinkedModelStep.course`. */
  readonly course?: readonly string[] | undefined;
  /** What the request begins with in each call; left out: nothing that could be kept. */
  readonly constant?: AttemptRequest['constant'];
  /** A client's own request is what is asked; left out: `request` is. */
  readonly exchange?: ExchangeAsk;
}

export class Candidates {
  readonly #parts: EngineParts;
  readonly #ask: StepAsk;
  readonly #needs: RequestNeeds;
  readonly #world: StepWorld;
  readonly #sink: TextSink | null;
  /** Monotonic: when the next attempt was asked for; what it waits from then on is its queue time. */
  #askedAtMs: number;
  #completed = false;

  constructor(parts: EngineParts, ask: StepAsk) {
    const { run, request, size, stepKey } = ask;
    this.#parts = parts;
    this.#ask = ask;
    this.#needs =
      ask.exchange === undefined
        ? requestNeeds(run.plan, request, size, parts.bounds)
        : exchangeNeeds(parts, run.plan, ask.exchange, size);
    this.#world = new StepWorld(parts, run, this.#needs);
    // The client of an exchange is given its bytes as they are.
    const isHeard = request.stream && ask.exchange === undefined;
    this.#sink = isHeard ? new TextSink(run, stepKey, () => parts.clock.nowMs()) : null;
    this.#askedAtMs = parts.clock.monotonicMs();
  }

  /** The step's output, or a RunFailure. Every attempt is settled when this ends. */
  async answer(): Promise<Json> {
    const { run, signal, stepKey } = this.#ask;
    for (;;) {
      if (signal.aborted) throw stopped(run, signal, stepKey, this.#world.made);
      const decided = this.#decide();
      const candidate = this.#world.takePreferred(decided.ranked);
      const hedgeAfterMs = candidate === undefined ? null : this.#hedgeDelayMs(candidate);
      const ends =
        candidate === undefined
          ? await this.#waitInLine(decided)
          : hedgeAfterMs === null
            ? [await this.#attempt(candidate, decided, signal, null)]
            : await this.#hedged(candidate, decided, hedgeAfterMs);
      for (const { end } of ends) if (end.kind === 'answered') return end.output;
      for (const finished of ends) await learn(this.#parts, this.#ask, this.#world, finished, decided);
    }
  }

  #decide(): Decided {
    const { rule } = this.#ask;
    const next = this.#recorded();
    if (next === undefined) return this.#decideBy(rule);
    const decided = this.#decideBy(next);
    const canServe = decided.ranked.length > 0 || next.candidates.length === 0;
    // What refuses it now was not there then: it is decided anew.
    return canServe || decided.skipped[0]?.skip.code === 'no_rate_headroom' ? decided : this.#decideBy(rule);
  }

  /** The rule with none but the candidate that was called next when it was recorded: pauses decided, and words of providers, that no record has. */
  #recorded(): PlanRule | undefined {
    const { rule, course } = this.#ask;
    const { made } = this.#world;
    if (course === undefined || (made.length === 0 && course.length === 0)) return undefined;
    const candidates = rule.candidates.filter(({ model }) => model === course[made.length]);
    for (const { model } of candidates) this.#world.forgive(model);
    return made.length < course.length && candidates.length === 0 ? undefined : { ...rule, candidates };
  }

  #decideBy(rule: PlanRule): Decided {
    const { run, step, request } = this.#ask;
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

  /** `rateTakenAtMs`: when its gates were taken while it waited in line; null: they are taken now. */
  async #attempt(
    candidate: Candidate,
    decided: Decided,
    signal: AbortSignal,
    rateTakenAtMs: number | null,
  ): Promise<Finished> {
    const { run, stepKey, request, judge, cascade } = this.#ask;
    const { model } = candidate;
    const writer = this.#sink?.writer() ?? null;
    const asked = this.#world.repair(model.key)?.request ?? request;
    const choice = this.#choice(candidate);
    const limits = this.#limits(model, decided);
    const end = await makeAttempt(this.#parts, {
      run,
      stepKey,
      choice,
      decision: withChosen(decided.decision, model.key),
      request: { ...asked, model: model.model, stream: this.#isStreamed(choice, limits) },
      constant: this.#ask.constant ?? null,
      limits,
      signal,
      onText: writer === null ? null : (delta) => writer.write(delta),
      rateTakenAtMs,
      judge: (given) => judge(model, given),
      saved: (settlement) =>
        this.#completed ? 0n : savedAgainstDearest(run.plan, settlement, decided.decision),
      exchange: this.#ask.exchange,
      savings: (settlement, error) =>
        savingsOf({
          plan: run.plan,
          task: run.record.task,
          model,
          settlement,
          cascade,
          // Of two good answers the second was paid for in vain.
          unused: error === null && !this.#completed ? null : (error ?? 'second'),
        }),
      receipt: (output) => this.#complete(output),
      askedAtMs: this.#askedAtMs,
    });
    this.#askedAtMs = this.#parts.clock.monotonicMs();
    if (end.kind === 'answered' || end.kind === 'failed') this.#world.made.push(end.record);
    if (end.kind === 'answered') writer?.won(end.text);
    else writer?.failed(end.kind === 'failed' ? `${model.key}: ${end.error.class}` : end.kind);
    return { modelKey: model.key, end };
  }

  /** While another candidate can serve, this one has only its share of the time. */
  #limits(model: PlanModel, { ranked }: Decided): AttemptLimits {
    const others = ranked.filter(
      ({ candidate: { model: other } }) => other.key !== model.key && !this.#world.failed.has(other.key),
    );
    const { allowance } = this.#ask.run;
    return attemptLimits(
      model.policy,
      allowance.remainingMs(this.#parts.clock.monotonicMs()),
      allowance.attemptsLeft > 1 ? others.length : 0,
      this.#ask.request.stream,
    );
  }

  #choice({ model }: Candidate): ModelChoice {
    const extraTokens = this.#world.repair(model.key)?.extraTokens ?? 0;
    const inputTokens = this.#needs.inputTokens(model) + extraTokens;
    const { feesNanoUsd = 0n } = this.#needs;
    const asked = { model, inputTokens, maxOutputTokens: outputOf(this.#needs, model), feesNanoUsd };
    return {
      parts: this.#world.model(model),
      inputTokens: Math.min(inputTokens, this.#ask.size.tokens + extraTokens),
      asked,
      worst: this.#parts.bounds.worst(asked),
      rateTokens: this.#rateTokens(model),
    };
  }

  /** A loser of a race and a large call that is cut cost what was seen of them, not their worst case. */
  #isStreamed({ parts: { model, streams }, worst }: ModelChoice, limits: AttemptLimits): boolean {
    const { request, rule } = this.#ask;
    if (request.stream || limits.streams) return model.capabilities.includes('streaming');
    return streams && (rule.hedge !== null || worst.costNanoUsd > WHOLE_UP_TO_NANO_USD);
  }

  /** What a candidate's rate gates are asked for. */
  #rateTokens(model: PlanModel): number {
    return this.#ask.size.tokens + outputOf(this.#needs, model);
  }

  /** Of two good answers the first is the step's; the second is paid for, and that is all. */
  #complete(output: Json): StepRecord | null {
    if (this.#completed) return null;
    this.#completed = true;
    return this.#ask.receipt(output);
  }

  /** null: nobody is called beside this one. */
  #hedgeDelayMs({ model }: Candidate): number | null {
    const { rule, request, run } = this.#ask;
    // A hedge is a luxury: it does not take the last attempt that a retry could need.
    if (rule.hedge === null || run.allowance.attemptsLeft < 2) return null;
    return hedgeDelayMs(rule.hedge, this.#parts.signals, model.key, request.stream);
  }

  /** With a second one beside it when it is slow. */
  #hedged(candidate: Candidate, decided: Decided, delayMs: number): Promise<readonly Finished[]> {
    const { rule, signal } = this.#ask;
    const runner = (of: Candidate, from: Decided): Runner => ({
      modelKey: of.model.key,
      start: (attemptSignal) => this.#attempt(of, from, attemptSignal, null),
    });
    const next: Hedging['next'] = (called) => {
      const now = this.#decide();
      const second = hedgeCandidate(now.ranked, called)?.candidate;
      return second && { runner: runner(second, now), delayMs: this.#hedgeDelayMs(second) };
    };
    const hedging = { delayMs, atMost: rule.hedge?.atMost ?? 0, next };
    return race(this.#parts.clock, runner(candidate, decided), hedging, signal);
  }

  /** Nobody can serve now. Where that is for rates alone, this waits in line for whoever is first; a circuit is not waited for. */
  async #waitInLine(decided: Decided): Promise<readonly Finished[]> {
    const { run, signal, stepKey } = this.#ask;
    const { clock } = this.#parts;
    const world = this.#world;
    // Who is beyond what the run may spend is not waited for: its turn would be of no use.
    const waiting = soonest(decided, ({ holdNanoUsd }) => world.allows(holdNanoUsd));
    if (waiting === undefined) {
      // What other steps of this run hold at its worst case may be given back when they are settled.
      if (world.allowanceRefused && (await run.allowance.nextSettlement(signal))) {
        world.allowanceRefused = false;
        return [];
      }
      throw signal.aborted ? stopped(run, signal, stepKey, this.#world.made) : this.#nobody(decided);
    }
    const { candidate, delayMs } = waiting;
    const { deadlineAtMs } = run.allowance.limits;
    if (clock.monotonicMs() + delayMs >= deadlineAtMs) throw this.#nobody(decided);
    // Who cannot pay is told at once, and not when its turn has come.
    const refusal = world.inTheWay(candidate.model, candidate.holdNanoUsd);
    if (refusal !== undefined && !isOnlyHeld(refusal)) {
      refusedByBudget(this.#parts, this.#ask, world, candidate.model.key, refusal);
      return [];
    }
    const restMs = world.restMs(candidate.model);
    if (restMs > 0) {
      await pause(this.#parts, this.#ask, restMs);
      world.preferred = candidate.model.key;
      return [];
    }
    if (!(await world.enterGates(candidate.model, this.#rateTokens(candidate.model), deadlineAtMs, signal))) {
      throw signal.aborted
        ? stopped(run, signal, stepKey, this.#world.made)
        : deadlineExceeded(run, stepKey, world.made);
    }
    return [await this.#attempt(candidate, decided, signal, clock.monotonicMs())];
  }

  #nobody(decided: Decided): Error {
    const { run, stepKey } = this.#ask;
    const { budgetRefusal, allowanceRefused, lastError, made } = this.#world;
    if (run.allowance.attemptsLeft <= 0) return attemptsExhausted(run, stepKey, lastError);
    if (budgetRefusal !== undefined) return budgetExceeded(budgetRefusal, stepKey, this.#parts.clock.nowMs());
    if (allowanceRefused && made.length === 0) return costExhausted(run, stepKey, decided);
    return nobodyLeft({ run, stepKey, decided, attempts: made, lastError });
  }
}

/** Of the skipped candidates that wait for their rates or rest before a retry, the first whose time comes. */
function soonest(
  { skipped }: Decided,
  isAllowed: (candidate: Candidate) => boolean,
): { readonly candidate: Candidate; readonly delayMs: number } | undefined {
  let best: { readonly candidate: Candidate; readonly delayMs: number } | undefined;
  for (const { candidate, skip } of skipped) {
    if (!WAITED_FOR.has(skip.code) || skip.retryAfterMs === null || !isAllowed(candidate)) continue;
    if (best === undefined || skip.retryAfterMs < best.delayMs)
      best = { candidate, delayMs: skip.retryAfterMs };
  }
  return best;
}
