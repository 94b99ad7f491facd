// RunShape: a run as resolvers hand it on; finished ones bring their steps and attempts, others are read when asked for.
import type { RunSnapshot } from '../../../engine/execution/port.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../../engine/execution/records.ts';

export interface RunShape {
  readonly kind: 'run';
  readonly run: RunRecord;
  /** null: read from the ledger when a document asks for them. */
  readonly steps: readonly StepRecord[] | null;
  readonly attempts: readonly AttemptRecord[] | null;
}

export function shapeOfSnapshot(snapshot: RunSnapshot): RunShape {
  return { kind: 'run', run: snapshot.run, steps: snapshot.steps, attempts: snapshot.attempts };
}

export function shapeOfRecord(run: RunRecord): RunShape {
  return { kind: 'run', run, steps: null, attempts: null };
}

export function tagList(tags: {
  readonly [key: string]: string;
}): { readonly key: string; readonly value: string }[] {
  return Object.keys(tags)
    .sort()
    .map((key) => ({ key, value: tags[key] ?? '' }));
}
