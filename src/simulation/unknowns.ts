// What cannot be known without the texts: counted by what it is, and decided three ways, so that it becomes an interval.

/** How what is not known is taken: as likely as it is, or so that the whole comes out cheap, or dear. */
export type Assumption = 'likely' | 'low' | 'high';

export type UnknownKind =
  /** A condition of a step or a rule reads a text that is not there, and was changed or never evaluated. */
  | 'condition'
  /** Whether the answer would be accepted. */
  | 'acceptance'
  /** How long an answer of the model is. */
  | 'length'
  /** How large the prompt is. */
  | 'prompt'
  /** How many items a list has. */
  | 'items'
  /** How long the answer would have been, that ran into a time limit. */
  | 'timeout';

export interface Unknown {
  readonly kind: UnknownKind;
  /** `summarize.request on openai/gpt-5`, `rule cheap-first[0] of summarize.request`. */
  readonly where: string;
  readonly count: number;
}

/** Bounded by tasks, steps, rules and models, of which plans have few. */
export class Unknowns {
  readonly #counts = new Map<string, { readonly kind: UnknownKind; readonly where: string; count: number }>();

  add(kind: UnknownKind, where: string): void {
    const key = `${kind}\n${where}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { kind, where, count: 1 });
    else known.count += 1;
  }

  all(): readonly Unknown[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count || (a.where < b.where ? -1 : 1));
  }
}
