// The result of a run, for people and as JSON.
import type { Json } from '../../common/json.ts';
import { formatUsd } from '../../common/money.ts';
import { formatDuration } from '../../common/units.ts';
import type { RunResult } from '../../engine/execution/port.ts';
import type { AttemptRecord } from '../../engine/execution/records.ts';
import type { CliRunTaskMutation } from '../generated/graphql.ts';
import type { Colours } from './colours.ts';
import { plural } from './problems.ts';

/** As `headgate run --json` prints it: money as decimal text in dollars, times in milliseconds. */
export function runResultJson(result: RunResult): Json {
  if (result.kind === 'run') {
    const { run, attempts } = result.snapshot;
    return {
      id: run.id,
      task: run.task,
      status: run.status,
      revision: run.revision,
      output: run.output,
      error: run.error && {
        code: run.error.code,
        message: run.error.message,
        remedy: run.error.remedy,
        step: run.error.step,
      },
      cost: formatUsd(run.costNanoUsd),
      saved: formatUsd(run.savedNanoUsd),
      cached: run.cached,
      latencyMs: run.latencyMs,
      attempts: attempts.map(attemptJson),
    };
  }
  const base = { error: { code: result.code, message: result.message, remedy: result.remedy } };
  switch (result.kind) {
    case 'invalid_input':
      return {
        ...base,
        problems: result.problems.map(({ path, code, message }) => ({ path, code, message })),
      };
    case 'no_provider_available':
      return {
        ...base,
        id: result.runId,
        step: result.step,
        retryAfterMs: result.retryAfterMs,
        candidates: result.decision.candidates.map(({ model, skipped }) => ({
          model,
          skipped: skipped && { code: skipped.code, detail: skipped.detail },
        })),
        attempts: result.attempts.map(attemptJson),
      };
    case 'budget_exceeded':
      return {
        ...base,
        id: result.runId,
        budget: result.refusal.name,
        account: result.refusal.account,
        resetsAtMs: result.refusal.resetsAtMs,
      };
    case 'spending_paused':
      return { ...base, scope: result.scope, reason: result.reason };
    case 'loop_detected':
      return {
        ...base,
        repeats: result.repeats,
        withinMs: result.withinMs,
        retryAfterMs: result.retryAfterMs,
      };
    case 'unauthorized':
      return { ...base, scope: result.scope };
  }
}

function attemptJson(attempt: AttemptRecord): Json {
  return {
    provider: attempt.provider,
    model: attempt.model,
    requestedModel: attempt.requestedModel,
    step: attempt.step,
    status: attempt.status,
    errorClass: attempt.errorClass,
    inputTokens: attempt.inputTokens,
    cachedInputTokens: attempt.cachedInputTokens,
    outputTokens: attempt.outputTokens,
    reasoningTokens: attempt.reasoningTokens,
    cost: formatUsd(attempt.costNanoUsd),
    latencyMs: attempt.latencyMs,
    firstTokenMs: attempt.firstTokenMs,
  };
}

/** What the task answered, as text: a text alone as it is, anything else as indented JSON. */
export function outputText(output: Json | null): string {
  if (typeof output === 'string') return output;
  if (typeof output === 'object' && output !== null && !Array.isArray(output)) {
    const [only, ...others] = Object.values(output as { [key: string]: Json });
    if (typeof only === 'string' && others.length === 0) return only;
  }
  return JSON.stringify(output, null, 2);
}

