// Column types of PostgreSQL that read back as those of SQLite do: 64 bits come as text or as a bigint, and are never rounded.
import { bigint, customType } from 'drizzle-orm/pg-core';

/** An integer within ±2^53: counts, milliseconds, row numbers. */
export const count = customType<{ data: number; driverData: number | bigint | string }>({
  dataType: () => 'bigint',
  fromDriver: Number,
});

/** The number of a row, which the database gives. */
// eslint-disable-next-line typescript/explicit-function-return-type -- the column's type is Drizzle's to infer.
export const rowNumber = (name: string) =>
  bigint(name, { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity();

/** Nano-dollars and sums of tokens: 64 bits, a bigint on both sides (INV-1). */
export const whole = customType<{ data: bigint; driverData: bigint | string }>({
  dataType: () => 'bigint',
  fromDriver: BigInt,
});

export const flag = customType<{ data: boolean; driverData: boolean }>({
  dataType: () => 'boolean',
});

export const real = customType<{ data: number; driverData: number }>({
  dataType: () => 'double precision',
});

/** JSON text. */
export const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (text): unknown => JSON.parse(text),
});

/** Bytes: hashes and histograms. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
});
