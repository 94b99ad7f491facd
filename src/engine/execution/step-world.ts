// StepWorld: the candidates as one step sees them: who has failed here, who rests, what the gates, breakers and budgets say now.
import type { BudgetRefusal } from '../budget/port.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { PlanModel } from '../../language/plan/types.ts';
import type { ProviderError } from '../providers/port.ts';
import type { Decided } from '../routing/decide.ts';
import { outputOf } from '../routing/eligibility.ts';
import type { RequestNeeds, World } from '../routing/eligibility.ts';
import type { Candidate } from '../routing/port.ts';
import { modelParts } from './choice.ts';
import type { ModelParts } from './choice.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import type { AttemptRecord } from './records.ts';
import type { Repair } from './repair.ts';

/** What a step remembers of a candidate between its attempts. */
export interface CandidateState {
  retriesDone: number;
  previousDelayMs: number;
  /** Spent on pauses before retries here, in all. */
  waitedMs: number;
  /** A kept connection has broken here, and was followed by another call at once. */
  askedAgain: boolean;
  /** What it is asked instead of the step's own request: once more, with its own mistake shown to it. */
  repair: Repair | undefined;
  /** Not before this monotonic time: a pause that another candidate is used in. */
  restsUntilMs: number;
  /** Times that its policy refused a call which it had seemed ready for. */
  refusals: number;
}

export class StepWorld implements World {
  readonly failed = new Set<string>();
  /** What a refusal has said that this prompt takes. */
  neededTokens = 0;
  /** Attempts that were called, in the order of their ends. */
  readonly made: AttemptRecord[] = [];
  lastError: ProviderError | undefined;
  /** The candidate whose turn it is again, after a pause. */
  preferred: string | undefined;
  /** Of those whose hold was refused by a budget, the last reason. */
  budgetRefusal: BudgetRefusal | undefined;
  /** Until when it is worth waiting for what is held beyond the worst cases; monotonic. */
  marginUntilMs: number | undefined;
  /** A hold did not fit what the run may still spend. */
  allowanceRefused = false;
  readonly #parts: EngineParts;
  readonly #run: LiveRun;
  readonly #needs: RequestNeeds;
  readonly #models = new Map<string, ModelParts>();
  readonly #states = new Map<string, CandidateState>();

  constructor(parts: EngineParts, run: LiveRun, needs: RequestNeeds) {
    this.#parts = parts;
    this.#run = run;
    this.#needs = needs;
  }

  get nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  /** The one to call: whose turn it is again, else the best; undefined: there is none. */
  takePreferred(ranked: Decided['ranked']): Candidate | undefined {
    const again = ranked.find(({ candidate }) => candidate.model.key === this.preferred);
    this.preferred = undefined;
    return (again ?? ranked[0])?.candidate;
  }

  model(model: PlanModel): ModelParts {
    let known = this.#models.get(model.key);
    if (known === undefined) {
      known = modelParts(this.#parts, this.#run.plan, model);
      this.#models.set(model.key, known);
    }
    return known;
  }

  byKey(modelKey: string): ModelParts | undefined {
    const model = this.#run.plan.models[modelKey];
    return model && this.model(model);
  }

  /** Calls of the model that run or wait, in this process. */
  inFlight(modelKey: string): number {
    const policy = this.byKey(modelKey)?.policy;
    return policy === undefined ? 0 : policy.inFlight() + policy.queued();
  }

  needsTokens(tokens: number | null): void {
    this.neededTokens = Math.max(this.neededTokens, tokens ?? 0);
  }

  /** Waits in line at both gates and takes their headroom; false, with nothing taken, when the deadline or the signal came first. */
  async enterGates(
    model: PlanModel,
    tokens: number,
    deadlineAtMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const [ofProvider, ofModel] = this.model(model).gates;
    if (!(await ofProvider.wait(tokens, deadlineAtMs, signal))) return false;
    const takenAtMs = this.#parts.clock.monotonicMs();
    if (await ofModel.wait(tokens, deadlineAtMs, signal)) return true;
    ofProvider.release(tokens, takenAtMs);
    return false;
  }

  state(modelKey: string): CandidateState {
    let state = this.#states.get(modelKey);
    if (state === undefined) {
      state = {
        retriesDone: 0,
        previousDelayMs: 0,
        waitedMs: 0,
        askedAgain: false,
        repair: undefined,
        restsUntilMs: 0,
        refusals: 0,
      };
      this.#states.set(modelKey, state);
    }
    return state;
  }

  /** It may be called again, and now. */
  forgive(modelKey: string): void {
    this.failed.delete(modelKey);
    this.state(modelKey).restsUntilMs = 0;
  }

  repair(modelKey: string): Repair | undefined {
    return this.#states.get(modelKey)?.repair;
  }

  unavailable(model: PlanModel): string | undefined {
    return this.model(model).provider.unavailable();
  }

  refusal(model: PlanModel): ReturnType<World['refusal']> {
    return this.model(model).policy.refusal();
  }

  rateDelayMs(model: PlanModel, tokens: number): number {
    const [ofProvider, ofModel] = this.model(model).gates;
    return Math.max(ofProvider.delayMs(tokens), ofModel.delayMs(tokens));
  }

  restMs(model: PlanModel): number {
    const state = this.#states.get(model.key);
    return state === undefined ? 0 : Math.max(0, state.restsUntilMs - this.#parts.clock.monotonicMs());
  }

  /**
   * `downgrade` leaves only candidates that fit, and so does the run's own allowance. A budget that says `reject` is asked when a candidate is chosen:
   * it refuses the call that would be made, rather than look for a cheaper one behind the caller's back.
   */
  fits(model: PlanModel, holdNanoUsd: NanoUsd): ReturnType<World['fits']> {
    if (!this.allows(holdNanoUsd)) return { name: "the run's allowance", resetsAtMs: null };
    const refusal = this.inTheWay(model, holdNanoUsd);
    if (refusal === undefined || refusal.action !== 'downgrade') return undefined;
    this.budgetRefusal = refusal;
    return refusal;
  }

  /** Whether the run itself may still spend so much. */
  allows(holdNanoUsd: NanoUsd): boolean {
    const left = this.#run.allowance.costLeftNanoUsd;
    const allowed = left === null || holdNanoUsd <= left;
    if (!allowed) this.allowanceRefused = true;
    return allowed;
  }

  /** The budget that would refuse this hold now. */
  inTheWay(model: PlanModel, holdNanoUsd: NanoUsd): BudgetRefusal | undefined {
    return this.#parts.budgets.fits({
      runId: this.#run.root.id,
      attemptId: '',
      task: this.#run.record.task,
      provider: model.provider,
      model: model.key,
      caller: this.#run.caller,
      tags: this.#run.tags,
      worst: {
        costNanoUsd: holdNanoUsd,
        tokens: this.#needs.inputTokens(model) + outputOf(this.#needs, model),
        calls: 1,
      },
    });
  }
}