/** One line about who answered, in what time, for how much; or what went wrong and what to do. */
export function runSummary(result: RunResult, colours: Colours): string {
  if (result.kind !== 'run') {
    const lines = [`${colours.red(result.code)} ${result.message}`, `  ${result.remedy}`];
    if (result.kind === 'invalid_input')
      lines.splice(
        1,
        0,
        ...result.problems.map(({ path, message }) => `  ${path === '' ? 'input' : path}: ${message}`),
      );
    if (result.kind === 'no_provider_available')
      lines.splice(
        1,
        0,
        ...result.decision.candidates.flatMap(({ model, skipped }) =>
          skipped ? [`  ${model}: ${skipped.detail}`] : [],
        ),
        ...result.attempts.map(
          ({ provider, requestedModel, errorMessage }) =>
            `  ${provider}/${requestedModel}: ${errorMessage ?? 'failed'}`,
        ),
      );
    return lines.join('\n');
  }
  const { run, attempts } = result.snapshot;
  return summaryOf(
    {
      id: run.id,
      cost: formatUsd(run.costNanoUsd),
      latencyMs: run.latencyMs,
      error: run.error,
      cached: run.cached,
      attempts: attempts.map(({ provider, model, status }) => ({ provider, model, status })),
    },
    colours,
  );
}

/** A server's answer in the shape of `runResultJson`. */
export function remoteJson(answer: CliRunTaskMutation['runTask']): Json {
  if (answer.__typename === 'Run') {
    const { id, task, status, revision, outputJson, error, cost, saved, cached, latencyMs, attempts } =
      answer;
    return {
      id,
      task: task.name,
      status: status.toLowerCase(),
      revision: revision.hash,
      output: (outputJson ?? null) as Json,
      error: error
        ? { code: error.code, message: error.message, remedy: error.remedy, step: error.step ?? null }
        : null,
      cost,
      saved,
      cached,
      latencyMs: latencyMs ?? null,
      attempts: attempts.map((attempt) => ({
        ...attempt,
        provider: attempt.provider.name,
        status: attempt.status.toLowerCase(),
        errorClass: attempt.errorClass ?? null,
        latencyMs: attempt.latencyMs ?? null,
        firstTokenMs: attempt.firstTokenMs ?? null,
      })),
    };
  }
  if (!('code' in answer)) return null;
  const { code, message, remedy } = answer;
  return {
    error: { code, message, remedy },
    ...('problems' in answer
      ? {
          problems: answer.problems.map((problem) => ({
            path: problem.path,
            code: problem.code,
            message: problem.message,
          })),
        }
      : {}),
  };
}

/** The same of a server's answer. */
export function remoteSummary(answer: CliRunTaskMutation['runTask'], colours: Colours): string {
  if (answer.__typename === 'Run')
    return summaryOf(
      {
        ...answer,
        attempts: answer.attempts.map(({ provider, model, status }) => ({
          provider: provider.name,
          model,
          status: status.toLowerCase(),
        })),
      },
      colours,
    );
  if (!('code' in answer)) return '';
  const problems =
    'problems' in answer
      ? answer.problems.map(({ path, message }) => `  ${path === '' ? 'input' : path}: ${message}`)
      : [];
  return [`${colours.red(answer.code)} ${answer.message}`, ...problems, `  ${answer.remedy}`].join('\n');
}

interface Summarized {
  readonly id: string;
  readonly cost: string;
  readonly latencyMs?: number | null;
  readonly cached: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string } | null;
  readonly attempts: readonly {
    readonly provider: string;
    readonly model: string;
    readonly status: string;
  }[];
}

function summaryOf({ id, cost, latencyMs, cached, error, attempts }: Summarized, colours: Colours): string {
  const answered = [
    ...new Set(
      attempts
        .filter(({ status }) => status === 'succeeded')
        .map(({ provider, model }) => `${provider}/${model}`),
    ),
  ];
  const failed = attempts.filter(({ status }) => status === 'failed').length;
  const parts = [
    ...(answered.length > 0 ? [answered.join(', ')] : []),
    `$${cost}`,
    ...(latencyMs === null || latencyMs === undefined ? [] : [formatDuration(latencyMs)]),
    ...(cached ? ['from the cache'] : []),
    ...(failed > 0 ? [plural(failed, 'failed attempt')] : []),
    id,
  ];
  const line = colours.dim(parts.join(' · '));
  return error ? `${colours.red(error.code)} ${error.message}\n  ${error.remedy}\n${line}` : line;
}
