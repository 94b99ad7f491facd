// Subscriptions: begun within the caller's limits, shared where they are equal, and counted until they end, whichever way they are sent.
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { createComplexityCheck } from '../guards/complexity.ts';
import { onlyWatches, sideEffectOverGet } from '../guards/get.ts';
import type { Operations } from '../operations.ts';
import type { ServerContext } from '../request-context.ts';
import { notePlace } from './event-stream.ts';
import { SharedSubscriptions } from './shared.ts';
import type { Subscribe, SubscribeResult } from './shared.ts';

export class Subscriptions {
  readonly #complexity: ReturnType<typeof createComplexityCheck>;
  readonly #operations: Operations;
  readonly #sharing = new SharedSubscriptions();

  constructor(complexity: ReturnType<typeof createComplexityCheck>, operations: Operations) {
    this.#complexity = complexity;
    this.#operations = operations;
  }

  /** undefined: it may begin, and counts as one of its caller's until `begin` has ended it. */
  refusal(args: ExecutionArgs, context: ServerContext): GraphQLError | undefined {
    return this.#complexity(args) ?? sideEffectOverGet(args, context) ?? this.#operations.subscribe(context);
  }

  async begin(args: ExecutionArgs, context: ServerContext, subscribe: Subscribe): Promise<SubscribeResult> {
    try {
      const result = await (this.#sharing.subscribe(args, subscribe) ?? subscribe(args));
      if (Symbol.asyncIterator in result) return this.#followed(result, args, context);
      this.#operations.unsubscribe(context);
      return result;
    } catch (error) {
      this.#operations.unsubscribe(context);
      throw error;
    }
  }

  /** Counted until it ends; each event's place is noted for event streams. */
  #followed(
    results: AsyncIterable<ExecutionResult>,
    args: ExecutionArgs,
    context: ServerContext,
  ): AsyncIterable<ExecutionResult> {
    const stream = closing(
      results,
      () => {
        this.#operations.unsubscribe(context);
        untrack();
      },
      (event) => notePlace(event, context.eventId),
    );
    const untrack = this.#operations.track({
      watching: onlyWatches(args),
      end: () => void stream.return(undefined),
    });
    return stream;
  }
}

/** Says what comes through it, and once when it is over, whichever way it ends. */
function closing<Value>(
  source: AsyncIterable<Value>,
  onEnd: () => void,
  onValue: (value: Value) => void = () => {},
): AsyncGenerator<Value, undefined, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    onEnd();
  };
  const seen = (result: IteratorResult<Value>): IteratorResult<Value, undefined> => {
    if (result.done !== true) {
      onValue(result.value);
      return result;
    }
    end();
    return { done: true, value: undefined };
  };
  const failed = (error: unknown): never => {
    end();
    throw error;
  };
  return {
    next: () => iterator.next().then(seen, failed),
    async return() {
      end();
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    async throw(error) {
      end();
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return(undefined);
    },
  };
}
