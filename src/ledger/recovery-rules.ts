// What is written of a run whose process died, whatever database it is in.
import { encodeStem } from './rollup/dimensions.ts';

/** Stored as the run's error. */
export const INTERRUPTED = JSON.stringify({
  code: 'RUN_INTERRUPTED',
  message: 'The process that ran this task ended before the task did.',
  remedy: 'Run it again; use startTask for work that must survive a restart.',
  retryAfterMs: null,
  step: null,
  details: {},
});

/** Of a run that made no attempt, as its row says it. */
export function stemOfRun(run: { readonly [column: string]: unknown }): string {
  return encodeStem({
    task: run['task'] as string,
    caller: run['caller'] as string,
    team: (run['team'] as string | null) ?? '',
    provider: '',
    model: '',
    revision: run['revision'] as string,
    tags: run['tags'] as string,
    session: (run['session'] as string | null) ?? '',
  });
}
