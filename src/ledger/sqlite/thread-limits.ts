// What the threads of the ledger may use.
/** Rows live for one transaction: V8's own limit for young objects only spreads them over 50 MB of memory. */
export const LEDGER_THREAD_LIMITS = { maxYoungGenerationSizeMb: 12 } as const;
