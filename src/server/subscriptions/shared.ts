// Shared: equal subscriptions to the same statistic are executed and written as text once, however many there are.
import { setImmediate } from 'node:timers/promises';
import { Kind } from 'graphql';
import type {
  DocumentNode,
  ExecutionArgs,
  ExecutionResult,
  FieldNode,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { canonicalJson } from '../../common/json.ts';
import type { RequestContext } from '../graphql/context.ts';
import { Channel } from '../graphql/live/channel.ts';
import { tooSlow } from '../graphql/live/slow.ts';
import { hasScope, READ_STATS } from '../../engine/execution/scopes.ts';

/** yoga writes a result with its own `stringify` where there is one: the text is made once and kept. */
export interface SharedResult extends ExecutionResult {
  readonly stringify?: () => string;
}

export type Subscribe = (args: ExecutionArgs) => SubscribeResult | Promise<SubscribeResult>;
export type SubscribeResult = AsyncIterable<ExecutionResult> | ExecutionResult;

/** What every subscriber of such a field sees is the same, for callers who may see the same. */
const SHARED_FIELDS: ReadonlySet<string> = new Set(['costStats']);

export class SharedSubscriptions {
  readonly #groups = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Map<string, Group>>>();

  /** A stream of the group's results, or undefined where this operation is not one to share. */
  subscribe(args: ExecutionArgs, subscribe: Subscribe): Promise<SubscribeResult> | undefined {
    const operation = operationOf(args);
    if (operation === undefined || !isShared(operation)) return undefined;
    const groups = this.#groupsOf(args.schema, args.document);
    const context = args.contextValue as RequestContext;
    const key = canonicalJson([args.operationName ?? null, args.variableValues ?? null, audienceOf(context)]);
    let group = groups.get(key);
    if (group === undefined) {
      group = new Group(
        args,
        subscribe,
        () => context.services.stats.version(),
        () => groups.delete(key),
      );
      groups.set(key, group);
    }
    return group.join();
  }

  #groupsOf(schema: GraphQLSchema, document: DocumentNode): Map<string, Group> {
    let byDocument = this.#groups.get(schema);
    if (byDocument === undefined) this.#groups.set(schema, (byDocument = new WeakMap()));
    let groups = byDocument.get(document);
    if (groups === undefined) byDocument.set(document, (groups = new Map()));
    return groups;
  }
}

/** Callers who are shown the same: all with `read:stats`, or else one by one. */
function audienceOf({ caller }: RequestContext): string {
  return hasScope(caller, READ_STATS) ? 'all' : `caller:${caller.name}`;
}

function operationOf({ document, operationName }: ExecutionArgs): OperationDefinitionNode | undefined {
  let found: OperationDefinitionNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (operationName === null || operationName === undefined || definition.name?.value === operationName)
      found ??= definition;
  }
  return found;
}

function isShared({ operation, selectionSet: { selections } }: OperationDefinitionNode): boolean {
  const [only] = selections;
  return (
    operation === 'subscription' &&
    selections.length === 1 &&
    only?.kind === Kind.FIELD &&
    SHARED_FIELDS.has((only satisfies FieldNode).name.value)
  );
}

/** Each takes about 25 µs to be written to: so many take a few milliseconds. */
const TOLD_AT_ONCE = 100;

const latest = (_last: SharedResult, next: SharedResult): SharedResult => next;

/** One execution for all of its members; the first state of a late one is executed once per version, for all who come then. */
class Group {
  readonly #args: ExecutionArgs;
  readonly #subscribe: Subscribe;
  readonly #version: () => number;
  readonly #onEmpty: () => void;
  readonly #channels = new Set<Channel<SharedResult>>();
  #source: AsyncIterator<ExecutionResult> | undefined;
  #starting: Promise<ExecutionResult | undefined> | undefined;
  #last: { readonly version: number; readonly result: Promise<SharedResult> } | undefined;
  /** What all members were told last. */
  #told: SharedResult | undefined;
  /** What it said beside its time; undefined: not all members were told the same. */
  #said: string | undefined;
  #members = 0;

  constructor(args: ExecutionArgs, subscribe: Subscribe, version: () => number, onEmpty: () => void) {
    this.#args = args;
    this.#subscribe = subscribe;
    this.#version = version;
    this.#onEmpty = onEmpty;
  }

