// The log of runs: one line each, when it has been written as finished. No input, no output, no secret (INV-9).
import type { Logger } from 'pino';
import { formatUsd } from '../../common/money.ts';
import type { AlertRecord } from '../../engine/execution/ports.ts';
import type { RunRecord } from '../../engine/execution/records.ts';
import type { WrittenFeed } from '../../ledger/port.ts';
import type { Ledger } from '../../ledger/open.ts';

/** Failed runs are warnings: whoever runs the server should see them, whoever sent them was told. */
export function logRuns(written: WrittenFeed, log: Logger): () => void {
  return written.onWritten((rows) => {
    for (const row of rows) {
      if (row.kind === 'run_finished') logRun(row.run, log);
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

function logRun(run: RunRecord, log: Logger): void {
  const line = {
    runId: run.id,
    task: run.task,
    status: run.status,
    caller: run.caller.name,
    costUsd: formatUsd(run.costNanoUsd),
    latencyMs: run.latencyMs,
    revision: run.revision.slice(0, 12),
    ...(run.cached ? { cached: true } : {}),
    ...(run.reusedBy === undefined ? {} : { reusedBy: run.reusedBy }),
    ...(run.parentRunId === null ? {} : { parentRunId: run.parentRunId }),
    ...(run.error === null ? {} : { error: run.error.code }),
  };
  if (run.status === 'failed') log.warn(line, 'run');
  else log.info(line, 'run');
}
