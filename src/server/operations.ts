// Operations: how many each caller has under way, how many it may, and how they end when the server does.
import { GraphQLError } from 'graphql';
import type { RequestContext } from './graphql/context.ts';
import { Concurrency } from './guards/rate.ts';
import type { ServerLimits } from './options.ts';

/** A subscription that is under way. */
export interface Stream {
  /** It shows what happens; nothing is lost when it ends. One that runs a task is waited for. */
  readonly watching: boolean;
  end(): void;
}

export class Operations {
  readonly #limits: ServerLimits;
  readonly #running: Concurrency;
  readonly #subscribed: Concurrency;
  readonly #streams = new Set<Stream>();
  #stopping = false;
  #onIdle: (() => void) | undefined;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
    this.#running = new Concurrency(limits.maxOperationsPerCaller);
    this.#subscribed = new Concurrency(limits.maxSubscriptionsPerCaller);
  }

  /** undefined: it may run, and `end` must be called when it has. */
  begin({ caller }: Pick<RequestContext, 'caller'>): GraphQLError | undefined {
    if (this.#stopping) return stopping();
    return this.#running.enter(caller.name)
      ? undefined
      : tooMany('operations', this.#limits.maxOperationsPerCaller, 'maxOperationsPerCaller');
  }

  end({ caller }: Pick<RequestContext, 'caller'>): void {
    this.#running.leave(caller.name);
    this.#lookIdle();
  }

  /** undefined: it may begin, and `unsubscribe` must be called when it has ended. */
  subscribe({ caller }: RequestContext): GraphQLError | undefined {
    if (this.#stopping) return stopping();
    return this.#subscribed.enter(caller.name)
      ? undefined
      : tooMany('subscriptions', this.#limits.maxSubscriptionsPerCaller, 'maxSubscriptionsPerCaller');
  }

  unsubscribe({ caller }: RequestContext): void {
    this.#subscribed.leave(caller.name);
  }

  /** The function returned is to be called when it has ended. */
  track(stream: Stream): () => void {
    this.#streams.add(stream);
    return () => {
      this.#streams.delete(stream);
      this.#lookIdle();
    };
  }

  running(): number {
    return this.#running.total();
  }

  subscribed(): number {
    return this.#subscribed.total();
  }

  /** Takes no more, ends those that only watch, and resolves when what runs tasks has ended. */
  stop(): Promise<void> {
    this.#stopping = true;
    for (const stream of this.#streams) if (stream.watching) stream.end();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#lookIdle();
    });
  }

  #lookIdle(): void {
    if (this.#onIdle === undefined || this.running() > 0) return;
    for (const { watching } of this.#streams) if (!watching) return;
    this.#onIdle();
  }
}

function stopping(): GraphQLError {
  return new GraphQLError('This server is being stopped and takes nothing new.', {
    extensions: {
      code: 'SHUTTING_DOWN',
      remedy: 'Send it again in a moment, or to another server.',
      http: { status: 503, headers: { Connection: 'close', 'Retry-After': '5' } },
    },
  });
}

function tooMany(what: string, limit: number, name: string): GraphQLError {
  return new GraphQLError(`This caller has ${limit} ${what} under way, which is all it may.`, {
    extensions: {
      code: 'TOO_MANY_OPERATIONS',
      limit: name,
      remedy: 'Wait for one to end before the next is sent.',
      http: { status: 429 },
    },
  });
}
