// Where plans come from: the Source port, and what the rest of the engine sees of revisions.
import type { Problem } from '../errors/problem.ts';
import type { RevisionRecord } from '../ledger/port.ts';
import type { Plan } from '../plan/types.ts';

export interface SourceFile {
  /** With forward slashes, relative to where the source starts: `workflows/summarize.yaml`. */
  readonly path: string;
  readonly text: string;
}

export interface SourceSnapshot {
  readonly files: readonly SourceFile[];
  /** What git knows of it; null outside a repository. */
  readonly commit: { readonly hash: string; readonly author: string; readonly subject: string } | null;
  /** Files differ from the commit. */
  readonly dirty: boolean;
}

export interface Source {
  /** For people: `directory workflows`, `git main at /srv/flows.git`. */
  readonly description: string;
  /** Throws a HeadgateError that says what to do when there is nothing to read. */
  read(): Promise<SourceSnapshot>;
  /** Calls back after changes have settled, never for a half-written file; the function returned stops it. */
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
  | { readonly kind: 'refused'; readonly record: RevisionRecord; readonly serving: Revision | null };

export interface Revisions {
  /** The revision that new runs take. Throws before the first one is loaded. */
  active(): Revision;
  /** The newest revision, where it did not compile and the active one serves on; null when all is well. */
  refused(): RevisionRecord | null;
  /** Reads the source again; calls made meanwhile share the next reading. */
  reload(): Promise<ReloadResult>;
  /** Serves this revision, whatever the source says, until released. */
  activate(hash: string): Promise<ReloadResult>;
  release(): Promise<ReloadResult>;
  pinned(): boolean;
  onChange(listener: (result: ReloadResult) => void): () => void;
  /** Loads again whenever the source changes, until closed. A source that cannot be read is told to `onFailure`; the active revision serves on. */
  watch(onFailure: (error: unknown) => void): Promise<void>;
  close(): Promise<void>;
}
