// A run's story: what was decided, skipped, held, settled, failed and saved, from what is recorded and nothing else.
import { formatUsd } from '../common/money.ts';
import type { NanoUsd } from '../common/money.ts';
import type { AttemptRecord, RunRecord } from '../engine/execution/records.ts';

export interface StoryRow {
  readonly step: string;
  /** `provider/model`. */
  readonly model: string;
  readonly outcome: string;
  /** The route's rule that held, and how it ordered the candidates. */
  readonly rule: string;
  readonly heldNanoUsd: NanoUsd;
  readonly costNanoUsd: NanoUsd;
  /** Against the baseline; below 0: it counts against. */
  readonly savedNanoUsd: NanoUsd;
  readonly latencyMs: number | null;
}

export interface Story {
  /** One paragraph. */
  readonly text: string;
  /** One for each attempt, in their order. */
  readonly rows: readonly StoryRow[];
}

const MOST_TOLD = 6;

export function storyOf(run: RunRecord, attempts: readonly AttemptRecord[]): Story {
  const told = attempts.slice(0, MOST_TOLD);
  const sentences = [
    opening(run, attempts),
    ...told.map((attempt, index) => attemptSentence(attempt, told[index - 1])),
    ...(attempts.length > told.length
      ? [`${attempts.length - told.length} further attempts are in the table.`]
      : []),
    ...savedSentence(run, attempts),
    ...(run.error === null ? [] : [`It ended with ${run.error.code}: ${sentence(run.error.message)}`]),
  ];
  return { text: sentences.join(' '), rows: attempts.map(rowOf) };
}

function rowOf(attempt: AttemptRecord): StoryRow {
  return {
    step: attempt.step,
    model: modelOf(attempt),
    outcome: attempt.errorClass === null ? attempt.status : `${attempt.status}: ${attempt.errorClass}`,
    rule: `${attempt.decision.rule} (${attempt.decision.pick})`,
    heldNanoUsd: attempt.heldNanoUsd,
    costNanoUsd: attempt.costNanoUsd,
    savedNanoUsd: savedBy(attempt),
    latencyMs: attempt.latencyMs,
  };
}

const modelOf = ({ provider, requestedModel }: AttemptRecord): string => `${provider}/${requestedModel}`;
const dollars = (nano: NanoUsd): string => (nano < 0n ? `-$${formatUsd(-nano)}` : `$${formatUsd(nano)}`);
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function savedBy(attempt: AttemptRecord): NanoUsd {
  const { savedBy: by = null, status, costNanoUsd } = attempt;
  if (by === 'failure' || (by === null && status !== 'succeeded' && status !== 'open')) return -costNanoUsd;
  return (attempt.savedRouteNanoUsd ?? 0n) + (attempt.savedPromptCacheNanoUsd ?? 0n);
}

function opening(run: RunRecord, attempts: readonly AttemptRecord[]): string {
  const who = run.caller.team === null ? run.caller.name : `${run.caller.name} of ${run.caller.team}`;
  const asked = `${who} asked for ${run.task} at ${new Date(run.startedAtMs).toISOString()}, under revision ${run.revision.slice(0, 12)}`;
  if (run.reusedBy === 'loop_guard')
    return `${asked}; the same input came in a loop, so that an earlier answer was given again and nobody was called.`;
  if (run.cached)
    return `${asked}; the cache had the answer, which had cost ${dollars(run.savedNanoUsd)}, and nobody was called.`;
  const took = run.latencyMs === null ? '' : ` after ${Math.round(run.latencyMs)} ms`;
  const calls = attempts.length === 1 ? '1 call' : `${attempts.length} calls`;
  const cost = attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
  return `${asked}; it ${STATUS[run.status]}${took}, with ${calls} for ${dollars(cost)}.`;
}

const STATUS: { readonly [status in RunRecord['status']]: string } = {
  queued: 'waits to begin',
  running: 'is under way',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
};

