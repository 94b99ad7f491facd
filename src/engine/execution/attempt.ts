// One attempt: allowance, hold, an open row in the ledger, the call through its policy, settlement, and the closed row with the receipt.
import { withheldError } from './withheld.ts';
import type { BudgetRefusal, Hold, HoldRequest, Spending } from '../budget/port.ts';
import type { SpendSwitch } from '../budget/guards/port.ts';
import type { Json } from '../../common/json.ts';
import { newId } from '../../common/ids.ts';
import type { NanoUsd } from '../../common/money.ts';
import type {
  CallOutcome,
  ErrorClass,
  ModelRequest,
  Note,
  ProviderAnswer,
  ProviderError,
} from '../providers/port.ts';
import type { Refusal } from '../resilience/port.ts';
import type { RouteDecision } from '../routing/port.ts';
import type { AllowanceRefusal } from './allowance.ts';
import { cutTooSoonToTell } from './attempt-limits.ts';
import type { AttemptLimits } from './attempt-limits.ts';
import { callHealth } from './call-health.ts';
import { callProvider } from './call-provider.ts';
import { callExchange } from './exchange/call.ts';
import type { ExchangeAsk } from './exchange/call.ts';
import type { ModelChoice } from './choice.ts';
import type { WorstCase } from './learnt-bounds.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import type { ConstantBeginning } from '../../language/plan/constant.ts';
import type { PromptCacheCall } from './prompt-cache.ts';
import type { AttemptRecord, AttemptStatus, StepRecord } from './records.ts';
import type { AttemptSavings } from './savings.ts';
import { spendScopes } from './spend-scope.ts';
import { settlementOf } from './usage.ts';
import type { Settlement } from './usage.ts';

export interface AttemptRequest {
  readonly run: LiveRun;
  /** `request`, or `reviews[3]` for an item. */
  readonly stepKey: string;
  readonly choice: ModelChoice;
  readonly decision: RouteDecision;
  readonly request: ModelRequest;
  /** What the provider may be asked to keep of it; null: nothing. */
  readonly constant: { readonly part: ConstantBeginning; readonly tokens: number } | null;
  /** A client's own request is what is asked; undefined: `request` is. */
  readonly exchange: ExchangeAsk | undefined;
  readonly signal: AbortSignal;
  readonly limits: Pick<AttemptLimits, 'timeoutMs' | 'begunTimeoutMs' | 'silence'>;
  /** Text deltas are given on here. */
  readonly onText: ((delta: string) => void) | null;
  /** The rate gates' headroom was taken while waiting in line; when. */
  readonly rateTakenAtMs: number | null;
  /** Is the answer good? Gives the step's output, or why not. */
  readonly judge: (answer: ProviderAnswer) => Verdict;
  /** What the dearest eligible candidate would have cost for the same usage, less the actual cost. */
  readonly saved: (settlement: Settlement) => NanoUsd;
  /** Against the baseline; `error`: why its answer is of no use, null: it is good. */
  readonly savings: (settlement: Settlement, error: ErrorClass | null) => AttemptSavings;
  /** The step's receipt when this attempt completes it; null: another has. */
  readonly receipt: (output: Json) => StepRecord | null;
  /** When the request came, monotonic: what it waited before the call is its queue time. */
  readonly askedAtMs: number;
}

export type Verdict =
  | { readonly kind: 'good'; readonly output: Json; readonly notes?: readonly Note[] }
  | { readonly kind: 'bad'; readonly error: Pick<ProviderError, 'class' | 'advice' | 'message'> };

export type AttemptEnd =
  | {
      readonly kind: 'answered';
      readonly output: Json;
      readonly text: string;
      readonly record: AttemptRecord;
    }
  | {
      readonly kind: 'failed';
      readonly error: ProviderError;
      readonly record: AttemptRecord;
      readonly answer: ProviderAnswer | null;
    }
  /** The provider was not called; nothing was written or spent. */
  | { readonly kind: 'allowance'; readonly refusal: AllowanceRefusal }
  | { readonly kind: 'budget'; readonly refusal: BudgetRefusal }
  | { readonly kind: 'paused'; readonly switch: SpendSwitch }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'stopped' };

