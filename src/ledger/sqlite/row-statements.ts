// Statements that take a row by its columns' names: what is bound where follows from the names, never from an order.
import type { DatabaseSync, StatementResultingChanges, StatementSync } from 'node:sqlite';

type Bindable = null | number | bigint | string;

/** A row whose numbers and nano-dollars may have been read or summed here. */
export type Bound<Row> = {
  readonly [Column in keyof Row]: NonNullable<Row[Column]> extends number | `${bigint}`
    ? Row[Column] | bigint
    : Row[Column];
};

type Values = { readonly [key: string]: Bindable | undefined };

/** `run_id` is the row's `runId`. */
interface Column {
  readonly name: string;
  readonly key: string;
}

function columnsOf(database: DatabaseSync, table: string): readonly Column[] {
  return database
    .prepare(`pragma table_info(${table})`)
    .all()
    .map((row) => row['name'] as string)
    .filter((name) => name !== 'seq')
    .map((name) => ({
      name,
      key: name.replaceAll(/_(?<letter>[a-z])/g, (_, letter: string) => letter.toUpperCase()),
    }));
}

/** Inserts whole rows of one table. */
export class RowInsert<Row extends { readonly [Key in keyof Row]: Bindable }> {
  readonly #database: DatabaseSync;
  readonly #table: string;
  readonly #onConflict: string;
  readonly #columns: readonly Column[];
  readonly #statement: StatementSync;

  constructor(database: DatabaseSync, table: string, onConflict = '') {
    this.#database = database;
    this.#table = table;
    this.#onConflict = onConflict;
    this.#columns = columnsOf(database, table);
    this.#statement = this.#prepare(this.#columns);
  }

  #prepare(columns: readonly Column[]): StatementSync {
    const names = columns.map(({ name }) => name).join(', ');
    const places = columns.map(() => '?').join(', ');
    return this.#database.prepare(
      `insert into ${this.#table} (${names}) values (${places}) ${this.#onConflict}`,
    );
  }

  /** A row in three parts, of which a later one goes before an earlier one: putting them together first would cost as much as inserting them. */
  run<First extends Partial<Bound<Row>>, Second extends Partial<Bound<Row>>>(
    first: First,
    second: Second,
    last: Omit<Bound<Row>, keyof First | keyof Second> & Partial<Bound<Row>>,
  ): StatementResultingChanges {
    const [one, two, three] = [first, second, last] as readonly Values[] as [Values, Values, Values];
    const bound: Bindable[] = [];
    for (const { key } of this.#columns) {
      let value = three[key];
      if (value === undefined) value = two[key];
      if (value === undefined) value = one[key];
      if (value === undefined) return this.#runPartial({ ...one, ...two, ...three });
      bound.push(value);
    }
    return this.#statement.run(...bound);
  }

  /** Of the journal of a version that did not have a column yet: it takes its default. */
  #runPartial(values: Values): StatementResultingChanges {
    const columns = this.#columns.filter(({ key }) => values[key] !== undefined);
    return this.#prepare(columns).run(...columns.map(({ key }) => values[key] ?? null));
  }
}

/** Updates of one table's rows what is not among `fixed`. */
export class RowUpdate<Row extends { readonly [Key in keyof Row]: Bindable }> {
  readonly #columns: readonly Column[];
  readonly #statement: StatementSync;

  /** `rest`: further assignments and the condition, whose values follow the row's. */
  constructor(database: DatabaseSync, table: string, fixed: readonly string[], rest: string) {
    this.#columns = columnsOf(database, table).filter(({ key }) => !fixed.includes(key));
    const assignments = this.#columns.map(({ name }) => `${name} = ?`).join(', ');
    this.#statement = database.prepare(`update ${table} set ${assignments}${rest}`);
  }

  run(row: Bound<Row>, ...rest: readonly Bindable[]): StatementResultingChanges {
    const values = row as Values;
    return this.#statement.run(...this.#columns.map(({ key }) => values[key] ?? null), ...rest);
  }
}
