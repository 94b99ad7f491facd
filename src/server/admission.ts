// Admission: who sends a request, or why it is not let in. Asked before anything is read of it.
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../engine/budget/port.ts';
import type { Clock } from '../common/clock.ts';
import { foreignOrigin, isOwnHost } from './guards/origin.ts';
import type { OriginRules } from './guards/origin.ts';
import { RequestRates } from './guards/rate.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { sessionCookie } from './keys/session.ts';
import { crossSite, tooOften, unauthenticated, unknownHost } from './refusals.ts';
import type { HttpRefusal } from './refuse.ts';

export type Admitted =
  | {
      readonly ok: true;
      readonly caller: Caller;
      /** What its key may send at `/v1`; left out: what the server takes. */
      readonly maxBodyBytes?: number;
    }
  | { readonly ok: false; readonly refusal: HttpRefusal };

export interface AdmissionParts {
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly origins: OriginRules;
  /** Lower case. */
  readonly allowedHosts: ReadonlySet<string>;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #rates: RequestRates;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#rates = new RequestRates(parts.clock);
  }

  /** No key exists: whoever reaches the server is let in. */
  get isOpen(): boolean {
    return !this.#parts.keys.closed;
  }

  /** May a request of this origin, to this host, be answered at all? Needs no key: for pages and upgrades. */
  place(request: IncomingMessage): HttpRefusal | undefined {
    const { keys, origins, allowedHosts } = this.#parts;
    if (!keys.closed && !isOwnHost(request, allowedHosts)) return unknownHost(request.headers.host ?? '');
    const foreign = foreignOrigin(request, origins);
    return foreign === undefined ? undefined : crossSite(foreign);
  }

  request(request: IncomingMessage): Admitted {
    const refusal = this.place(request);
    return refusal === undefined
      ? this.caller(request.headers.authorization, sessionCookie(request))
      : { ok: false, refusal };
  }

  /** By a key where one is sent; else by the session of a page, whose request has passed `place`. */
  caller(authorization: string | undefined, session?: string): Admitted {
    const { keys } = this.#parts;
    const identity =
      authorization === undefined && session !== undefined && keys.closed
        ? keys.identifySession(session)
        : keys.identify(authorization);
    if (identity.kind === 'refused') return { ok: false, refusal: unauthenticated(identity.reason) };
    const { caller, requestsPerMinute, maxBodyBytes } = identity;
    if (requestsPerMinute !== null && caller.keyId !== null) {
      const retryAfterMs = this.#rates.take(caller.keyId, requestsPerMinute);
      if (retryAfterMs > 0) return { ok: false, refusal: tooOften(requestsPerMinute, retryAfterMs) };
    }
    return { ok: true, caller, ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }) };
  }

  /** Counts as a request of the key, where it still may send one; false: it may not, or has no limit of its own. */
  count(authorization: string | undefined): boolean {
    const identity = this.#parts.keys.identify(authorization);
    if (identity.kind === 'refused' || identity.requestsPerMinute === null || identity.caller.keyId === null)
      return false;
    return this.#rates.take(identity.caller.keyId, identity.requestsPerMinute) === 0;
  }

  /** May who was let in before still be here? */
  isLive({ keyId }: Caller): boolean {
    return this.#parts.keys.isLive(keyId);
  }
}
