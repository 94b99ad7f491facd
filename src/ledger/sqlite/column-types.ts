// Column types that read back as what they are: the connection reads every INTEGER as a bigint, so that no sum is ever rounded.
import { customType } from 'drizzle-orm/sqlite-core';

/** An integer within ±2^53: counts, milliseconds, row numbers. */
export const count = customType<{ data: number; driverData: number | bigint }>({
  dataType: () => 'integer',
  fromDriver: Number,
});

/** Nano-dollars and sums of tokens: 64 bits, a bigint on both sides (INV-1). */
export const whole = customType<{ data: bigint; driverData: number | bigint }>({
  dataType: () => 'integer',
  fromDriver: BigInt,
});

/** 0 or 1. */
export const flag = customType<{ data: boolean; driverData: number | bigint }>({
  dataType: () => 'integer',
  toDriver: (value) => (value ? 1 : 0),
  fromDriver: (value) => Number(value) === 1,
});

/** JSON text. */
export const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (text): unknown => JSON.parse(text),
});

/** Bytes: hashes and histograms. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'blob',
});
