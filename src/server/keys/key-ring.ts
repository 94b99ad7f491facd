// KeyRing: who a secret belongs to, in memory and in constant time; made, revoked and refreshed from the ledger.
import { timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../engine/budget/port.ts';
import { LOCAL_CALLER } from '../../engine/execution/local-caller.ts';
import type { Clock } from '../../common/clock.ts';
import { newId } from '../../common/ids.ts';
import type { Random } from '../../common/random.ts';
import { systemRandom } from '../../common/random.ts';
import type { ApiKeys, NewApiKey } from '../graphql/api-keys.ts';
import type { ApiKeyRecord, LedgerAdmin, LedgerReader } from '../../ledger/port.ts';
import { hashOf, hintOf, isSecret, newSecret } from './secret.ts';
import { isSealed, readSessionToken, sessionToken } from './session.ts';

export type Identity =
  | {
      readonly kind: 'caller';
      readonly caller: Caller;
      readonly requestsPerMinute: number | null;
      /** Left out: the server's limit. */
      readonly maxBodyBytes?: number;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'missing' | 'malformed' | 'unknown' | 'revoked' | 'expired';
    };

/** A key made by another process (`headgate keys create`) is known here after at most this long; a revoked one is refused. */
const REFRESH_MS = 5000;
/** A key's last use is written at most this often: it is for people, and not worth a write per request. */
const TOUCH_MS = 60_000;

interface Entry {
  readonly hash: Buffer;
  readonly record: ApiKeyRecord;
  readonly caller: Caller;
  touchedAtMs: number;
}

export interface KeyRingOptions {
  readonly ledger: Pick<LedgerReader, 'apiKeys'> &
    Pick<LedgerAdmin, 'saveApiKey' | 'revokeApiKey' | 'touchApiKey'>;
  readonly clock: Clock;
  readonly random?: Random;
}

export class KeyRing implements ApiKeys {
  readonly #options: KeyRingOptions;
  #byHash = new Map<string, Entry>();
  #byId = new Map<string, ApiKeyRecord>();
  #refreshed: Promise<void> | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** Reads the ledger's keys. */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    await ring.refresh();
    return ring;
  }

  /** A key was made once: the server no longer runs open, not even after the last one is revoked. */
  get closed(): boolean {
    return this.#byHash.size > 0;
  }

  /** May who came in with this key (null: without one) still be here? Asked again and again of connections that stay. */
  isLive(keyId: string | null): boolean {
    this.#refreshWhenOld();
    if (keyId === null) return !this.closed;
    const record = this.#byId.get(keyId);
    return record !== undefined && this.#refusal(record) === undefined;
  }

  list(): readonly ApiKeyRecord[] {
    return [...this.#byHash.values()].map(({ record }) => record);
  }

  async create(key: NewApiKey): Promise<{ readonly secret: string; readonly record: ApiKeyRecord }> {
    const { ledger, clock, random = systemRandom } = this.#options;
    const secret = newSecret();
    const record: ApiKeyRecord = {
      ...key,
      id: newId('key', clock, random),
      hash: hashOf(secret).toString('hex'),
      hint: hintOf(secret),
      createdAtMs: clock.nowMs(),
      revokedAtMs: null,
      lastUsedAtMs: null,
    };
    await ledger.saveApiKey(record);
    this.#keep(record);
    return { secret, record };
  }

  async revoke(id: string): Promise<ApiKeyRecord | undefined> {
    await this.refresh();
    const found = this.list().find((record) => record.id === id);
    if (found === undefined || found.revokedAtMs !== null) return found;
    const atMs = this.#options.clock.nowMs();
    await this.#options.ledger.revokeApiKey(id, atMs);
    const revoked = { ...found, revokedAtMs: atMs };
    this.#keep(revoked);
    return revoked;
  }

  /** Who sends this `Authorization` header's text (or a connection's parameter)? Never throws, never waits. */
  identify(authorization: string | undefined): Identity {
    this.#refreshWhenOld();
    if (authorization === undefined || authorization === '') {
      return this.closed
        ? { kind: 'refused', reason: 'missing' }
        : { kind: 'caller', caller: LOCAL_CALLER, requestsPerMinute: null };
    }
    const secret = authorization.startsWith('Bearer ')
      ? authorization.slice('Bearer '.length).trim()
      : authorization;
    if (!isSecret(secret)) return { kind: 'refused', reason: 'malformed' };
    const hash = hashOf(secret);
    const entry = this.#byHash.get(hash.toString('hex'));
    // The map is asked by a hash that nobody can steer; comparing the digests keeps the answer's time the same for every stored key.
    if (!timingSafeEqual(entry?.hash ?? NO_HASH, hash) || entry === undefined)
      return { kind: 'refused', reason: 'unknown' };
    return this.#admit(entry);
  }

  /** Who has this session? Refused as its key would be; `expired` also when the session itself has. */
  identifySession(token: string): Identity {
    this.#refreshWhenOld();
    const claim = readSessionToken(token);
    const record = claim && this.#byId.get(claim.keyId);
    const entry = record && this.#byHash.get(record.hash);
    if (claim === undefined || entry === undefined || !isSealed(claim, entry.hash))
      return { kind: 'refused', reason: 'unknown' };
    if (claim.expiresAtMs <= this.#options.clock.nowMs()) return { kind: 'refused', reason: 'expired' };
    return this.#admit(entry);
  }

  /** A session's token for who sends this secret. */
  openSession(secret: string): { readonly token: string } | Extract<Identity, { kind: 'refused' }> {
    const identity = this.identify(secret === '' ? undefined : secret);
    if (identity.kind === 'refused') return identity;
    const { keyId } = identity.caller;
    return { token: keyId === null ? '' : sessionToken(keyId, hashOf(secret), this.#options.clock.nowMs()) };
  }

  #admit(entry: Entry): Identity {
    const { record, caller } = entry;
    const reason = this.#refusal(record);
    if (reason !== undefined) return { kind: 'refused', reason };
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - entry.touchedAtMs >= TOUCH_MS) {
      entry.touchedAtMs = nowMs;
      this.#options.ledger.touchApiKey(record.id, nowMs);
    }
    const { requestsPerMinute, maxBodyBytes = null } = record;
    return {
      kind: 'caller',
      caller,
      requestsPerMinute,
      ...(maxBodyBytes === null ? {} : { maxBodyBytes }),
    };
  }

  /** Calls made meanwhile share one reading. */
  refresh(): Promise<void> {
    this.#refreshed ??= this.#read().finally(() => {
      this.#refreshed = undefined;
    });
    return this.#refreshed;
  }

  async #read(): Promise<void> {
    this.#refreshedAtMs = this.#options.clock.monotonicMs();
    const records = await this.#options.ledger.apiKeys();
    const before = this.#byHash;
    this.#byHash = new Map();
    this.#byId = new Map();
    for (const record of records) this.#keep(record, before.get(record.hash)?.touchedAtMs);
  }

  #refusal({ revokedAtMs, expiresAtMs }: ApiKeyRecord): 'revoked' | 'expired' | undefined {
    if (revokedAtMs !== null) return 'revoked';
    return expiresAtMs !== null && expiresAtMs <= this.#options.clock.nowMs() ? 'expired' : undefined;
  }

  #refreshWhenOld(): void {
    if (this.#options.clock.monotonicMs() - this.#refreshedAtMs < REFRESH_MS) return;
    // A ledger that cannot be read leaves the keys as they were known: no request is let in by it that was not before.
    this.refresh().catch(() => {});
  }

  #keep(record: ApiKeyRecord, touchedAtMs = record.lastUsedAtMs ?? Number.NEGATIVE_INFINITY): void {
    const { caller: name, team, tier, tags, scopes, id } = record;
    this.#byId.set(id, record);
    this.#byHash.set(record.hash, {
      hash: Buffer.from(record.hash, 'hex'),
      record,
      caller: Object.freeze({ name, team, tier, tags, scopes, keyId: id }),
      touchedAtMs,
    });
  }
}

const NO_HASH = Buffer.alloc(32);
