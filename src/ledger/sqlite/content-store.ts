// Keeps long texts once, by their content; a short text costs less in its own row than an entry in the index would.
import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** In UTF-16 code units. */
const SHORTEST_SHARED = 1_024;
const REMEMBERED = 1_000;

/** Where a text went: at most one of the two is set. */
export interface StoredText {
  readonly text: string | null;
  readonly content: number | bigint | null;
}

const NOTHING: StoredText = { text: null, content: null };

export class ContentStore {
  readonly #insert: StatementSync;
  /** Ids of the texts that are kept for ever and come with each attempt: rates. */
  #lasting = new Map<string, number | bigint>();

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      `insert into contents (hash, text, keep_until_ms) values (?, ?, ?)
       on conflict (hash) do update set keep_until_ms = case
         when keep_until_ms is null or excluded.keep_until_ms is null then null
         else max(keep_until_ms, excluded.keep_until_ms) end
       returning id`,
    );
  }

  /** `keepUntilMs` null: for ever. */
  put(text: string, keepUntilMs: number | null): number | bigint {
    const row = this.#insert.get(hash('sha256', text, 'buffer'), text, keepUntilMs);
    return row?.['id'] as bigint;
  }

  putLasting(text: string): number | bigint {
    const known = this.#lasting.get(text);
    if (known !== undefined) return known;
    const id = this.put(text, null);
    if (this.#lasting.size >= REMEMBERED) this.#lasting.clear();
    this.#lasting.set(text, id);
    return id;
  }

  store(text: string | null, keepUntilMs: number | null): StoredText {
    if (text === null) return NOTHING;
    if (text.length < SHORTEST_SHARED) return { text, content: null };
    return { text: null, content: this.put(text, keepUntilMs) };
  }

  /** After a rollback: what was remembered may not be there. */
  forget(): void {
    this.#lasting = new Map();
  }
}
