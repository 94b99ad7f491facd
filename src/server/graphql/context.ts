// RequestContext: who asks, what may be used to answer, and the loaders that make one query of many.
import DataLoader from 'dataloader';
import type { Caller } from '../../engine/budget/port.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../engine/execution/records.ts';
import type { RevisionRecord } from '../../ledger/port.ts';
import type { EventPlace } from './live/journal.ts';
import type { GraphqlServices } from './services.ts';

export interface RequestContext {
  readonly services: GraphqlServices;
  readonly caller: Caller;
  readonly loaders: Loaders;
  /** Aborted when the client goes away. */
  readonly signal: () => AbortSignal;
  /** Where the answer goes to: names the subscriber in logs and limits. */
  readonly transport: 'http' | 'sse' | 'websocket' | 'local';
  /** Where the reader of an event stream was, when it comes back. */
  readonly resumeAt: EventPlace | undefined;
  /** Of the event that was resolved last; an event stream sends it along. */
  eventId: string | null;
}

/** Batches of one request: however many runs a page has, their attempts are one query. */
export interface Loaders {
  readonly attemptsOf: DataLoader<string, readonly AttemptRecord[]>;
  readonly stepsOf: DataLoader<string, readonly StepRecord[]>;
  readonly revision: DataLoader<string, RevisionRecord | null>;
  readonly run: DataLoader<string, RunRecord | null>;
}

const NOTHING: readonly never[] = [];

class LazyLoaders implements Loaders {
  readonly #services: GraphqlServices;
  #attemptsOf: Loaders['attemptsOf'] | undefined;
  #stepsOf: Loaders['stepsOf'] | undefined;
  #revision: Loaders['revision'] | undefined;
  #run: Loaders['run'] | undefined;

  constructor(services: GraphqlServices) {
    this.#services = services;
  }

  get attemptsOf(): Loaders['attemptsOf'] {
    return (this.#attemptsOf ??= new DataLoader(async (ids) => {
      const found = await this.#services.ledger.attemptsOf(ids);
      return ids.map((id) => found.get(id) ?? NOTHING);
    }));
  }

  get stepsOf(): Loaders['stepsOf'] {
    return (this.#stepsOf ??= new DataLoader(async (ids) => {
      const found = await this.#services.ledger.stepsOf(ids);
      return ids.map((id) => found.get(id) ?? NOTHING);
    }));
  }

  get revision(): Loaders['revision'] {
    return (this.#revision ??= new DataLoader(async (hashes) => {
      const found = await this.#services.ledger.revisionsByHash(hashes);
      return hashes.map((hash) => found.get(hash) ?? null);
    }));
  }

  get run(): Loaders['run'] {
    return (this.#run ??= new DataLoader(async (ids) => {
      const found = await this.#services.ledger.runsById(ids);
      return ids.map((id) => found.get(id) ?? null);
    }));
  }
}

const NEVER_ABORTED = new AbortController().signal;

/** A context for one request; the loaders are made when they are first used, so that a plain `runTask` makes none. */
export function createContext(options: {
  readonly services: GraphqlServices;
  readonly caller: Caller;
  readonly signal?: () => AbortSignal;
  readonly transport?: RequestContext['transport'];
  readonly resumeAt?: EventPlace | undefined;
}): RequestContext {
  return {
    services: options.services,
    caller: options.caller,
    loaders: new LazyLoaders(options.services),
    signal: options.signal ?? (() => NEVER_ABORTED),
    transport: options.transport ?? 'local',
    resumeAt: options.resumeAt,
    eventId: null,
  };
}
