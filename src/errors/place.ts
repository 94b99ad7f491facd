// A place in a workflow file, kept by whatever may be complained about later.

export interface Place {
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
