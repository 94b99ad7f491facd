// The tables of the two stores: the same columns, of types that hold the same values.
import { getColumns } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import * as postgres from '../../src/ledger/postgres/tables.ts';
import * as sqlite from '../../src/ledger/sqlite/tables.ts';

type Columns = { readonly [key: string]: { readonly name: string; readonly notNull: boolean } };
const TABLES = sqlite as unknown as { readonly [table: string]: never };
const THEIRS = postgres as unknown as { readonly [table: string]: never };

const columnsOf = (table: never): Columns => getColumns(table) as Columns;
/** By key: its name in SQL, and whether it may be null. A key that the database gives is never null. */
const said = (columns: Columns, without: readonly string[] = []): unknown =>
  Object.fromEntries(
    Object.entries(columns)
      .filter(([key]) => !without.includes(key))
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, { name, notNull }]) => [key, key === 'seq' || key === 'id' ? name : { name, notNull }]),
  );

describe('the tables in PostgreSQL', () => {
  it.each(Object.keys(TABLES).filter((name) => name !== 'ledgerState'))(
    'have the columns of %s in SQLite, and the node beside them',
    (name) => {
      const theirs = THEIRS[name];
      expect(theirs).toBeDefined();
      expect(said(columnsOf(theirs as never), ['node'])).toEqual(said(columnsOf(TABLES[name] as never)));
    },
  );

  it('keep of the state what is not of one writer alone', () => {
    const { commits: _commits, lastOperation: _last, ...shared } = columnsOf(sqlite.ledgerState as never);
    expect(said(columnsOf(postgres.ledgerState as never))).toEqual(said(shared));
  });
});