function attemptSentence(attempt: AttemptRecord, before: AttemptRecord | undefined): string {
  const { decision, step } = attempt;
  const isAgain = before !== undefined && before.step === step;
  const where = isAgain ? 'Then' : `For ${step},`;
  const skipped = decision.candidates.flatMap(({ model, skipped: skip }) =>
    skip === null ? [] : [`${model} (${skip.code}: ${skip.detail})`],
  );
  const others = decision.candidates.flatMap(({ model, chosen, skipped: skip, expectedCostNanoUsd }) =>
    chosen || skip !== null ? [] : [`${model} (${dollars(BigInt(expectedCostNanoUsd))} expected)`],
  );
  return [
    `${where} rule ${decision.rule} chose ${modelOf(attempt)} by ${decision.pick}`,
    others.length === 0 ? '' : ` before ${others.join(', ')}`,
    skipped.length === 0 ? '' : `, and could not use ${skipped.join(', ')}`,
    `; ${dollars(attempt.heldNanoUsd)} was held${outcome(attempt)}`,
  ].join('');
}

function outcome(attempt: AttemptRecord): string {
  const { status, costNanoUsd, errorClass, errorMessage, estimated } = attempt;
  if (status === 'open') return ', and it is not answered yet.';
  if (status === 'unreconciled')
    return '; its process died, so that the hold stays until somebody decides what was billed.';
  const settled = ` and ${dollars(costNanoUsd)} settled${estimated ? ', estimated by what was seen' : ''}${promptCache(attempt)}`;
  if (status === 'succeeded') return `${settled}.`;
  return `${settled}; it ${status === 'cancelled' ? 'was cancelled' : 'failed'}${errorClass === null ? '' : ` with ${errorClass}`}${errorMessage === null ? '.' : `: ${sentence(errorMessage)}`}`;
}

/** What became of the prompt's beginning at the provider, and why it was asked to keep it. */
function promptCache({
  inputTokens,
  cachedInputTokens: read,
  cacheWriteTokens: written,
  notes = [],
}: AttemptRecord): string {
  const asked = notes.find(({ code }) => code === 'PROMPT_CACHE');
  if (read + written === 0 && asked === undefined) return '';
  const done = [
    ...(read > 0 ? [`${read} of ${inputTokens} tokens of input were read from the provider's cache`] : []),
    ...(written > 0
      ? [`${written} of ${inputTokens} tokens of input were written to the provider's cache`]
      : []),
  ];
  const told = done.length > 0 ? done.join(' and ') : "nothing was read from the provider's cache";
  return `; ${told}${asked === undefined ? '' : ` (${asked.message})`}`;
}

function savedSentence(run: RunRecord, attempts: readonly AttemptRecord[]): readonly string[] {
  const baseline = attempts.find(({ baseline: of }) => of !== null && of !== undefined)?.baseline;
  if (attempts.length === 0 || run.finishedAtMs === null) return [];
  const net = attempts.reduce((sum, attempt) => sum + savedBy(attempt), 0n);
  const cache = attempts.reduce((sum, { savedPromptCacheNanoUsd = 0n }) => sum + savedPromptCacheNanoUsd, 0n);
  const lost = attempts.reduce((sum, attempt) => (savedBy(attempt) < 0n ? sum + savedBy(attempt) : sum), 0n);
  const parts = [
    ...(cache === 0n ? [] : [`${dollars(cache)} by the prompt cache`]),
    ...(lost === 0n ? [] : [`${dollars(lost)} for what was of no use, or dearer`]),
  ];
  const detail = parts.length === 0 ? '' : ` (${parts.join(', ')} in it)`;
  if (baseline === undefined || baseline === null)
    return net === 0n ? [] : [`No baseline is named; measured alone, it saved ${dollars(net)}${detail}.`];
  return [`Against ${baseline} it saved ${dollars(net)}${detail}.`];
}
