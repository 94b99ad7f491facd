// Traces: a span per run, step and attempt, by OpenTelemetry's conventions for generative AI; nothing where no SDK is registered.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import { formatUsd } from '../../common/money.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../engine/execution/records.ts';
import type { WrittenFeed } from '../../ledger/port.ts';

/** Runs whose end is never written are forgotten, the oldest first (INV-14). */
const MAX_OPEN_SPANS = 10_000;

/**
 * Spans begin and end with the times that were written. The conventions are those of version 1.41: `invoke_workflow` for a run,
 * `chat` for an attempt (https://github.com/open-telemetry/semantic-conventions, docs/gen-ai).
 */
export function traceRuns(written: WrittenFeed, tracer: Tracer = trace.getTracer('headgate')): () => void {
  const runs = new LRUCache<string, Span>({
    max: MAX_OPEN_SPANS,
    dispose: (span, _id, reason) => reason === 'evict' && span.end(),
  });
  const attempts = new LRUCache<string, Span>({
    max: MAX_OPEN_SPANS,
    dispose: (span, _id, reason) => reason === 'evict' && span.end(),
  });

  const under = (runId: string): Context => {
    const parent = runs.get(runId);
    return parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
  };

  return written.onWritten((rows) => {
    for (const row of rows) {
      switch (row.kind) {
        case 'run_opened': {
          const span = startRun(
            tracer,
            row.run,
            row.run.parentRunId === null ? context.active() : under(row.run.parentRunId),
          );
          if (span.isRecording()) runs.set(row.run.id, span);
          break;
        }
        case 'attempt_opened': {
          const span = startAttempt(tracer, row.attempt, under(row.attempt.runId));
          if (span.isRecording()) attempts.set(row.attempt.id, span);
          break;
        }
        case 'attempt_closed': {
          const span = attempts.get(row.attempt.id);
          if (span !== undefined) endAttempt(span, row.attempt);
          attempts.delete(row.attempt.id);
          break;
        }
        case 'step':
          if (runs.has(row.step.runId)) traceStep(tracer, row.step, under(row.step.runId));
          break;
        case 'attempt_lowered':
          break;
        case 'run_finished': {
          const span = runs.get(row.run.id);
          if (span !== undefined) endRun(span, row.run);
          runs.delete(row.run.id);
          break;
        }
        case 'alert':
          break;
      }
    }
  });
}

function startRun(tracer: Tracer, run: RunRecord, parent: Context): Span {
  return tracer.startSpan(
    `invoke_workflow ${run.task}`,
    {
      kind: SpanKind.INTERNAL,
      startTime: run.startedAtMs,
      attributes: {
        'gen_ai.operation.name': 'invoke_workflow',
        'gen_ai.workflow.name': run.task,
        'headgate.run.id': run.id,
        'headgate.revision': run.revision,
        'headgate.caller': run.caller.name,
      },
    },
    parent,
  );
}

function endRun(span: Span, run: RunRecord): void {
  span.setAttributes({ 'headgate.cost.usd': formatUsd(run.costNanoUsd), 'headgate.cached': run.cached });
  if (run.error !== null) fail(span, run.error.code, run.error.message);
  span.end(run.finishedAtMs ?? run.startedAtMs);
}

function startAttempt(tracer: Tracer, attempt: AttemptRecord, parent: Context): Span {
  return tracer.startSpan(
    `chat ${attempt.requestedModel}`,
    {
      kind: SpanKind.CLIENT,
      startTime: attempt.startedAtMs,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': attempt.provider,
        'gen_ai.request.model': attempt.requestedModel,
        'headgate.attempt.id': attempt.id,
        'headgate.step': attempt.step,
        'headgate.route.rule': attempt.decision.rule,
      },
    },
    parent,
  );
}

function endAttempt(span: Span, attempt: AttemptRecord): void {
  const attributes: Attributes = {
    'gen_ai.response.model': attempt.model,
    'gen_ai.usage.input_tokens': attempt.inputTokens,
    'gen_ai.usage.output_tokens': attempt.outputTokens,
    'headgate.cost.usd': formatUsd(attempt.costNanoUsd),
  };
  if (attempt.requestId !== null) attributes['gen_ai.response.id'] = attempt.requestId;
  span.setAttributes(attributes);
  if (attempt.errorClass !== null) fail(span, attempt.errorClass, attempt.errorMessage ?? attempt.errorClass);
  span.end(attempt.finishedAtMs ?? attempt.startedAtMs);
}

/** A step is written when it is over. */
function traceStep(tracer: Tracer, step: StepRecord, parent: Context): void {
  if (step.finishedAtMs === null) return;
  const span = tracer.startSpan(
    `step ${step.key}`,
    {
      kind: SpanKind.INTERNAL,
      startTime: step.startedAtMs,
      attributes: {
        'headgate.step': step.key,
        'headgate.step.kind': step.kind,
        'headgate.step.status': step.status,
      },
    },
    parent,
  );
  if (step.error !== null) fail(span, step.error.code, step.error.message);
  span.end(step.finishedAtMs);
}

function fail(span: Span, type: string, message: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
