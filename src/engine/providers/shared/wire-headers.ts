// Response headers as the HTTP client gives them, behind the part of the `Headers` interface that the SDKs read.
import type { IncomingHttpHeaders } from 'node:http';

/** Much cheaper than `Headers`, which validates and sorts: these came from a parser and are only looked up. */
export class WireHeaders {
  readonly #raw: IncomingHttpHeaders;

  constructor(raw: IncomingHttpHeaders) {
    this.#raw = raw;
  }

  /** Names are looked up in lower case. */
  get(name: string): string | null {
    const value = this.#raw[name] ?? this.#raw[name.toLowerCase()];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(', ') : value;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of Object.keys(this.#raw)) yield [name, this.get(name) ?? ''];
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}
