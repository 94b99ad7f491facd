// What an attempt without an answer means for what is tried next: retry here, go elsewhere, or give up.
import { sleep } from '../../common/clock.ts';
import type { BudgetRefusal } from '../budget/port.ts';
import { isOnlyMargin } from '../budget/refusals.ts';
import type { ErrorClass, ProviderAnswer, ProviderError } from '../providers/port.ts';
import type { Decided } from '../routing/decide.ts';
import type { StepAsk } from './candidates.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Finished } from './race.ts';
import { repairOf } from './repair.ts';
import { attemptsExhausted, brokenOff, budgetExceeded, gaveUp, pausedAt } from './step-failures.ts';
import type { StepWorld } from './step-world.ts';
import { deadlineExceeded, stopped } from './stop.ts';

/** What the first calls of a model that nothing is known of take at most, to be waited for. */
const MARGIN_WAIT_MS = 5_000;
/** Of a candidate that nothing is learnt about. */
const TYPICAL_LATENCY_MS = 1_000;
/** A single one of these may be a slip (a 500, a 502, a reset): a short pause and a retry cost less than another candidate's answer. */
const SLIPS: ReadonlySet<ErrorClass> = new Set(['server_error', 'connection']);
const SHORT_PAUSE_MS = 1_000;
/** Times that a policy may refuse a call which it had seemed ready for, before the candidate is left out. */
const MAX_REFUSALS = 3;

/** Changes the world, may pause before a retry, and throws the RunFailure of a step that cannot be answered any more. */
export async function learn(
  parts: EngineParts,
  ask: StepAsk,
  world: StepWorld,
  { modelKey, end }: Finished,
  decided: Decided,
): Promise<void> {
  const { run, signal, stepKey } = ask;
  const state = world.state(modelKey);
  switch (end.kind) {
    case 'answered':
      return;
    case 'stopped':
      if (signal.aborted) throw stopped(run, signal, stepKey, world.made);
      return;
    case 'allowance':
      if (end.refusal === 'deadline') throw deadlineExceeded(run, stepKey, world.made);
      if (end.refusal === 'attempts') throw attemptsExhausted(run, stepKey, world.lastError);
      // Another step of the run took what was left meanwhile: the next look sees it.
      return;
    case 'budget':
      if (isOnlyMargin(end.refusal) && (await marginGivenBack(parts, ask, world))) return;
      refusedByBudget(parts, ask, world, modelKey, end.refusal);
      return;
    case 'paused':
      throw pausedAt(end.switch, stepKey);
    case 'refused':
      // The breaker opened or the queue filled between the look and the call: the next look sees it, and a few looks are enough.
      state.refusals += 1;
      if (state.refusals >= MAX_REFUSALS) world.failed.add(modelKey);
      return;
    case 'failed': {
      if (signal.aborted) throw stopped(run, signal, stepKey, world.made);
      const { error, answer } = end;
      world.lastError = error;
      if (ask.exchange?.exchange.begun) throw brokenOff(error, stepKey);
      if (error.advice === 'give-up' && error.class !== 'cancelled')
        throw gaveUp(error, stepKey, decided.decision);
      if (error.class === 'context_length') world.needsTokens(tokensNeeded(error.message));
      if (error.class === 'invalid_output' && answer !== null && repair(ask, world, modelKey, answer, error))
        return;
      if (error.advice === 'retry') await retryOrMove(parts, ask, world, modelKey, error, decided);
      else world.failed.add(modelKey);
    }
  }
}

/** A model's first answers say how much of what is held for it is not needed; false: that has been waited for long enough. */
async function marginGivenBack(parts: EngineParts, ask: StepAsk, world: StepWorld): Promise<boolean> {
  const nowMs = parts.clock.monotonicMs();
  world.marginUntilMs ??= nowMs + MARGIN_WAIT_MS;
  const leftMs = world.marginUntilMs - nowMs;
  if (leftMs <= 0) return false;
  await Promise.race([parts.budgets.nextRoom(), pause(parts, ask, leftMs)]);
  return true;
}

