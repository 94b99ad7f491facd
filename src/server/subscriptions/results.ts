// Results: what a subscription's events are for its client, one executed for each event and none before it is asked for.
import { createSourceEventStream, executeSubscriptionEvent, GraphQLError } from 'graphql';
import type { ExecutionResult, ValidatedSubscriptionArgs } from 'graphql';
import type { SubscribeResult } from './shared.ts';

/** As `subscribe` of graphql-js does, with two promises an event where its generators make a dozen. Rejects for nothing: what fails is a result. */
export async function subscribeTo(args: ValidatedSubscriptionArgs): Promise<SubscribeResult> {
  const events = await createSourceEventStream(args);
  return Symbol.asyncIterator in events ? new Results(events[Symbol.asyncIterator](), args) : events;
}

type Next = IteratorResult<ExecutionResult, undefined>;

const DONE: Next = { done: true, value: undefined };

class Results implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #events: AsyncIterator<unknown>;
  readonly #args: ValidatedSubscriptionArgs;
  #failed = false;

  constructor(events: AsyncIterator<unknown>, args: ValidatedSubscriptionArgs) {
    this.#events = events;
    this.#args = args;
  }

  next(): Promise<Next> {
    return this.#failed ? Promise.resolve(DONE) : this.#events.next().then(this.#executed, this.#lastResult);
  }

  readonly #executed = ({ done, value }: IteratorResult<unknown>): Next | Promise<Next> => {
    if (done === true) return DONE;
    const result = executeSubscriptionEvent({ ...this.#args, rootValue: value });
    return 'then' in result
      ? result.then((settled) => ({ done: false, value: settled }))
      : { done: false, value: result };
  };

  /** An error of the source ends the stream: it is told as the operation's. */
  readonly #lastResult = (error: unknown): Next => {
    this.#failed = true;
    const originalError = error instanceof Error ? error : new Error(String(error));
    const told = new GraphQLError(originalError.message, { nodes: [this.#args.operation], originalError });
    return { done: false, value: { errors: [told] } };
  };

  async return(): Promise<Next> {
    this.#failed = true;
    await this.#events.return?.();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
