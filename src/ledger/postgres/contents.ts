// Texts that are kept once, by their content: their rows are written before the turn that refers to them.
import { hash } from 'node:crypto';
import type { Queryable } from './connection.ts';

/** In UTF-16 code units. */
const SHORTEST_SHARED = 1_024;
const REMEMBERED = 1_000;

interface Wanted {
  readonly hash: string;
  readonly text: string;
  /** null: for ever. */
  keepUntilMs: number | null;
  readonly assign: ((id: number) => void)[];
}

export class Contents {
  /** Ids of the texts that are kept for ever and come with each attempt: rates. */
  #lasting = new Map<string, number>();
  #wanted = new Map<string, Wanted>();

  /** `assign` is given the row's number before the turn is written. */
  want(text: string, keepUntilMs: number | null, assign: (id: number) => void): void {
    if (keepUntilMs === null) {
      const known = this.#lasting.get(text);
      if (known !== undefined) return assign(known);
    }
    const found = this.#wanted.get(text);
    if (found === undefined)
      this.#wanted.set(text, {
        hash: hash('sha256', text, 'hex'),
        text,
        keepUntilMs,
        assign: [assign],
      });
    else {
      found.assign.push(assign);
      found.keepUntilMs =
        keepUntilMs === null || found.keepUntilMs === null ? null : Math.max(found.keepUntilMs, keepUntilMs);
    }
  }

  /** A text that is short goes into its row, a long one is shared. */
  store(
    text: string | null,
    keepUntilMs: number,
    put: (text: string | null, id: number | null) => void,
  ): void {
    if (text === null || text.length < SHORTEST_SHARED) put(text, null);
    else this.want(text, keepUntilMs, (id) => put(null, id));
  }

  async write(database: Queryable): Promise<void> {
    if (this.#wanted.size === 0) return;
    const wanted = [...this.#wanted.values()];
    const byHash = new Map(wanted.map((each) => [each.hash, each]));
    // In the order of their hashes, so that two nodes never wait for each other.
    const { rows } = await database.query(
      `insert into contents (hash, text, keep_until_ms)
       select decode(h, 'hex'), t, k from unnest($1::text[], $2::text[], $3::bigint[]) as u(h, t, k) order by 1
       on conflict (hash) do update set keep_until_ms = case
         when contents.keep_until_ms is null or excluded.keep_until_ms is null then null
         else greatest(contents.keep_until_ms, excluded.keep_until_ms) end
       returning id, encode(hash, 'hex') as hash`,
      [
        wanted.map((each) => each.hash),
        wanted.map(({ text }) => text),
        wanted.map((each) => each.keepUntilMs),
      ],
    );
    for (const { id, hash: of } of rows as { id: bigint; hash: string }[]) {
      const each = byHash.get(of);
      for (const assign of each?.assign ?? []) assign(Number(id));
      if (each !== undefined && each.keepUntilMs === null) {
        if (this.#lasting.size >= REMEMBERED) this.#lasting.clear();
        this.#lasting.set(each.text, Number(id));
      }
    }
    this.#wanted.clear();
  }

  /** What was wanted is not needed any more. */
  forget(): void {
    this.#wanted.clear();
  }
}
