// A limit of a budget: of dollars, of tokens or of calls.
import { assertNever } from './assert-never.ts';
import type { NanoUsd } from './money.ts';

export type Limit =
  | { readonly unit: 'usd'; readonly nanoUsd: NanoUsd }
  | { readonly unit: 'tokens'; readonly tokens: number }
  | { readonly unit: 'calls'; readonly calls: number };

/** In its own unit. */
export function amountOfLimit(limit: Limit): bigint {
  switch (limit.unit) {
    case 'usd':
      return limit.nanoUsd;
    case 'tokens':
      return BigInt(limit.tokens);
    case 'calls':
      return BigInt(limit.calls);
    default:
      return assertNever(limit);
  }
}
