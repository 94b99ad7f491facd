// RunFailure: how a run ends without an answer. Thrown, because it has to cross a Scope, which knows nothing but promises.
import type { Json } from '../../common/json.ts';
import type { BudgetRefusal } from '../budget/port.ts';
import type { SpendSwitch } from '../budget/guards/port.ts';
import type { RouteDecision } from '../routing/port.ts';
import { errorText } from '../../errors/catalogue.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { RunError } from './records.ts';

/** What a front door needs beside the error, by the kind of its result. */
export type FailureCause =
  | { readonly kind: 'failed' }
  | { readonly kind: 'cancelled' }
  /** A durable run that is stopped with its process: not finished, continued after the next start. */
  | { readonly kind: 'suspended' }
  /** A durable run whose ledger is away: not finished, it goes on here when the ledger is there again. */
  | { readonly kind: 'stands_still'; readonly cancelReason?: string }
  | { readonly kind: 'budget_exceeded'; readonly refusal: BudgetRefusal }
  | { readonly kind: 'spending_paused'; readonly switch: SpendSwitch }
  | { readonly kind: 'loop_detected'; readonly repeats: number; readonly withinMs: number }
  | { readonly kind: 'no_provider_available'; readonly decision: RouteDecision };

export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly error: RunError;
  readonly failure: FailureCause;
  constructor(error: RunError, failure: FailureCause) {
    super(error.message);
    this.error = error;
    this.failure = failure;
  }
}

export interface FailureContext {
  readonly step?: string | null;
  readonly retryAfterMs?: number | null;
  readonly details?: { readonly [key: string]: Json };
}

/** A RunError from the catalogue. */
export function runError(
  code: ErrorCode,
  values: { readonly [name: string]: string | number },
  context: FailureContext = {},
): RunError {
  const { retryAfterMs = null } = context;
  return {
    ...errorText(code, values),
    retryAfterMs: retryAfterMs === null ? null : Math.ceil(retryAfterMs),
    step: context.step ?? null,
    details: context.details ?? {},
  };
}

/** A failure without more to say than its error. */
export function failed(
  code: ErrorCode,
  values: { readonly [name: string]: string | number },
  context?: FailureContext,
): RunFailure {
  return new RunFailure(runError(code, values, context), { kind: 'failed' });
}
