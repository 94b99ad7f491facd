// The migrations make exactly the tables that the code declares, and what it declares NOT NULL is.
import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/ledger/sqlite/migrate.ts';
import * as tables from '../../src/ledger/sqlite/tables.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

function migrated(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  migrate(database, ':memory:', FOLDER);
  return database;
}

describe('the migrations', () => {
  it('make the tables as they are declared: `npm run db:generate` after a change', () => {
    const database = migrated();
    for (const table of Object.values(tables) as SQLiteTable[]) {
      const { name, columns, indexes } = getTableConfig(table);
      const made = database.prepare(`pragma table_info(${name})`).all();
      const describeMade = made.map(
        (column) => `${String(column['name'])} ${String(column['type']).toLowerCase()}`,
      );
      expect(describeMade.sort()).toEqual(
        columns.map((column) => `${column.name} ${column.getSQLType()}`).sort(),
      );
      const madeIndexes = database
        .prepare(`pragma index_list(${name})`)
        .all()
        .map((index) => index['name']);
      for (const index of indexes) expect(madeIndexes).toContain(index.config.name);
    }
  });

  it('let no NULL into a column that is declared NOT NULL, nor into a key', () => {
    const database = migrated();
    for (const table of Object.values(tables) as SQLiteTable[]) {
      const { name, columns } = getTableConfig(table);
      const made = new Map(
        database
          .prepare(`pragma table_info(${name})`)
          .all()
          .map((column) => [column['name'], column]),
      );
      for (const column of columns) {
        // An INTEGER PRIMARY KEY is the row's number: SQLite gives it one where it is NULL.
        const isRowNumber =
          made.get(column.name)?.['pk'] === 1 && column.getSQLType() === 'integer' && column.primary;
        if (column.notNull && !isRowNumber)
          expect([name, column.name, made.get(column.name)?.['notnull']]).toEqual([name, column.name, 1]);
        if (made.get(column.name)?.['pk'] !== 0 && !isRowNumber)
          expect(made.get(column.name)?.['notnull']).toBe(1);
      }
    }
  });

  it('are applied once each, all or none', () => {
    const database = new DatabaseSync(':memory:');
    // Those of PostgreSQL are in a folder among them.
    const { length } = readdirSync(FOLDER).filter((name) => name !== 'postgres');
    expect(migrate(database, ':memory:', FOLDER)).toBe(length);
    expect(migrate(database, ':memory:', FOLDER)).toBe(0);
    const half = new DatabaseSync(':memory:');
    half.exec('create table switches (id integer)');
    expect(() => migrate(half, ':memory:', FOLDER)).toThrow(/switches/);
    expect(half.prepare("select count(*) as n from sqlite_schema where type = 'table'").get()?.['n']).toBe(1);
    expect(half.prepare('pragma user_version').get()?.['user_version']).toBe(0);
  });
});
