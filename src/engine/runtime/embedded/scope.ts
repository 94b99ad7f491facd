// The embedded Scope: what an interpreter may ask of this process, for one run.
import type { Json } from '../../../common/json.ts';
import { sleep as sleepOn } from '../../../common/clock.ts';
import type { Clock } from '../../../common/clock.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import { RunStopped } from '../../execution/runtime-port.ts';
import type { Scope, Settled, StepContext, WaveItem } from '../../execution/runtime-port.ts';
import type { StepRecord } from '../../execution/records.ts';
import type { Mailbox } from './mailbox.ts';

export interface ScopeParts {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Of this run, from before a restart; empty for a new one. */
  readonly receipts: ReadonlyMap<string, StepRecord>;
  readonly clock: Clock;
  readonly mailbox: Mailbox;
  readonly runChild: (runId: string, planHash: string, input: Json, signal: AbortSignal) => Promise<Json>;
}

export class EmbeddedScope implements Scope {
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly #parts: ScopeParts;
  readonly #context: StepContext;
  /** Steps in flight here; made when there is the first second step. */
  #inFlight: Map<string, Promise<Json>> | undefined;

  constructor(parts: ScopeParts) {
    this.runId = parts.runId;
    this.signal = parts.signal;
    this.#parts = parts;
    this.#context = { signal: parts.signal };
  }

  receipt(key: string): StepRecord | undefined {
    return this.#parts.receipts.get(key);
  }

  step<T extends Json>(
    key: string,
    options: { readonly timeoutMs?: number },
    body: (context: StepContext) => Promise<T>,
  ): Promise<T> {
    const done = this.#parts.receipts.get(key);
    if (done !== undefined && (done.status === 'succeeded' || done.status === 'skipped'))
      return Promise.resolve(done.output as T);
    this.#inFlight ??= new Map();
    const joined = this.#inFlight.get(key);
    if (joined !== undefined) return joined as Promise<T>;
    const running =
      options.timeoutMs === undefined ? body(this.#context) : this.#withTimeout(options.timeoutMs, body);
    this.#inFlight.set(key, running);
    const forget = (): void => {
      this.#inFlight?.delete(key);
    };
    running.then(forget, forget);
    return running;
  }

  async wave(
    items: readonly WaveItem[],
    options: { readonly concurrent?: number } = {},
  ): Promise<readonly Settled[]> {
    const settled: Settled[] = Array.from({ length: items.length });
    let next = 0;
    const work = async (): Promise<void> => {
      for (let index = next++; index < items.length; index = next++) {
        const item = items[index] as WaveItem;
        try {
          settled[index] = succeed(await item.run(this.#context));
        } catch (error) {
          settled[index] = fail(error);
        }
      }
    };
    const workers = Math.min(items.length, Math.max(1, options.concurrent ?? items.length));
    await Promise.all(Array.from({ length: workers }, work));
    return settled;
  }

  async child(
    key: string,
    planHash: string,
    input: Json,
    { deadlineMs }: { readonly deadlineMs?: number } = {},
  ): Promise<Json> {
    const runId = `${this.runId}.${key}`;
    if (deadlineMs === undefined) return this.#parts.runChild(runId, planHash, input, this.signal);
    const late = (): Error => new RunStopped('deadline', `the deadline of ${deadlineMs} ms is over`);
    return this.#within(deadlineMs, late, (signal) => this.#parts.runChild(runId, planHash, input, signal));
  }

  sleep(_key: string, ms: number): Promise<void> {
    return sleepOn(this.#parts.clock, ms, this.signal);
  }

  waitEvent(key: string, timeoutMs?: number): Promise<Json | null> {
    return this.#parts.mailbox.take(this.runId, key, timeoutMs, this.signal);
  }

  async #withTimeout<T>(timeoutMs: number, body: (context: StepContext) => Promise<T>): Promise<T> {
    const late = (): Error => new DOMException(`the step took longer than ${timeoutMs} ms`, 'TimeoutError');
    return this.#within(timeoutMs, late, (signal) => body({ signal }));
  }

  /** A signal that follows the run's, and is aborted when the time is over. */
  async #within<T>(ms: number, late: () => Error, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(this.signal.reason);
    if (this.signal.aborted) onAbort();
    this.signal.addEventListener('abort', onAbort, { once: true });
    const cancel = this.#parts.clock.after(ms, () => controller.abort(late()));
    try {
      return await body(controller.signal);
    } finally {
      cancel();
      this.signal.removeEventListener('abort', onAbort);
    }
  }
}