interface Called {
  readonly outcome: CallOutcome;
  readonly open: AttemptRecord;
  readonly text: string;
  readonly firstTokenMs: number | null;
  readonly calledAtMs: number;
  readonly notes: readonly Note[];
}

export async function makeAttempt(parts: EngineParts, attempt: AttemptRequest): Promise<AttemptEnd> {
  const { run, choice, signal } = attempt;
  const { model, policy } = choice.parts;
  const { clock, budgets, guards } = parts;
  // What a first call has to load is not the provider's silence: no clock runs, and nothing is held.
  const loading = choice.parts.provider.load?.();
  // The call meets what could not be loaded again, and tells it.
  if (loading !== undefined) await loading.catch(() => undefined);
  if (signal.aborted) return uncalled(attempt, { kind: 'stopped' });

  const off = guards.switchFor(spendScopes(run.record.task, run.caller.name, model));
  if (off !== undefined) return uncalled(attempt, { kind: 'paused', switch: off });
  const worstNanoUsd = choice.worst.costNanoUsd;
  const refusal = run.allowance.take(worstNanoUsd, clock.monotonicMs());
  if (refusal !== undefined) return uncalled(attempt, { kind: 'allowance', refusal });
  const attemptId = newId('att', clock, parts.random);
  const request: HoldRequest = {
    runId: run.root.id,
    attemptId,
    task: run.record.task,
    provider: model.provider,
    model: model.key,
    caller: run.caller,
    tags: run.tags,
    worst: spendingOf(choice.worst),
    margin: choice.worst.margin,
  };
  let held = budgets.holdOrAsk(request);
  if (!held.ok && 'kind' in held.error) {
    // Other nodes spend from the same budgets: what this one has of them does not reach.
    try {
      held = await budgets.leaseAndHold(request, held.error);
    } catch (error) {
      run.allowance.giveBack(worstNanoUsd);
      uncalled(attempt, { kind: 'stopped' });
      throw error;
    }
  }
  if (!held.ok) {
    run.allowance.giveBack(worstNanoUsd);
    return uncalled(attempt, { kind: 'budget', refusal: held.error as BudgetRefusal });
  }
  if (signal.aborted) {
    budgets.release(held.value);
    run.allowance.giveBack(worstNanoUsd);
    return uncalled(attempt, { kind: 'stopped' });
  }
  const hold = held.value;
  const gates = choice.parts.gates.map((gate) => ({
    gate,
    takenAtMs: attempt.rateTakenAtMs ?? gate.take(choice.rateTokens),
  }));

  // What is learnt of the model while the call is under way raises its hold where there is room, and lowers it.
  const ended = parts.bounds.under(choice.asked, (worst) =>
    budgets.adjust(hold, spendingOf(worst), worst.margin),
  );
  const patience = attempt.exchange?.step.patience[model.key];
  let called: Called | undefined;
  const undo = (): void => {
    ended();
    budgets.release(hold);
    run.allowance.giveBack(worstNanoUsd);
    for (const { gate, takenAtMs } of gates) gate.release(choice.rateTokens, takenAtMs);
  };
  try {
    const ran = await policy.run(
      async (callSignal, prolong) => {
        const row = openOnce(parts, attempt, attemptId, hold);
        if (choice.parts.provider.announcesSending !== true) await row.open();
        const calledAtMs = clock.monotonicMs();
        const cache = promptCacheOf(parts, attempt);
        const call =
          attempt.exchange === undefined
            ? await callProvider(clock, choice.parts, askedOf(attempt, cache), callSignal, {
                onText: attempt.onText,
                silence: attempt.limits.silence,
                onBegun: () => prolong(attempt.limits.begunTimeoutMs),
                pace: parts.pace,
                beforeSend: row.open,
              })
            : await callExchange(clock, choice.parts, attempt.exchange, callSignal, {
                pace: parts.pace,
                beforeSend: row.open,
              });
        cache?.ended((call.outcome.ok ? call.outcome.value : call.outcome.error).usage);
        row.throwIfRefused();
        const { outcome, ...streamed } = call;
        // Nobody waits for it any more, and nothing was sent: as if it had never been asked for.
        if (!row.isAskedFor() && signal.aborted) return { outcome, calledAtMs };
        // Refused before anything was sent, for want of a key or a connection: it failed, and is written down as what it was.
        const open = await row.open();
        called = { outcome, ...streamed, open, calledAtMs, notes: cache === null ? [] : askedNotes(cache) };
        return called;
      },
      {
        signal,
        // A client's own request has the patience that was named for it.
        timeoutMs: patience?.timeoutMs ?? attempt.limits.timeoutMs,
        health: ({ outcome, calledAtMs }) =>
          isCut(outcome) &&
          cutTooSoonToTell(
            clock.monotonicMs() - calledAtMs,
            (patience ?? model.policy).timeoutMs,
            parts.signals.latency(model.key)?.p95Ms ?? null,
          )
            ? 'ignore'
            : callHealth(outcome, attempt.request),
      },
    );
    if (ran.kind !== 'done' || called === undefined) {
      undo();
      return ran.kind === 'refused' ? { kind: 'refused', refusal: ran.refusal } : { kind: 'stopped' };
    }
  } catch (error) {
    // The ledger would not take the row, so the provider was not called.
    undo();
    run.forgetAttempt(attemptId);
    throw error;
  }
  ended();
  return conclude(parts, attempt, hold, called, gates);
}

