// Whether a ledger is in a file, or in a PostgreSQL that several nodes share.
export function isDatabaseAddress(path: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(path);
}