  async join(): Promise<SubscribeResult> {
    this.#members += 1;
    const refused = await (this.#starting ??= this.#start());
    if (refused !== undefined) {
      this.#leave();
      return refused;
    }
    const channel: Channel<SharedResult> = new Channel({
      limit: 1,
      merge: latest,
      overflow: () => tooSlow('a state'),
      onClose: () => {
        this.#channels.delete(channel);
        this.#leave();
      },
    });
    void this.#begin(channel);
    return channel;
  }

  /** Errors of the subscription itself are the answer of all who ask for it. */
  async #start(): Promise<ExecutionResult | undefined> {
    const version = this.#version();
    const result = await this.#subscribe(this.#args);
    if (!(Symbol.asyncIterator in result)) return result;
    this.#source = result[Symbol.asyncIterator]();
    const first = this.#source.next().then(({ value }) => shared(value as ExecutionResult));
    this.#last = { version, result: first };
    first.then(
      () => void this.#pump(),
      (error: unknown) => this.#fail(error as Error),
    );
    return undefined;
  }

  async #begin(channel: Channel<SharedResult>): Promise<void> {
    try {
      const version = this.#version();
      const told = this.#told;
      if (this.#last?.version !== version) this.#last = { version, result: this.#once() };
      const first = await this.#last.result;
      channel.push(first);
      if (channel.closed) return;
      const said = contentOf(first);
      if (this.#channels.size === 0) this.#said = said;
      else if (this.#said !== said) this.#said = undefined;
      this.#channels.add(channel);
      // What all were told while it waited for its first state would be missing until the next change.
      if (this.#told !== told && this.#told !== undefined) channel.push(this.#told);
    } catch (error) {
      channel.fail(error as Error);
    }
  }

  /** The state now, without waiting for the interval. */
  async #once(): Promise<SharedResult> {
    const result = await this.#subscribe(this.#args);
    if (!(Symbol.asyncIterator in result)) return shared(result);
    const iterator = result[Symbol.asyncIterator]();
    const { value } = await iterator.next();
    await iterator.return?.();
    return shared(value as ExecutionResult);
  }

  async #pump(): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    try {
      for (;;) {
        const version = this.#version();
        const next = await source.next();
        if (next.done === true) break;
        const result = shared(next.value);
        this.#last = { version, result: Promise.resolve(result) };
        const said = contentOf(result);
        if (said !== undefined && said === this.#said) continue;
        this.#said = said;
        this.#told = result;
        await this.#tellAll(result);
      }
      for (const channel of this.#channels) channel.end();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** A few at a time: what is sent to thousands at once would keep everyone else waiting. */
  async #tellAll(result: SharedResult): Promise<void> {
    let told = 0;
    for (const channel of this.#channels) {
      channel.push(result);
      told += 1;
      if (told % TOLD_AT_ONCE === 0) await setImmediate();
    }
  }

  #fail(error: Error): void {
    for (const channel of this.#channels) channel.fail(error);
  }

  #leave(): void {
    this.#members -= 1;
    if (this.#members > 0) return;
    this.#onEmpty();
    // The source's own end reports to nobody: its readers are gone.
    this.#source?.return?.().catch(() => undefined);
  }
}

/** What a state says beside the time it was computed at; undefined: nothing else was asked for, or it is an error. */
function contentOf({ data, errors }: ExecutionResult): string | undefined {
  if (errors !== undefined || data === null || data === undefined) return undefined;
  const [[name, state] = []] = Object.entries(data as { readonly [name: string]: object | null });
  if (state === null || state === undefined) return undefined;
  const { at: _at, ...rest } = state as { readonly at?: unknown };
  return Object.keys(rest).length === 0 ? undefined : JSON.stringify([name, rest]);
}

function shared(result: ExecutionResult): SharedResult {
  // Errors are masked further on: a text made here would tell what is not for clients.
  if (result.errors !== undefined) return result;
  let text: string | undefined;
  return Object.defineProperty({ data: result.data } as SharedResult, 'stringify', {
    enumerable: false,
    value: () => (text ??= JSON.stringify({ data: result.data })),
  });
}
