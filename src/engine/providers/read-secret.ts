// Where secrets are read: a variable of that name, or the file that the variable with `_FILE` names, as Docker and Kubernetes mount them.
import { readFileSync } from 'node:fs';
import type { Clock } from '../../common/clock.ts';
import type { ReadSecret } from './registry-port.ts';

/** A file is looked at again after this: a secret that is replaced is used within a second, and a call costs no read of the disk. */
const LOOKED_AT_AGAIN_MS = 1_000;

/** The variable wins over the file. A file that cannot be read, or is empty, is a secret that is not set. Surrounding white space is no part of it. */
export function createSecretReader(
  env: { readonly [name: string]: string | undefined },
  clock: Clock,
): ReadSecret {
  /** By the names that the plan mentions (INV-14). */
  const files = new Map<string, { readonly value: string | undefined; readonly atMs: number }>();
  return (name) => {
    const own = env[name];
    if (own !== undefined && own !== '') return own;
    const path = env[`${name}_FILE`];
    if (path === undefined || path === '') return own;
    const nowMs = clock.monotonicMs();
    const known = files.get(name);
    if (known !== undefined && nowMs - known.atMs < LOOKED_AT_AGAIN_MS) return known.value;
    const value = contentOf(path);
    files.set(name, { value, atMs: nowMs });
    return value;
  };
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
