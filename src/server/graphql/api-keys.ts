// ApiKeys: the port by which the API makes, lists and revokes keys; the server implements it.
import type { ApiKeyRecord } from '../../ledger/port.ts';

export interface NewApiKey {
  readonly caller: string;
  readonly team: string | null;
  readonly tier: string | null;
  readonly tags: { readonly [key: string]: string };
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | null;
  readonly requestsPerMinute: number | null;
  readonly maxBodyBytes?: number | null;
}

/** The largest body that any key may send: what the vendors themselves take. */
export const MOST_BODY_BYTES = 32 * 1024 * 1024;

export interface ApiKeys {
  list(): readonly ApiKeyRecord[];
  /** The secret is returned here and nowhere else, ever. */
  create(key: NewApiKey): Promise<{ readonly secret: string; readonly record: ApiKeyRecord }>;
  /** undefined: there is no such key. Revoking twice changes nothing. */
  revoke(id: string): Promise<ApiKeyRecord | undefined>;
}
