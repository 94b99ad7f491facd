// How long one attempt may take, and be silent: its policy's limits, and its share of the run's deadline while another candidate can serve.
import type { PlanPolicy } from '../../language/plan/types.ts';
import type { Silence } from './call-provider.ts';

export interface AttemptLimits {
  readonly timeoutMs: number;
  /** From the first token of a stream on: what has come is paid for, and another would be asked for it again. */
  readonly begunTimeoutMs: number;
  readonly silence: Silence;
  /** The provider is asked for a stream whatever the caller wants, so that its silence shows. */
  readonly streams: boolean;
}

/** A stream that is asked for so that what is produced is seen, and not for its caller, may think as long as a whole answer. */
const NEVER_SILENT: Silence = { firstTokenMs: Number.POSITIVE_INFINITY, stallMs: Number.POSITIVE_INFINITY };

/**
 * `others`: candidates that could serve in its place. With them, an attempt has an equal share of what is left: a silent one leaves the same to each
 * that follows. One whose text comes is left when it falls silent for as long, and not for its share. Alone it has all that is left, and the run's
 * deadline ends it.
 */
export function attemptLimits(
  { timeoutMs, firstTokenMs, stallMs, watch }: PlanPolicy,
  leftMs: number,
  others: number,
  callerStreams: boolean,
): AttemptLimits {
  if (others > 0) {
    const shareMs = Math.max(1, Math.floor(leftMs / (others + 1)));
    const isWatched = callerStreams || watch === 'fallback';
    return {
      timeoutMs: Math.min(timeoutMs, shareMs),
      begunTimeoutMs: timeoutMs,
      silence: isWatched
        ? { firstTokenMs, stallMs }
        : { ...NEVER_SILENT, stallMs: Math.max(stallMs, shareMs) },
      streams: watch === 'fallback',
    };
  }
  // Who watches for the sake of a fallback waits where there is none.
  const patience = watch === 'fallback' ? Math.max(timeoutMs, firstTokenMs) : firstTokenMs;
  const silence = callerStreams ? { firstTokenMs: patience, stallMs } : NEVER_SILENT;
  return { timeoutMs, begunTimeoutMs: timeoutMs, silence, streams: false };
}

/** A call that was cut before its policy's own time was over says something of its model only if most of its answers take less. */
const LEAST_TELLING_MS = 1_000;

/** `usualMs`: what 95 of 100 of its answers take less than; null: not known. A caller in a hurry does not open a circuit for everyone. */
export function cutTooSoonToTell(tookMs: number, policyMs: number, usualMs: number | null): boolean {
  return tookMs < policyMs && tookMs < Math.max(LEAST_TELLING_MS, usualMs ?? 0);
}
