// What a rule is: one kind of mistake that only all files together show.
import type { Place } from '../../../errors/place.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Workspace } from '../workspace.ts';

export interface Rule {
  /** What the rule can report; most have one. */
  readonly diagnostics: readonly Diagnostic[];
  /** Hints that are worth reading only once the files are right. */
  readonly onlyWithoutErrors?: true;
  check(workspace: Workspace, report: Report): void;
}

/** `code` is one of the catalogue. */
export type Report = (code: string, at: Place, message: string, remedy: string) => void;