/** null: the provider is not one that is asked, or there is nothing to keep. */
function promptCacheOf(
  { promptCaches }: EngineParts,
  { constant, choice, exchange, request }: AttemptRequest,
): PromptCacheCall | null {
  const { model, provider } = choice.parts;
  const terms = constant === null || exchange !== undefined ? undefined : provider.promptCache?.(model.model);
  if (constant === null || terms === undefined) return null;
  const { part, tokens } = constant;
  return promptCaches.begin({
    model,
    constant: part,
    tokens,
    inputTokens: choice.inputTokens,
    terms,
    request,
  });
}

function askedOf({ request, constant }: AttemptRequest, cache: PromptCacheCall | null): ModelRequest {
  if (constant === null || cache === null) return request;
  const { key, systemChars, promptChars } = constant.part;
  return {
    ...request,
    constant: {
      key,
      systemChars,
      promptChars,
      asked: cache.asks,
      ...(cache.whole ? { whole: true as const } : {}),
    },
  };
}

function askedNotes({ asks, why }: PromptCacheCall): readonly Note[] {
  return asks
    ? [{ code: 'PROMPT_CACHE', message: `the provider was asked to keep the prompt's beginning: ${why}` }]
    : [];
}

interface OpenRow {
  /** Nothing is billed and forgotten: the row is written before the provider hears of the call (INV-3). Written once, however often it is asked for. */
  readonly open: () => Promise<AttemptRecord>;
  readonly isAskedFor: () => boolean;
  /** The ledger would not take the row. */
  readonly throwIfRefused: () => void;
}

function openOnce(parts: EngineParts, attempt: AttemptRequest, id: string, hold: Hold): OpenRow {
  const { run } = attempt;
  const { clock, recorder } = parts;
  let opening: Promise<AttemptRecord> | undefined;
  let refusal: { readonly error: unknown } | undefined;
  const write = async (): Promise<AttemptRecord> => {
    const record = openRecord(parts, attempt, id, hold);
    run.attempts.push(record);
    try {
      await recorder.openAttempt(record);
    } catch (error) {
      refusal = { error };
      throw error;
    }
    try {
      // Asked for before, so that it is known by now. A ledger that was away for a moment may have refused it, and an attempt of no run is found by nobody.
      await run.opened;
    } catch (error) {
      refusal = { error };
      const uncalledEnd = { status: 'cancelled' as const, finishedAtMs: clock.nowMs() };
      recorder.closeAttempt({ ...record, ...uncalledEnd }, null).catch(() => undefined);
      throw error;
    }
    if (run.watched) run.emit({ type: 'attempt', runId: run.id, atMs: clock.nowMs(), attempt: record });
    return record;
  };
  return {
    open: () => (opening ??= write()),
    isAskedFor: () => opening !== undefined,
    throwIfRefused() {
      if (refusal !== undefined) throw refusal.error;
    },
  };
}

