// Signals in memory: what attempts teach about latency and output length. Bounded, cheap, and fed with attempts once they are written.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../common/clock.ts';
import { DenseHistogram } from '../../common/histogram.ts';
import { Recent } from '../../common/recent.ts';
import type { CallHealth } from '../resilience/port.ts';
import type { LearntLatency, Signals } from './port.ts';

/** One attempt that reached a provider, as far as routing learns from it. */
export interface AttemptSample {
  /** `provider/model`. */
  readonly modelKey: string;
  readonly task: string;
  readonly step: string;
  /** `ignore` teaches nothing: the caller went away, or the request itself was bad. */
  readonly health: CallHealth;
  readonly totalMs: number;
  /** null: not streamed, or no token came. */
  readonly firstTokenMs: number | null;
  /** null: not known, or not a whole answer. */
  readonly outputTokens: number | null;
}

export interface LearningSignals extends Signals {
  observe(sample: AttemptSample): void;
}

/** The time in which a peak falls to about a third. */
const DECAY_MS = 10_000;
/**
 * A quick failure must not look like a quick answer: it counts as this long at least, and as twice what was expected before. So one failure is a hint, and
 * five in a row are far from everybody's choice. An answer ends it.
 */
const FAILURE_MS = 1_000;
const LONGEST_FAILURE_MS = 20_000;
/** A mean of all samples up to this many; then each new one counts for a twentieth. */
const MEAN_OF = 20;
/** Then all counts of a histogram are halved: the last thousand or so weigh more than all before them. */
const FULL = 1_000;
/** Percentiles of fewer successes than this say little. */
const ENOUGH = 20;
/** Models and steps come from workflow files, but over a long life of reloads there may be any number (INV-14). */
const MOST_MODELS = 2_000;
const STEPS_KEPT = 20_000;

interface ModelKnowledge {
  /** Of answers; null: there was none. */
  answerMs: number | null;
  firstTokenMs: number | null;
  /** What failures since the last answer count as; 0: there was none. */
  failureMs: number;
  samples: number;
  lastMs: number;
  readonly totals: DenseHistogram;
  readonly firstTokens: DenseHistogram;
  /** Of `totals`; null: to be computed again. */
  p95Ms: number | null;
}

interface Length {
  mean: number;
  samples: number;
}

export function createSignals({ clock }: { readonly clock: Clock }): LearningSignals {
  const models = new LRUCache<string, ModelKnowledge>({ max: MOST_MODELS });
  const lengths = new Recent<Length>(STEPS_KEPT);

  const learnLatency = (sample: AttemptSample): void => {
    const nowMs = clock.monotonicMs();
    let known = models.get(sample.modelKey);
    if (known === undefined) {
      known = {
        answerMs: null,
        firstTokenMs: null,
        failureMs: 0,
        samples: 0,
        lastMs: nowMs,
        totals: new DenseHistogram(),
        firstTokens: new DenseHistogram(),
        p95Ms: null,
      };
      models.set(sample.modelKey, known);
    }
    const keep = Math.exp(-Math.max(0, nowMs - known.lastMs) / DECAY_MS);
    if (sample.health === 'failure') {
      const expectedMs = Math.max(known.answerMs ?? 0, known.failureMs);
      const punishedMs = Math.min(LONGEST_FAILURE_MS, Math.max(FAILURE_MS, 2 * expectedMs));
      known.failureMs = Math.max(sample.totalMs, punishedMs);
    } else {
      known.failureMs = 0;
      known.answerMs = peakSensitive(known.answerMs, sample.totalMs, keep);
      record(known.totals, sample.totalMs);
      known.p95Ms = null;
      if (sample.firstTokenMs !== null) {
        known.firstTokenMs = peakSensitive(known.firstTokenMs, sample.firstTokenMs, keep);
        record(known.firstTokens, sample.firstTokenMs);
      }
    }
    known.samples += 1;
    known.lastMs = nowMs;
  };

  const learnLength = ({ task, step, modelKey }: AttemptSample, outputTokens: number): void => {
    let length = lengths.get(task, nameOf(step), modelKey);
    if (length === undefined) {
      length = { mean: 0, samples: 0 };
      lengths.add(task, nameOf(step), modelKey, length);
    }
    length.samples = Math.min(length.samples + 1, MEAN_OF);
    length.mean += (outputTokens - length.mean) / length.samples;
  };

  return {
    observe(sample) {
      if (sample.health === 'ignore') return;
      learnLatency(sample);
      if (sample.health === 'success' && sample.outputTokens !== null)
        learnLength(sample, sample.outputTokens);
    },
    latency(modelKey): LearntLatency | null {
      const known = models.get(modelKey);
      if (known === undefined) return null;
      known.p95Ms ??= known.totals.upperQuantileMs(0.95) ?? 0;
      return {
        totalMs: Math.max(known.answerMs ?? 0, known.failureMs),
        firstTokenMs: known.firstTokenMs === null ? null : Math.max(known.firstTokenMs, known.failureMs),
        p95Ms: known.p95Ms,
        samples: known.samples,
        ageMs: Math.max(0, clock.monotonicMs() - known.lastMs),
        failing: known.failureMs > 0,
      };
    },
    outputTokens: (task, step, modelKey) => lengths.get(task, nameOf(step), modelKey)?.mean ?? null,
    percentileMs(modelKey, percentile, of) {
      const known = models.get(modelKey);
      const histogram = of === 'total' ? known?.totals : known?.firstTokens;
      return histogram === undefined || histogram.total < ENOUGH
        ? null
        : histogram.upperQuantileMs(percentile / 100);
    },
  };
}

function record(histogram: DenseHistogram, durationMs: number): void {
  histogram.record(durationMs);
  if (histogram.total >= FULL) histogram.halve();
}

/** Finagle's Peak EWMA: a sample above the average takes its place; one below moves it by how much time has passed. */
function peakSensitive(average: number | null, sample: number, keep: number): number {
  return average === null || sample >= average ? sample : average * keep + sample * (1 - keep);
}

/** What an item has taught (`reviews[3]`) is learnt for its step (`reviews`). */
function nameOf(step: string): string {
  return step.endsWith(']') ? step.slice(0, step.lastIndexOf('[')) : step;
}
