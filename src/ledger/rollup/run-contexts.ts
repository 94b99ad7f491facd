// What the main thread remembers of runs, so that each attempt and each run is counted under its dimensions without a look-up.
import type { AttemptRecord, RunRecord } from '../../engine/execution/records.ts';
import { encodeDimensions, encodeStem, encodeTags } from './dimensions.ts';

interface RunContext {
  readonly isConfidential: boolean;
  readonly team: string;
  readonly tags: string;
  readonly session: string;
  /** Of its last attempt: a run is counted once, under the provider that answered it. */
  provider: string;
  model: string;
}

/**
 * Runs that are over are kept for a while: the loser of a hedge may be settled after its run. In two generations of as many: deleting the oldest
 * of a Map one by one leaves holes at its beginning, which the next look for the oldest has to walk over.
 */
const GENERATION = 10_000;
/** Sets of tags that are counted apart; what comes after is counted together, so that a tag with a value per run cannot fill the roll-ups. */
const COUNTED_TAG_SETS = 2_000;
const OTHER_TAGS = '{"":"(other)"}';

export class RunContexts {
  #young = new Map<string, RunContext>();
  #old = new Map<string, RunContext>();
  readonly #tagSets = new Set<string>();

  opened(run: RunRecord): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(run.id, {
      isConfidential: run.confidential === true,
      team: run.caller.team ?? '',
      tags: this.#counted(run.tags),
      session: run.caller.session ?? '',
      provider: '',
      model: '',
    });
  }

  #counted(tags: { readonly [key: string]: string }): string {
    const text = encodeTags(tags);
    if (this.#tagSets.has(text)) return text;
    if (this.#tagSets.size >= COUNTED_TAG_SETS) return OTHER_TAGS;
    this.#tagSets.add(text);
    return text;
  }

  #of(runId: string): RunContext | undefined {
    return this.#young.get(runId) ?? this.#old.get(runId);
  }

  /** Whether the texts of a run may lie in no file but the database; of one that is not known, they may not. */
  isConfidential(runId: string): boolean {
    return this.#of(runId)?.isConfidential ?? true;
  }

  /** The dimensions of an attempt, without its status. */
  attemptStem(attempt: AttemptRecord): string {
    const context = this.#of(attempt.runId);
    const model = `${attempt.provider}/${attempt.requestedModel}`;
    if (context !== undefined) {
      context.provider = attempt.provider;
      context.model = model;
    }
    const { task, caller, provider, revision } = attempt;
    return encodeStem({
      task,
      caller,
      team: context?.team ?? '',
      provider,
      model,
      revision,
      tags: context?.tags ?? '{}',
      session: context?.session ?? '',
    });
  }

  /** An attempt that succeeded is its run's answer, even where another was started after it. */
  succeeded(attempt: AttemptRecord): void {
    const context = this.#of(attempt.runId);
    if (context === undefined) return;
    context.provider = attempt.provider;
    context.model = `${attempt.provider}/${attempt.requestedModel}`;
  }

  runKey(run: RunRecord): string {
    const context = this.#of(run.id);
    const stem = encodeStem({
      task: run.task,
      caller: run.caller.name,
      team: run.caller.team ?? '',
      provider: context?.provider ?? '',
      model: context?.model ?? '',
      revision: run.revision,
      tags: context?.tags ?? this.#counted(run.tags),
      session: run.caller.session ?? '',
    });
    return encodeDimensions(stem, run.status);
  }
}
