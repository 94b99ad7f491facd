// Streamed text on its way to a caller, without a key even where a server echoes it in pieces.
import type { Redactor } from './redact.ts';

/** Gives text on as it comes; what may be the beginning of a secret waits until it is clear that it is none. */
export class HeldBack {
  readonly #onText: (delta: string) => void;
  readonly #redactor: Redactor;
  #held = '';

  constructor(onText: (delta: string) => void, redactor: Redactor) {
    this.#onText = onText;
    this.#redactor = redactor;
  }

  push(delta: string): void {
    const text = this.#redactor.exact(this.#held + delta);
    const free = text.length - startOfSecret(text, this.#redactor.forms);
    this.#held = text.slice(free);
    if (free > 0) this.#onText(text.slice(0, free));
  }

  /** The answer is complete: what waits was no secret. */
  flush(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest !== '') this.#onText(rest);
  }
}

/** How many characters at the end of the text are the beginning of a secret. */
function startOfSecret(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    const first = form.charAt(0);
    let at = text.indexOf(first, Math.max(0, text.length - form.length + 1));
    while (at !== -1 && text.length - at > longest) {
      if (form.startsWith(text.slice(at))) longest = text.length - at;
      at = text.indexOf(first, at + 1);
    }
  }
  return longest;
}
