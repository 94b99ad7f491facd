// Where plans come from: the Source port, and what the rest of the engine sees of revisions.
import type { Problem } from '../errors/problem.ts';
import type { RevisionRecord } from '../ledger/port.ts';
import type { Plan } from '../language/plan/types.ts';
import type { LineChange } from './changed-lines.ts';

export interface WorkflowFile {
  /** With forward slashes, relative to where the source starts: `workflows/summarize.yaml`. */
  readonly path: string;
  readonly text: string;
  /** Why it cannot be read as text; `text` is then only there to be shown, and the file a problem of `check`. */
  readonly unread?: {
    /** Of docs/reference/diagnostics.md. */
    readonly code: string;
    /** The place in `text`. */
    readonly offset: number;
    readonly message: string;
    readonly remedy: string;
  };
}

export interface SourceSnapshot {
  readonly files: readonly WorkflowFile[];
  /** What git knows of it; null outside a repository. */
  readonly commit: { readonly hash: string; readonly author: string; readonly subject: string } | null;
  /** Files differ from the commit. */
  readonly dirty: boolean;
}

export interface ChangedLine extends LineChange {
  /** Of those between the two that were compared, the one that did it; null: it lies too far back. */
  readonly commit: SourceSnapshot['commit'];
}

export interface Source {
  /** For people: `directory workflows`, `git main at /srv/flows.git`. */
  readonly description: string;
  /** Throws a HeadgateError that says what to do when there is nothing to read. */
  read(): Promise<SourceSnapshot>;
  /** Where the files of two commits differ; undefined: this source does not have them both. */
  changesBetween?(before: string, after: string): Promise<readonly ChangedLine[] | undefined>;
  /** Calls back after changes have settled, and again and again while the last reading failed; the function returned stops it. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
}

export interface Revision {
  readonly plan: Plan;
  readonly record: RevisionRecord;
}

export type ReloadResult =
  | { readonly kind: 'unchanged'; readonly revision: Revision }
  | {
      readonly kind: 'activated';
      readonly revision: Revision;
      readonly previous: Revision | null;
      readonly warnings: readonly Problem[];
    }
  /** It does not compile, or could not be read: then its one problem says why, and no row of the ledger has it. */
  | { readonly kind: 'refused'; readonly record: RevisionRecord; readonly serving: Revision | null };

/** What people should hear of; app.ts makes alerts of it. */
export type RevisionNotice =
  | { readonly kind: 'refused'; readonly record: RevisionRecord; readonly serving: Revision }
  | { readonly kind: 'pinned' | 'released'; readonly record: RevisionRecord; readonly by: string }
  /** A provider: what is kept under the old name (circuits, latencies, rate windows) does not follow. */
  | {
      readonly kind: 'renamed';
      readonly from: string;
      readonly to: string;
      readonly record: RevisionRecord;
    };

export interface Revisions {
  /** The revision that new runs take. Throws before the first one is loaded. */
  active(): Revision;
  /** The newest revision, where it was refused and the active one serves on; null when all is well. */
  refused(): RevisionRecord | null;
  /** Reads the source again; calls made meanwhile share the next reading. */
  reload(): Promise<ReloadResult>;
  /** Another process with the same ledger has pinned a revision, released it, or taken a new one. */
  followOthers(): Promise<void>;
  /**
   * Serves this revision, whatever the source says, until released, also after a restart. `name`: a hash, or the beginning of one or of a commit's.
   * Throws a HeadgateError UNKNOWN_REVISION or AMBIGUOUS_REVISION.
   */
  activate(name: string, by: string): Promise<ReloadResult>;
  /** Takes what the source says again; does nothing but that where nothing is pinned. */
  release(by: string): Promise<ReloadResult>;
  pinned(): boolean;
  /** Where the workflows of two commits differ; null: this source does not have them both. */
  changesBetween(before: string, after: string): Promise<readonly ChangedLine[] | null>;
  /** A file as the active revision has it, by its path from the project file; null: this process has not read that revision. */
  textOf(file: string): string | null;
  /** Called after each swap and each refusal. */
  onChange(listener: (result: ReloadResult) => void): () => void;
  onNotice(listener: (notice: RevisionNotice) => void): () => void;
  /** Loads again whenever the source changes, until closed. What is not a refusal (a full disk, a bug) is told to `onFailure`. */
  watch(onFailure: (error: unknown) => void): Promise<void>;
  close(): Promise<void>;
}
