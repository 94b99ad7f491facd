// Bindings: which candidate a conversation belongs to, because something in it is known to that candidate alone.
import { sha256Hex } from '../../../common/json.ts';
import { Recent } from '../../../common/recent.ts';

/** So many responses are remembered at least, and at most twice as many (INV-14). One that is forgotten may go to any candidate. */
const DEFAULT_KEPT = 50_000;

export class Bindings {
  readonly #models: Recent<{ model: string }>;

  constructor(kept: number = DEFAULT_KEPT) {
    this.#models = new Recent(kept);
  }

  /** Ids of responses, and texts that only their maker can read. */
  learn(ids: readonly string[], model: string): void {
    for (const id of ids) {
      const key = keyOf(id);
      const known = this.#models.get('id', '', key);
      if (known === undefined) this.#models.add('id', '', key, { model });
      else known.model = model;
    }
  }

  /** Of the last that is known; undefined: none is. */
  modelOf(ids: readonly string[]): string | undefined {
    for (const id of ids.toReversed()) {
      const known = this.#models.get('id', '', keyOf(id));
      if (known !== undefined) return known.model;
    }
    return undefined;
  }
}

/** Sealed reasoning is kilobytes long. */
function keyOf(id: string): string {
  return id.length <= 80 ? id : sha256Hex(id);
}
