// The log of runs: one line each, when it has been committed as finished. No input, no output, no secret (INV-9).
import type { Logger } from 'pino';
import { formatUsd } from '../../common/money.ts';
import type { RunRecord } from '../../execution/records.ts';
import type { CommitFeed } from '../../ledger/port.ts';

/** Failed runs are warnings: whoever runs the server should see them, whoever sent them was told. */
export function logRuns(commits: CommitFeed, log: Logger): () => void {
  return commits.onCommit((rows) => {
    for (const row of rows) {
      if (row.kind === 'run_finished') logRun(row.run, log);
      else if (row.kind === 'alert')
        log.warn(
          { alert: row.alert.kind, scope: row.alert.scope, runId: row.alert.runId },
          row.alert.message,
        );
    }
  });
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
    ...(run.parentRunId === null ? {} : { parentRunId: run.parentRunId }),
    ...(run.error === null ? {} : { error: run.error.code }),
  };
  if (run.status === 'failed') log.warn(line, 'run');
  else log.info(line, 'run');
}