export function refusedByBudget(
  { clock }: EngineParts,
  { run, stepKey }: StepAsk,
  world: StepWorld,
  modelKey: string,
  refusal: BudgetRefusal,
): void {
  const scope = run.plan.budgets.find(({ id }) => id === refusal.budgetId)?.scope.kind;
  // A provider's or a model's own budget says nothing against the others; any other budget that rejects, rejects the run.
  if (refusal.action === 'reject' && scope !== 'provider' && scope !== 'model')
    throw budgetExceeded(refusal, stepKey, clock.nowMs());
  world.budgetRefusal = refusal;
  world.failed.add(modelKey);
}

/** Once, where the provider could not be held to the schema. */
function repair(
  { request }: StepAsk,
  world: StepWorld,
  modelKey: string,
  given: ProviderAnswer,
  error: ProviderError,
): boolean {
  const state = world.state(modelKey);
  if (state.repair !== undefined || !world.byKey(modelKey)?.structuredByWords) return false;
  state.repair = repairOf(request, given.text, error.message);
  world.preferred = modelKey;
  return true;
}

/** How many tokens a refusal says that the prompt has, with what was asked for; null: it does not say. */
function tokensNeeded(message: string): number | null {
  const said =
    /(?:requested|resulted in|prompt is too long:|input (?:length|token count)[^\d]{0,20}|contains|consists of|you sent)\s*(?:about |approximately )?(\d[\d,]*)\s*(?:tokens|>|\()?/i.exec(
      message,
    )?.[1];
  return said === undefined ? null : Number(said.replaceAll(',', ''));
}

/** Retries wait, all together, no longer than failing over would take. */
async function retryOrMove(
  parts: EngineParts,
  ask: StepAsk,
  world: StepWorld,
  modelKey: string,
  error: ProviderError,
  decided: Decided,
): Promise<void> {
  const { clock, signals } = parts;
  const state = world.state(modelKey);
  const { retriesDone, previousDelayMs } = state;
  // No fault of the candidate's, and none that waiting would mend.
  if (error.keptConnection === true && !state.askedAgain) {
    state.askedAgain = true;
    world.preferred = modelKey;
    return;
  }
  const delayMs =
    world.byKey(modelKey)?.policy.retryDelayMs(retriesDone, previousDelayMs, error.retryAfterMs) ?? null;
  if (delayMs === null) {
    world.failed.add(modelKey);
    return;
  }
  state.retriesDone += 1;
  state.previousDelayMs = delayMs;
  // A rate limit has closed its gate: others are preferred, and where there are none the line is joined.
  if (error.class === 'rate_limited') return;
  state.restsUntilMs = clock.monotonicMs() + delayMs;
  const other = decided.ranked.find(
    ({ candidate }) => candidate.model.key !== modelKey && !world.failed.has(candidate.model.key),
  );
  const failoverMs =
    other === undefined
      ? Number.POSITIVE_INFINITY
      : (signals.latency(other.candidate.model.key)?.totalMs ?? TYPICAL_LATENCY_MS);
  // Where it is elsewhere's turn, this one rests and may be come back to.
  const waitedMs = state.waitedMs + delayMs;
  const isSlip = retriesDone === 0 && SLIPS.has(error.class) && delayMs < SHORT_PAUSE_MS;
  if ((waitedMs > failoverMs && !isSlip) || delayMs >= ask.run.allowance.remainingMs(clock.monotonicMs()))
    return;
  state.waitedMs = waitedMs;
  await pause(parts, ask, delayMs);
  world.preferred = modelKey;
}

export async function pause(
  { clock }: EngineParts,
  { run, signal, stepKey }: StepAsk,
  ms: number,
): Promise<void> {
  try {
    await sleep(clock, ms, signal);
  } catch {
    throw stopped(run, signal, stepKey);
  }
}