function spendingOf({ costNanoUsd, inputTokens, outputTokens }: WorstCase): Spending {
  return { costNanoUsd, tokens: inputTokens + outputTokens, calls: 1 };
}

/** By our own clock: a gateway that says that its time was over has a status. */
function isCut(outcome: CallOutcome): boolean {
  return !outcome.ok && outcome.error.class === 'timeout' && outcome.error.status === null;
}

/** Who waited in line and does not call after all leaves the turn to the next: else all who wait would be told one by one, at the provider's pace. */
function uncalled({ choice, rateTakenAtMs }: AttemptRequest, end: AttemptEnd): AttemptEnd {
  if (rateTakenAtMs !== null)
    for (const gate of choice.parts.gates) gate.release(choice.rateTokens, rateTakenAtMs);
  return end;
}

type TakenGate = { readonly gate: ModelChoice['parts']['gates'][number]; readonly takenAtMs: number };

/** Judges, settles and closes; synchronous, so that nothing sees a state between. */
function conclude(
  parts: EngineParts,
  attempt: AttemptRequest,
  hold: Hold,
  called: Called,
  gates: readonly TakenGate[],
): AttemptEnd {
  const { run, choice } = attempt;
  const { clock, budgets, guards, recorder } = parts;
  const { open, outcome } = called;
  const settlement = settlementOf(outcome, {
    model: choice.parts.model,
    costIsReported: choice.parts.costIsReported,
    inputTokens: choice.inputTokens,
    maxOutputTokens: choice.asked.maxOutputTokens,
    worst: { ...settledWorst(attempt, hold), inputTokens: choice.worst.inputTokens },
    text: called.text,
    raised: (counted) => parts.bounds.estimate(choice.parts.model.key, counted),
  });
  const verdict: Verdict = outcome.ok
    ? judged(attempt, outcome.value)
    : { kind: 'bad', error: outcome.error };
  const { usage, costNanoUsd } = settlement;
  const told = outcome.ok ? outcome.value : outcome.error;

  const tokens = usage.inputTokens + usage.outputTokens;
  budgets.settle(hold, { costNanoUsd, tokens, calls: settlement.billed ? 1 : 0 });
  run.allowance.settle(choice.worst.costNanoUsd, costNanoUsd);
  parts.usageAlerts.settled(parts, run, choice.parts.model.key, settlement);
  if (settlement.counted)
    parts.bounds.observe(choice.asked, usage, costNanoUsd - settlement.feesNanoUsd, {
      inputTokens: choice.inputTokens,
      outputTokens: settlement.shownTokens,
    });
  for (const { gate, takenAtMs } of gates) gate.correct(choice.rateTokens, tokens, takenAtMs);
  const refusedAs = outcome.ok ? null : outcome.error.class;
  choice.parts.modelGate.observe({
    // Who is overloaded and says until when is left alone by the next callers too.
    closedForMs:
      !outcome.ok && (refusedAs === 'rate_limited' || refusedAs === 'overloaded')
        ? outcome.error.retryAfterMs
        : null,
    refused: refusedAs === 'rate_limited',
    headroom: told.rateLimits,
  });
  if (costNanoUsd > 0n)
    guards.spent({ task: run.record.task, caller: run.caller.name, costNanoUsd, atMs: clock.nowMs() });

  const error: ProviderError | null =
    verdict.kind === 'good'
      ? null
      : outcome.ok
        ? badAnswer(outcome.value, verdict.error)
        : withheldError(outcome.error, run.linked.task.retain.content, choice.parts.model.provider);
  const status: AttemptStatus =
    error === null ? 'succeeded' : error.class === 'cancelled' ? 'cancelled' : 'failed';
  const closed: AttemptRecord = {
    ...open,
    model: outcome.ok ? outcome.value.model : open.model,
    status,
    errorClass: error?.class ?? null,
    errorMessage: error?.message ?? null,
    inputTokens: usage.inputTokens,
    cachedInputTokens: usage.cachedInputTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    outputTokens: usage.outputTokens,
    reasoningTokens: usage.reasoningTokens,
    costNanoUsd,
    savedNanoUsd: error === null ? attempt.saved(settlement) : 0n,
    ...attempt.savings(settlement, error?.class ?? null),
    estimated: settlement.estimated,
    // A reload may have moved the hold to other accounts while the call was running.
    postings: hold.postings,
    latencyMs: clock.monotonicMs() - called.calledAtMs,
    firstTokenMs: called.firstTokenMs,
    finishedAtMs: clock.nowMs(),
    requestId: told.requestId,
    finishReason: told.finishReason ?? null,
    serviceTier: settlement.serviceTier,
    reportedCostNanoUsd: settlement.reportedCostNanoUsd,
    notes: [
      ...called.notes,
      ...((outcome.ok && outcome.value.notes) || []),
      ...((verdict.kind === 'good' && verdict.notes) || []),
      ...settlement.notes,
    ],
  };
  run.replaceAttempt(closed);
  const receipt = verdict.kind === 'good' ? attempt.receipt(verdict.output) : null;
  const written = recorder.closeAttempt(closed, receipt);
  // The row that finishes the run comes after this one and is awaited; a rejection here is a rejection there.
  written.then(
    () => {
      if (!run.watched) return;
      run.emit({ type: 'settled', runId: run.id, atMs: clock.nowMs(), attempt: closed });
      if (receipt !== null) run.emit({ type: 'step', runId: run.id, atMs: clock.nowMs(), step: receipt });
    },
    () => undefined,
  );
  if (verdict.kind === 'good') {
    if (receipt !== null) run.steps.push(receipt);
    return {
      kind: 'answered',
      output: verdict.output,
      text: outcome.ok ? outcome.value.text : '',
      record: closed,
    };
  }
  return {
    kind: 'failed',
    error: error as ProviderError,
    record: closed,
    answer: outcome.ok ? outcome.value : null,
  };
}

