// What a run needs, beside its input, to go on after a restart: written when it is opened, read when it is continued.
import type { Caller } from '../budget/port.ts';
import type { StreamedTexts } from './port.ts';
import type { Json } from '../../common/json.ts';
import type { PlanAllowance } from '../../language/plan/types.ts';

export interface Continuation {
  readonly caller: Caller;
  readonly limits: PlanAllowance;
  /** Of which steps text deltas are wanted. */
  readonly texts: StreamedTexts | 'none';
}

export function encodeContinuation({ caller, limits, texts }: Continuation): Json {
  const { name, team, tier, tags, scopes, keyId, session } = caller;
  return {
    caller: { name, team, tier, tags, scopes, keyId, ...(session === undefined ? {} : { session }) },
    limits: {
      deadlineMs: limits.deadlineMs,
      attempts: limits.attempts,
      costNanoUsd: limits.costNanoUsd?.toString() ?? null,
    },
    ...(texts === 'none' ? {} : { texts }),
  };
}

/** Of a text that `encodeContinuation` wrote: the ledger's content is not user input. */
export function decodeContinuation(json: Json): Continuation {
  // JSON that this file wrote itself; the type system cannot see through the text that it was stored as.
  const {
    caller,
    limits,
    texts = 'none',
  } = json as unknown as {
    caller: Caller;
    limits: { deadlineMs: number; attempts: number; costNanoUsd: string | null };
    texts?: StreamedTexts;
  };
  return {
    caller,
    texts,
    limits: { ...limits, costNanoUsd: limits.costNanoUsd === null ? null : BigInt(limits.costNanoUsd) },
  };
}
