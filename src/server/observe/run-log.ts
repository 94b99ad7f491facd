// The log of runs: one line each, when it has been written as finished. No input, no output, no secret (INV-9).
import type { Logger } from 'pino';
import { InFlight } from '../../common/in-flight.ts';
import { formatUsd } from '../../common/money.ts';
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord } from '../../engine/execution/records.ts';
import type { WrittenFeed } from '../../ledger/port.ts';
import type { Ledger } from '../../ledger/open.ts';

/** Failed runs are warnings: whoever runs the server should see them, whoever sent them was told. */
export function logRuns(written: WrittenFeed, log: Logger): () => void {
  const calls = new RunCalls();
  return written.onWritten((rows) => {
    for (const row of rows) {
      if (row.kind === 'attempt_closed') calls.closed(row.attempt);
      else if (row.kind === 'run_finished') logRun(row.run, calls.take(row.run.id), log);
      else if (row.kind === 'alert') logAlert(row.alert, row.alert.message, log);
    }
  });
}

/** What a process that died left behind was written down before anyone listened to the feed: it is told when the server starts. */
export function logRecovered(
  { recovered, recoveryAlerts }: Pick<Ledger, 'recovered' | 'recoveryAlerts'>,
  log: Logger,
): void {
  for (const alert of recoveryAlerts) logAlert(alert, `${alert.message} ${alert.remedy}`, log);
  const { interrupted } = recovered;
  if (interrupted > 0)
    log.warn({ interrupted }, 'runs were under way when the last process ended: RUN_INTERRUPTED');
}

function logAlert({ kind, severity, scope, runId }: AlertRecord, text: string, log: Logger): void {
  log[severity === 'critical' ? 'error' : 'warn']({ alert: kind, scope, runId }, text);
}

/** What the calls of a run came to. */
interface Calls {
  /** The model that was called last. */
  readonly model: string;
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Runs that were cut off never end: beyond so many, the oldest is forgotten (INV-14). */
const MOST_RUNS = 20_000;

/** Calls come before the run's end, in the feed too. */
class RunCalls {
  readonly #runs = new InFlight<string, Calls>();

  closed({ runId, provider, requestedModel, inputTokens, outputTokens }: AttemptRecord): void {
    const known = this.#runs.get(runId);
    if (known === undefined && this.#runs.size >= MOST_RUNS) this.#runs.takeOldest();
    this.#runs.set(runId, {
      model: `${provider}/${requestedModel}`,
      attempts: (known?.attempts ?? 0) + 1,
      inputTokens: (known?.inputTokens ?? 0) + inputTokens,
      outputTokens: (known?.outputTokens ?? 0) + outputTokens,
    });
  }

  take(runId: string): Calls | undefined {
    return this.#runs.take(runId);
  }
}

function logRun(run: RunRecord, calls: Calls | undefined, log: Logger): void {
  const line = {
    runId: run.id,
    task: run.task,
    status: run.status,
    caller: run.caller.name,
    costUsd: formatUsd(run.costNanoUsd),
    latencyMs: run.latencyMs,
    ...calls,
    ...(Object.keys(run.tags).length === 0 ? {} : { tags: run.tags }),
    revision: run.revision.slice(0, 12),
    ...(run.cached ? { cached: true } : {}),
    ...(run.reusedBy === undefined ? {} : { reusedBy: run.reusedBy }),
    ...(run.parentRunId === null ? {} : { parentRunId: run.parentRunId }),
    ...(run.error === null ? {} : { error: run.error.code }),
  };
  if (run.status === 'failed') log.warn(line, 'run');
  else log.info(line, 'run');
}
