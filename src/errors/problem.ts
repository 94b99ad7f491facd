// A problem in a workflow file: what is wrong, where, and what to do about it.

export type Severity = 'error' | 'warning' | 'note';

export interface Problem {
  /** Stable, kebab-case; documented in docs/reference/diagnostics.md. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence, without the place. */
  readonly message: string;
  /** One sentence that says what to do; with the line to write where there is one. */
  readonly remedy: string;
  /** As given by the source: relative to the workflows folder's parent where possible. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Exclusive; on the same line. */
  readonly endColumn: number;
  /** The text of the line. */
  readonly excerpt: string;
}
