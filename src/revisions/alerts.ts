// Notices of revisions as alerts: in words for people, with what to do.
import { assertNever } from '../common/assert-never.ts';
import type { Problem } from '../errors/problem.ts';
import type { AlertRecord } from '../engine/execution/recorder.ts';
import type { RevisionNotice, Revisions } from './port.ts';

type AlertText = Omit<AlertRecord, 'id' | 'atMs' | 'runId'>;

export function revisionAlert(notice: RevisionNotice): AlertText {
  const { record } = notice;
  const scope = 'all';
  const name =
    record.commit === null ? record.hash.slice(0, 12) : `${record.commit.slice(0, 12)} (${record.subject})`;
  switch (notice.kind) {
    case 'refused': {
      const errors = record.problems.filter(({ severity }) => severity === 'error');
      const [first] = errors;
      const serving = notice.serving.record.hash.slice(0, 12);
      return {
        kind: 'revision_refused',
        severity: 'warning',
        scope,
        message: [
          `The workflows of ${record.source} were refused; revision ${serving} serves on.`,
          ...(first === undefined ? [] : [problemLine(first, record.source)]),
          ...(errors.length > 1 ? [`And ${errors.length - 1} more.`] : []),
        ].join(' '),
        remedy: first?.remedy ?? 'Run "headgate check" and correct what it lists.',
        details: {
          hash: record.hash,
          commit: record.commit,
          serving: notice.serving.record.hash,
          problems: record.problems
            .slice(0, 20)
            .map(({ code, file, line, message }) => ({ code, file, line, message })),
        },
      };
    }
    case 'pinned':
      return {
        kind: 'revision_pinned',
        severity: 'warning',
        scope,
        message: `${notice.by} pinned revision ${name}: changes of the workflows have no effect until it is released.`,
        remedy: 'Release it with "headgate activate --release".',
        details: { hash: record.hash, commit: record.commit, by: notice.by },
      };
    case 'released':
      return {
        kind: 'revision_released',
        severity: 'info',
        scope,
        message: `${notice.by} released revision ${name}: what the workflows say is in force again.`,
        remedy: 'Nothing is to be done.',
        details: { hash: record.hash, commit: record.commit, by: notice.by },
      };
    case 'renamed':
      return {
        kind: 'revision_renamed',
        severity: 'warning',
        scope: `provider:${notice.to}`,
        message: `The provider "${notice.from}" is now called "${notice.to}": its circuits, latencies and rate windows start afresh.`,
        remedy: 'Give it its old name back where that was not meant.',
        details: { from: notice.from, to: notice.to, hash: record.hash },
      };
    default:
      return assertNever(notice);
  }
}

/** A source that cannot be read has no line. */
function problemLine({ file, line, message }: Problem, source: string): string {
  return file === source ? `${message}.` : `${file}:${line}: ${message}`;
}

/** What alerts do not say, in the log: each swap, and each refusal with all its problems. The function returned stops it. */
export function logRevisions(
  revisions: Pick<Revisions, 'onChange'>,
  log: Record<'info', (fields: { readonly [name: string]: unknown }, message: string) => void>,
): () => void {
  return revisions.onChange((result) => {
    const { hash, commit, subject, dirty, problems } =
      result.kind === 'refused' ? result.record : result.revision.record;
    const fields = { revision: hash, commit, subject, dirty };
    if (result.kind === 'refused')
      // The alert of the same is a warning already.
      log.info({ ...fields, problems }, 'a revision of the workflows was refused');
    else log.info(fields, 'a revision of the workflows was taken');
  });
}
