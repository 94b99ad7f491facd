// Operations: how many each caller has under way, and how many it may.
import { GraphQLError } from 'graphql';
import type { RequestContext } from '../graphql/context.ts';
import { Concurrency } from './guards/rate.ts';
import type { ServerLimits } from './options.ts';

export class Operations {
  readonly #limits: ServerLimits;
  readonly #running: Concurrency;
  readonly #subscribed: Concurrency;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
    this.#running = new Concurrency(limits.maxOperationsPerCaller);
    this.#subscribed = new Concurrency(limits.maxSubscriptionsPerCaller);
  }

  /** undefined: it may run, and `end` must be called when it has. */
  begin({ caller }: RequestContext): GraphQLError | undefined {
    return this.#running.enter(caller.name)
      ? undefined
      : tooMany('operations', this.#limits.maxOperationsPerCaller, 'maxOperationsPerCaller');
  }

  end({ caller }: RequestContext): void {
    this.#running.leave(caller.name);
  }

  subscribe({ caller }: RequestContext): GraphQLError | undefined {
    return this.#subscribed.enter(caller.name)
      ? undefined
      : tooMany('subscriptions', this.#limits.maxSubscriptionsPerCaller, 'maxSubscriptionsPerCaller');
  }

  unsubscribe({ caller }: RequestContext): void {
    this.#subscribed.leave(caller.name);
  }

  running(): number {
    return this.#running.total();
  }

  subscribed(): number {
    return this.#subscribed.total();
  }
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
