// One kind of problem: its code, and what the reference page says of it.
import type { Severity } from '../../errors/problem.ts';

export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, in a few words. */
  readonly title: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
}