/** What an unseen call is settled at: all that is held for it, but for a margin that its run's allowance has no room for. */
function settledWorst({ run, choice }: AttemptRequest, hold: Hold): Spending {
  const left = run.allowance.costLeftNanoUsd;
  return left !== null && hold.worst.costNanoUsd - choice.worst.costNanoUsd > left
    ? spendingOf(choice.worst)
    : hold.worst;
}

/** A call that is paid for is settled, whatever its answer does to those who look at it. */
function judged({ judge }: AttemptRequest, answer: ProviderAnswer): Verdict {
  try {
    return judge(answer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the answer could not be judged: ${reason}`;
    return { kind: 'bad', error: { class: 'invalid_output', advice: 'elsewhere', message } };
  }
}

/** An answer that came and was billed, and is of no use. */
function badAnswer(
  answer: ProviderAnswer,
  bad: Pick<ProviderError, 'class' | 'advice' | 'message'>,
): ProviderError {
  return {
    ...bad,
    status: null,
    retryAfterMs: null,
    billed: 'yes',
    usage: answer.usage,
    finishReason: answer.finishReason,
    seenCharacters: answer.text.length,
    requestId: answer.requestId,
    rateLimits: answer.rateLimits,
  };
}

function openRecord({ clock }: EngineParts, attempt: AttemptRequest, id: string, hold: Hold): AttemptRecord {
  const { run, choice } = attempt;
  return {
    id,
    runId: run.id,
    step: attempt.stepKey,
    revision: run.plan.hash,
    task: run.record.task,
    caller: run.caller.name,
    provider: choice.parts.model.provider,
    model: choice.parts.model.model,
    requestedModel: choice.parts.model.model,
    status: 'open',
    errorClass: null,
    errorMessage: null,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    costNanoUsd: 0n,
    heldNanoUsd: hold.worst.costNanoUsd,
    heldTokens: hold.worst.tokens,
    savedNanoUsd: 0n,
    estimated: false,
    rates: choice.parts.rates,
    postings: hold.postings,
    queueMs: clock.monotonicMs() - attempt.askedAtMs,
    latencyMs: null,
    firstTokenMs: null,
    startedAtMs: clock.nowMs(),
    finishedAtMs: null,
    requestId: null,
    decision: attempt.decision,
  };
}
