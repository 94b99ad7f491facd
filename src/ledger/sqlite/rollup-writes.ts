// The roll-ups' changes of one transaction: added up in memory, then written for the minute, the hour and the day.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeInto, encodeHistogram } from '../../common/histogram.ts';
import { MINUTES, CountedPlaces, QUARTERS, bucketStartMs } from '../rollup/dimensions.ts';
import {
  AMOUNT_NAMES,
  COUNT_NAMES,
  SUM_COLUMNS,
  addNumbers,
  addRow,
  addSums,
  emptySums,
  hasLine,
} from '../rollup/sums.ts';
import type { Sums } from '../rollup/sums.ts';
import { withinSum } from './written-values.ts';

/** Rows kept in memory between transactions, so that a busy bucket is not read back for each. */
const REMEMBERED_ROWS = 3_000;
const REMEMBERED_KEYS = 20_000;

interface Change {
  readonly key: string;
  readonly minuteMs: number;
  readonly sums: Sums;
}

export class RollupWrites {
  readonly #insertKey: StatementSync;
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #changes = new Map<string, Change>();
  #keyIds = new Map<string, number>();
  readonly #places = new CountedPlaces();
  #rows = new Map<string, Sums>();

  constructor(database: DatabaseSync) {
    this.#insertKey = database.prepare(
      'insert into rollup_keys (dimensions) values (?) on conflict (dimensions) do update set dimensions = dimensions returning id',
    );
    const columns = [...SUM_COLUMNS, 'line', 'latency', 'first_token'];
    this.#read = database.prepare(
      `select ${columns.join(', ')} from rollups where grain = ? and bucket_ms = ? and key_id = ?`,
    );
    this.#write = database.prepare(
      // Not "insert or replace": that deletes the row and puts it at the table's end, away from those of its time.
      `insert into rollups (grain, bucket_ms, key_id, ${columns.join(', ')}) values (?, ?, ?${', ?'.repeat(columns.length)})
       on conflict (grain, bucket_ms, key_id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    );
  }

  /** The sums of one dimension key in one minute, to be added to. */
  at(key: string, atMs: number): Sums {
    const minuteMs = bucketStartMs(MINUTES, atMs);
    const name = `${minuteMs}${key}`;
    const known = this.#changes.get(name);
    if (known !== undefined) return known.sums;
    const sums = emptySums();
    this.#changes.set(name, { key, minuteMs, sums });
    return sums;
  }

  /** Writes the changes into the open transaction. */
  flush(): void {
    if (this.#changes.size === 0) return;
    if (this.#rows.size > REMEMBERED_ROWS) this.#rows = new Map();
    const touched = new Map<string, { grain: number; bucketMs: number; keyId: number; sums: Sums }>();
    for (const { key: of, minuteMs, sums } of this.#changes.values())
      for (const { key, grains } of this.#places.of(of)) {
        const keyId = this.keyId(key);
        for (const grain of grains) {
          const bucketMs = bucketStartMs(grain, minuteMs);
          const name = `${grain}:${bucketMs}:${keyId}`;
          const row = this.#row(name, grain, bucketMs, keyId);
          if (grain === QUARTERS) addNumbers(row, sums);
          else addSums(row, sums);
          touched.set(name, { grain, bucketMs, keyId, sums: row });
        }
      }
    for (const { grain, bucketMs, keyId, sums } of touched.values()) this.#save(grain, bucketMs, keyId, sums);
    this.#changes.clear();
  }

  /** The row number of a dimension key, which is written where it is new. */
  keyId(key: string): number {
    const known = this.#keyIds.get(key);
    if (known !== undefined) return known;
    if (this.#keyIds.size >= REMEMBERED_KEYS) this.#keyIds = new Map();
    const id = Number(this.#insertKey.get(key)?.['id']);
    this.#keyIds.set(key, id);
    return id;
  }

  #row(name: string, grain: number, bucketMs: number, keyId: number): Sums {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row = this.#read.get(grain, bucketMs, keyId);
    const sums = row === undefined ? emptySums() : sumsOfRow(row);
    this.#rows.set(name, sums);
    return sums;
  }

  #save(grain: number, bucketMs: number, keyId: number, sums: Sums): void {
    const values = [
      ...AMOUNT_NAMES.map((name) => withinSum(sums[name])),
      ...COUNT_NAMES.map((name) => sums[name]),
    ];
    this.#write.run(
      grain,
      bucketMs,
      keyId,
      ...values,
      hasLine(grain) ? [keyId, ...values].join(' ') : null,
      encodeHistogram(sums.latency),
      encodeHistogram(sums.firstToken),
    );
  }

  /** After roll-ups were deleted. */
  forgetRows(): void {
    this.#rows = new Map();
  }

  /** After a rollback: what was remembered is not what is there. */
  forget(): void {
    this.#changes.clear();
    this.#keyIds = new Map();
    this.#rows = new Map();
  }
}

/** A row of `rollups`, as node:sqlite gives it with bigints. */
function sumsOfRow(row: { readonly [column: string]: unknown }): Sums {
  const sums = emptySums();
  addRow(sums, row);
  decodeInto(sums.latency, row['latency'] as Uint8Array);
  decodeInto(sums.firstToken, row['first_token'] as Uint8Array);
  return sums;
}
